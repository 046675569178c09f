"""A database that was away is written down when it is back, by the watchdog that asked it in vain."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import OperationalError
from redis.exceptions import ConnectionError as RedisConnectionError

from core.models import Notice
from dnbmon_site.worker import watchdog
from dnbmon_site.worker.watchdog import Watchdog
from health.models import Incident, State

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("well")]


class Answers:
    """A canary that finds what it is told to find."""

    def __init__(self, *found: Exception | None) -> None:
        self.found = list(found)

    def trouble(self) -> str:
        found = self.found.pop(0)
        if found:
            raise found
        return ""

    def start_again(self) -> None:
        pass


@pytest.fixture
def dog(monkeypatch: pytest.MonkeyPatch) -> Watchdog:
    monkeypatch.setattr("health.incidents.lifecycle.ask_worker", lambda *args, **more: "")
    monkeypatch.setattr(watchdog, "Told", object)
    # The tests have one connection, within a transaction.
    monkeypatch.setattr(watchdog, "close_old_connections", lambda: None)
    return Watchdog(lambda: None)


def ask(dog: Watchdog, *found: Exception | None) -> None:
    dog.canary = Answers(*found)  # type: ignore[assignment]
    for _ in found:
        assert dog.ask() == ""


AWAY = OperationalError("away")


def test_is_an_incident_from_the_first_time_it_was_asked_in_vain(dog: Watchdog) -> None:
    ask(dog, None, AWAY)
    since = dog.outage.since
    assert since and not Incident.objects.exists()
    dog.outage.since = since = since.replace(microsecond=0) - timedelta(minutes=3)
    ask(dog, AWAY, None, None)
    row = Incident.objects.get()
    assert (row.dedup_key, row.state, row.started_at) == ("database", State.CRITICAL, since)
    assert row.ended_at and "unavailable for 3 minutes" in row.cause
    assert Notice.objects.get().subject == "Database unavailable"


def test_once_in_vain_is_everyday_life(dog: Watchdog) -> None:
    ask(dog, AWAY, None, AWAY, None)
    assert not Incident.objects.exists()


def test_another_fault_is_none_of_the_database(dog: Watchdog) -> None:
    ask(dog, RedisConnectionError("away"), RedisConnectionError("away"), None)
    assert not Incident.objects.exists()


def test_each_outage_is_one(dog: Watchdog) -> None:
    ask(dog, AWAY, AWAY, None, AWAY, AWAY, None)
    assert Incident.objects.count() == 2
