"""HEARTBEAT_URL is called after real work only, so that a dead worker is noticed from outside."""

from __future__ import annotations

from typing import Any

import pytest
import responses
from django.utils import timezone
from django_q.models import Schedule, Task

from health.checks.result import Result
from health.incidents.heartbeat_url import PULL_LOOP, send_heartbeat
from health.models import State
from tests.builders.checks import look_at
from tests.builders.times import ago

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("well")]
URL = "https://watch.example.com/secret-word"
WELL = [Result("disk", "Disk", State.WARNING, "x")]


@pytest.fixture(autouse=True)
def address(settings: Any) -> None:
    settings.HEARTBEAT_URL = URL


def the_pull_loop(*, ended: Any = None, success: bool = True, paused: bool = False) -> None:
    Schedule.objects.create(name="Pull", func=PULL_LOOP, repeats=0 if paused else -1)
    at = ended or timezone.now()
    Task.objects.create(id="t" * 32, name="t", func=PULL_LOOP, started=at, stopped=at, success=success)


@responses.activate
def test_it_is_told_after_real_work() -> None:
    responses.get(URL)
    the_pull_loop()
    assert send_heartbeat(WELL)
    assert len(responses.calls) == 1
    assert look_at("outside").state == State.OK


@responses.activate
@pytest.mark.parametrize("how", [{"ended": None, "paused": True}, {"success": False}, {"ended": "long ago"}])
def test_it_is_not_told_without_a_pull_loop(how: dict[str, Any]) -> None:
    the_pull_loop(**{**how, **({"ended": ago(minutes=6)} if how.get("ended") else {})})
    assert not send_heartbeat(WELL)


@responses.activate
def test_it_is_not_told_while_something_is_critical() -> None:
    the_pull_loop()
    assert not send_heartbeat([Result("disk", "Disk", State.CRITICAL, "x")])


@responses.activate
def test_that_it_could_not_be_told_is_seen_and_the_address_is_not() -> None:
    responses.get(URL, status=404)
    the_pull_loop()
    assert not send_heartbeat(WELL)
    result = look_at("outside")
    assert (result.state, result.sentence) == (State.WARNING, "The receiver returned HTTP 404.")


def test_without_an_address_nothing_happens(settings: Any) -> None:
    settings.HEARTBEAT_URL = ""
    the_pull_loop()
    assert not send_heartbeat(WELL)
