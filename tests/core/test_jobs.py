"""Of the same job with the same arguments, one waits."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from django_q.models import OrmQ
from redis.exceptions import RedisError

from core.jobs import ask_worker, asked_for

pytestmark = pytest.mark.django_db
PULL = "monitoring.jobs.pull_now"


def test_what_waits_is_not_asked_for_again() -> None:
    assert ask_worker(PULL, "one", task_name="Pull one")
    assert not ask_worker(PULL, "one", task_name="Pull one again")
    assert ask_worker(PULL, "two", task_name="Pull two")
    assert OrmQ.objects.count() == 2


def test_what_a_worker_has_taken_may_have_begun_and_is_asked_for_again() -> None:
    ask_worker(PULL, "one", task_name="Pull one")
    OrmQ.objects.update(lock=timezone.now() + timedelta(hours=1))
    assert ask_worker(PULL, "one", task_name="Pull one")


def test_a_row_that_nobody_signed_holds_nobody_up() -> None:
    OrmQ.objects.create(key="dnbmon", payload="nonsense", lock=timezone.now())
    assert ask_worker(PULL, "one", task_name="Pull one")


def test_pages_know_what_was_asked_for_and_open_without_the_queue(
    monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    ask_worker("monitoring.jobs.pull_now", "one", task_name="x")
    assert asked_for("monitoring.jobs.pull_now") == {"one"} and asked_for("monitoring.jobs.pull_due") == set()

    def away() -> None:
        raise RedisError

    monkeypatch.setattr("core.jobs.get_broker", away)
    settings.REDIS_URL = "redis://127.0.0.1:1"
    assert asked_for("monitoring.jobs.pull_now") == set()
