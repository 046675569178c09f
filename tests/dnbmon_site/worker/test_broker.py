"""The queue in the database that asks little: what the scheduler plans, what waits in rows, what is taken away."""

from __future__ import annotations

import time
from threading import Timer
from types import SimpleNamespace
from typing import Any

import pytest
from django_q.conf import Conf
from django_q.models import OrmQ

from dnbmon_site.worker import broker
from dnbmon_site.worker.broker import QuietQueue

pytestmark = pytest.mark.django_db


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long it would have slept."""
    found: list[float] = []
    clock = SimpleNamespace(sleep=found.append, monotonic=time.monotonic)
    monkeypatch.setattr("dnbmon_site.worker.broker.time", clock)
    return found


@pytest.fixture
def queue(monkeypatch: pytest.MonkeyPatch) -> QuietQueue:
    monkeypatch.setattr(Conf, "ORM", "default")
    monkeypatch.setattr(QuietQueue, "pipe", None)
    return QuietQueue("dnbmon")


def test_a_row_is_taken_once(queue: QuietQueue, waits: list[float]) -> None:
    queue.enqueue("a task")
    taken = queue.dequeue()
    assert taken is not None
    ((key, text),) = taken
    assert text == "a task"
    assert queue.dequeue() is None
    queue.acknowledge(key)
    assert not OrmQ.objects.exists()


def test_what_is_finished_is_taken_away_with_one_question(
    queue: QuietQueue, django_assert_max_num_queries: Any
) -> None:
    key = queue.enqueue("a task")
    with django_assert_max_num_queries(1):
        queue.acknowledge(key)
        queue.acknowledge(key)


def test_what_the_scheduler_plans_asks_the_database_nothing(
    queue: QuietQueue, django_assert_max_num_queries: Any
) -> None:
    queue.ping()
    with django_assert_max_num_queries(0):
        assert queue.enqueue("planned") is None
        assert queue.dequeue() == [(None, "planned")]


def test_a_pipe_that_is_full_holds_nobody_up(queue: QuietQueue) -> None:
    queue.ping()
    for _ in range(100):
        queue.enqueue("x" * 4000)
    assert OrmQ.objects.count() > 50


def test_a_task_too_long_to_be_written_in_one_piece_is_a_row(queue: QuietQueue) -> None:
    queue.ping()
    queue.enqueue("x" * 5000)
    assert OrmQ.objects.count() == 1


def test_a_row_that_a_job_of_the_cluster_makes_is_looked_for_immediately(
    queue: QuietQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broker, "LONGEST", 60.0)
    queue.ping()
    worker = Timer(0.2, QuietQueue("dnbmon")._pass, [broker.NEW_ROW])
    worker.start()
    begun = time.monotonic()
    assert queue.dequeue() is None
    assert time.monotonic() - begun < 30
    worker.join()


def test_a_job_of_the_cluster_leaves_its_task_in_a_row(queue: QuietQueue) -> None:
    queue.ping()
    key = QuietQueue("dnbmon").enqueue("a task")
    assert queue.dequeue() == [(key, "a task")]


def test_it_looks_less_often_while_nothing_comes(queue: QuietQueue, waits: list[float]) -> None:
    queue.dequeue()
    queue.enqueue("a task")
    queue.dequeue()
    queue.dequeue()
    assert [seconds for seconds in waits if seconds] == [broker.LONGEST, Conf.POLL]
