"""Looks that are kept: one a minute, days out of them, silence, and what audits found."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from health.checks.result import Result
from health.history import availability, samples
from health.history.samples import look_back, store_sample, take_sample
from health.incidents.database_outage import record_outage
from health.incidents.lifecycle import open_incident
from health.metrics.pipeline import measure, percentiles
from health.models import Incident, Sample, Span, State
from monitoring.models import Delivery, DeliveryState, PassState, Purpose, ReplayPass
from portfolio.models import Registration, RegistrationState
from tests.builders.deliveries import a_call, a_published_call
from tests.builders.times import ago

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("well")]
NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("health.incidents.lifecycle.ask_worker", lambda *args, **more: "")


@pytest.fixture(autouse=True)
def in_use(well: None) -> None:
    """Data came long ago."""
    long_ago = datetime(2026, 1, 1, tzinfo=UTC)
    a_call(state=DeliveryState.PUBLISHED, called_at=long_ago, received_at=long_ago)


def a_look(state: State = State.OK) -> list[Result]:
    return [Result("disk", "Disk", state, "x")]


def looks(start: datetime, *states: State) -> None:
    for number, state in enumerate(states):
        store_sample(a_look(state), start + number * MINUTE)


def the_day(day: datetime = NOON) -> Sample:
    return Sample.objects.get(span=Span.DAY, at=day.replace(hour=0, minute=0))


def test_a_look_is_kept_once_a_minute_and_the_worst_counts() -> None:
    for state in (State.OK, State.CRITICAL, State.WARNING):
        store_sample(a_look(state), NOON + timedelta(seconds=20))
    row = Sample.objects.get()
    assert (row.at, row.state, row.critical, row.warning) == (NOON, State.CRITICAL, 1, 0)


def test_a_day_is_made_of_its_minutes() -> None:
    looks(NOON, State.OK, State.WARNING, State.CRITICAL, State.OK)
    look_back(NOON + 5 * MINUTE)
    look_back(NOON + 5 * MINUTE)
    row = the_day()
    assert Sample.objects.filter(span=Span.DAY).count() == 1
    # It began at noon; nobody looked in the last two minutes.
    assert (row.expected, row.seen, row.critical, row.warning) == (6, 4, 1, 1)
    (*_, today) = availability.days_until(NOON + 5 * MINUTE)
    assert (today.availability, today.lost) == (0.5, 3)


def test_setup_is_no_time_in_which_it_should_have_worked() -> None:
    Delivery.objects.all().delete()
    looks(NOON - 60 * MINUTE, *[State.CRITICAL] * 30)
    look_back(NOON)
    assert not Sample.objects.filter(span=Span.DAY).exists()
    a_call(state=DeliveryState.REFUSED, called_at=NOON - 30 * MINUTE)
    a_call(state=DeliveryState.PUBLISHED, called_at=NOON, received_at=NOON)
    looks(NOON, State.OK, State.CRITICAL)
    look_back(NOON + MINUTE)
    look_back(NOON + MINUTE)
    assert (the_day().expected, the_day().seen, the_day().critical) == (2, 2, 1)


def test_a_day_without_a_look_is_lost() -> None:
    looks(NOON, State.OK)
    look_back(NOON)
    later = NOON + timedelta(days=2)
    looks(later, State.OK)
    look_back(later)
    days = availability.days_until(later, 3)
    assert [day.availability for day in days] == [1 / 720, 0.0, 1 / 721]


def test_before_the_first_look_nothing_is_counted() -> None:
    looks(NOON, State.OK)
    look_back(NOON)
    days = availability.days_until(NOON)
    assert [day.availability for day in days if day.availability is not None] == [1.0]
    assert len(days) == 90


def test_old_minutes_go_and_their_days_stay() -> None:
    looks(NOON, State.OK, State.CRITICAL)
    look_back(NOON + MINUTE)
    look_back(NOON + timedelta(days=4))
    assert not Sample.objects.filter(span=Span.MINUTE).exists()
    look_back(NOON + timedelta(days=5))
    assert (the_day().seen, the_day().critical) == (2, 1)


def test_availability_is_never_rounded_up() -> None:
    assert availability.percent(0.9999999) == "99.999%"
    assert availability.percent(1.0) == "100%"


def test_a_sample_opens_incidents_and_the_next_closes_them() -> None:
    Registration.objects.update(state=RegistrationState.STOPPED, stopped_reason="00041")
    take_sample()
    row = Incident.objects.get()
    assert "00041" in row.cause and row.ended_at is None
    Registration.objects.update(state=RegistrationState.ACTIVE, stopped_reason="")
    take_sample()
    assert Incident.objects.get().ended_at is not None


def test_a_silence_is_written_down_when_it_is_over() -> None:
    store_sample(a_look(), ago(minutes=30))
    take_sample()
    take_sample()
    row = Incident.objects.get(dedup_key="silence")
    assert row.ended_at and row.ended_at - row.started_at >= timedelta(minutes=29)


def test_a_silence_that_the_watchdog_has_told_is_told_once() -> None:
    store_sample(a_look(), ago(minutes=30))
    open_incident(dedup_key="jobs", title="Worker", cause="x", started_at=ago(minutes=29))
    take_sample()
    assert [row.dedup_key for row in Incident.objects.all()] == ["jobs"]


def test_a_silence_of_a_database_that_was_away_is_told_once() -> None:
    store_sample(a_look(), ago(minutes=30))
    record_outage(ago(minutes=29), ago(minutes=1))
    take_sample()
    record_outage(ago(minutes=28), timezone.now())
    assert [row.dedup_key for row in Incident.objects.all()] == ["database"]


def test_what_an_audit_found_becomes_an_incident_once() -> None:
    registration = Registration.objects.get()
    now = timezone.now()
    fields: dict[str, Any] = {"replay_from": now - timedelta(days=1), "cursor": now, "begun_at": now, "ended_at": now}
    ReplayPass.objects.create(
        registration=registration, purpose=Purpose.AUDIT, state=PassState.ENDED, found=3, **fields
    )
    for _ in range(2):
        samples.note_what_audits_found(now)
    row = Incident.objects.get()
    assert row.title == "Missed notifications in ACME_LOD_01"
    assert "3 notifications" in row.cause


def test_how_fast_it_is() -> None:
    for took in (0.1, 0.2, 0.3, 4.0):
        a_published_call(took=took, visible=0.5, count=10)
    found = measure(ago(hours=1), ago(seconds=-1))
    assert (found.pulls, found.notifications, found.rate) == (4, 40, 20.0)
    assert found.pull == {"p50": 0.2, "p95": 4.0, "p99": 4.0}
    assert json.dumps(found.as_numbers())
    assert measure(ago(hours=3), ago(hours=2)).pull is None


def test_percentiles_are_nearest_ranks() -> None:
    assert percentiles(range(1, 101)) == {"p50": 50, "p95": 95, "p99": 99}
    assert percentiles([7.0]) == {"p50": 7.0, "p95": 7.0, "p99": 7.0}
