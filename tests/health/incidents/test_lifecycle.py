"""Incidents: opened once, closed by themselves, told once each way."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from core.models import Notice
from health.checks.result import Result
from health.incidents import lifecycle
from health.incidents.lifecycle import follow, open_incident, record_past
from health.models import Incident, IncidentNote, State
from monitoring.models import DataFetch
from tests.builders.registrations import a_registration

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def woken(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    names: list[str] = []
    monkeypatch.setattr(lifecycle, "ask_worker", lambda name, **how: names.append(name))
    return names


def a_result(state: State = State.CRITICAL, **fields: Any) -> Result:
    values = {"check": "disk", "title": "Disk", "sentence": "0.4 GB are free.", "do": "Make room.", **fields}
    return Result(state=state, **values)


def test_critical_opens_at_once_and_closes_when_well(woken: list[str]) -> None:
    follow([a_result()], [])
    follow([a_result()], ["disk"])
    row = Incident.objects.get()
    assert (row.title, row.cause, row.state, row.ended_at) == ("Disk", "0.4 GB are free.", State.CRITICAL, None)
    follow([a_result(State.OK)], ["disk"])
    assert Incident.objects.get().ended_at is not None
    assert woken == ["monitoring.jobs.send_due"] * 2


def test_critical_and_well_again_are_told_once_each() -> None:
    for state in (State.CRITICAL, State.CRITICAL, State.WARNING, State.CRITICAL, State.OK, State.OK):
        follow([a_result(state)], ["disk"])
    subjects = list(Notice.objects.order_by("created_at").values_list("subject", flat=True))
    assert subjects == ["Critical: Disk: 0.4 GB are free.", "Resolved: Disk"]
    assert Notice.objects.order_by("created_at")[0].text.startswith("0.4 GB are free. Make room. See docs/")


def test_a_warning_is_seen_twice_before_it_counts_and_is_not_told() -> None:
    follow([a_result(State.WARNING)], [])
    assert not Incident.objects.exists()
    follow([a_result(State.WARNING)], ["disk"])
    follow([a_result(State.OK)], ["disk"])
    assert Incident.objects.get().state == State.WARNING
    assert not Notice.objects.exists()


def test_a_warning_that_grows_loud_is_told_then_and_once() -> None:
    for notify in (False, False, True, True):
        follow([a_result(State.WARNING, notify=notify)], ["disk"])
    assert [row.subject for row in Notice.objects.all()] == ["Warning: Disk: 0.4 GB are free."]
    assert Incident.objects.get().notify


def test_a_mark_opens_at_once_and_is_told() -> None:
    follow([a_result(State.WARNING, check="gap", is_mark=True, notify=True)], [])
    assert Incident.objects.count() == 1
    assert Notice.objects.get().subject == "Warning: Disk: 0.4 GB are free."


def test_a_warning_that_gets_worse_is_told_then() -> None:
    follow([a_result(State.WARNING)], ["disk"])
    follow([a_result(State.CRITICAL, sentence="0.1 GB are free.")], ["disk"])
    row = Incident.objects.get()
    assert (row.state, row.cause, row.latest_detail) == (State.CRITICAL, "0.4 GB are free.", "0.1 GB are free.")
    assert Notice.objects.get().subject == "Critical: Disk: 0.1 GB are free."


def test_what_cannot_be_seen_stays_open() -> None:
    follow([a_result(check="dnb")], [])
    follow([a_result(State.UNKNOWN, check="dnb")], ["dnb"])
    assert Incident.objects.get().ended_at is None


def test_what_was_not_looked_at_stays_open() -> None:
    follow([a_result(State.WARNING, check="failed", is_mark=True)], [])
    follow([], [], left_out=("failed",))
    assert Incident.objects.get().ended_at is None
    follow([], [])
    assert Incident.objects.get().ended_at is not None


def test_two_processes_open_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second looked before the first had written."""
    monkeypatch.setattr(lifecycle, "last_of", lambda dedup_key: None)
    assert open_incident(dedup_key="disk", title="Disk", cause="x") is not None
    assert open_incident(dedup_key="disk", title="Disk", cause="x") is None
    assert Incident.objects.count() == 1


def test_the_same_again_later_is_another_one() -> None:
    for state in (State.CRITICAL, State.OK, State.CRITICAL):
        follow([a_result(state)], [])
    assert Incident.objects.count() == 2
    assert Incident.objects.filter(ended_at=None).count() == 1


def test_what_was_over_before_is_written_down_once(woken: list[str]) -> None:
    now = timezone.now()
    for _ in range(2):
        record_past(
            dedup_key="found:1", title="Lost and found", cause="x", started_at=now - timedelta(hours=1), ended_at=now
        )
    assert Incident.objects.get().ended_at is not None
    assert Notice.objects.count() == 1


def test_a_gap_that_was_closed_by_a_data_fetch_keeps_what_was_found() -> None:
    registration = a_registration()
    gap = {"check": "gap", "title": "Completeness", "subject": registration.reference, "is_mark": True}
    follow([a_result(State.WARNING, **gap)], [])
    DataFetch.objects.create(
        contract=registration.contract,
        registration=registration,
        confirmed_calls=1,
        requested_at=timezone.now(),
        closed_at=timezone.now(),
        closed_by="ann",
        found="No changes at D&B: 97. Accepted: 3.",
    )
    follow([], [])
    note = IncidentNote.objects.get()
    assert (note.author, note.text) == ("ann", "No changes at D&B: 97. Accepted: 3.")
    follow([a_result(State.WARNING, **gap)], [])
    follow([], [])
    assert IncidentNote.objects.count() == 1, "the next gap was not closed by it"
