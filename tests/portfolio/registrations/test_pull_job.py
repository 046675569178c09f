"""The job that pulls, paused by a user: since when and by whom, until it is resumed."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone
from django_q.models import Schedule

from core.models import AuditEntry
from core.text import moment_text
from dnbmon_site.worker.schedules import install_schedules
from health.schedule_status import pause, resume, resume_due
from portfolio.models import Registration
from portfolio.registrations.pull_job import PAUSE, PULL_JOB, paused_pulls
from portfolio.registrations.status import countdown, first_loss, status
from tests.builders.registrations import a_registration
from tests.builders.times import ago

pytestmark = pytest.mark.django_db


def the_job() -> Schedule:
    return Schedule.objects.get(func=PULL_JOB)


def test_it_is_known_since_when_and_by_whom() -> None:
    install_schedules()
    assert paused_pulls() is None
    pause([the_job()], actor="anna")
    found = paused_pulls()
    assert found and found.since and found.by == "anna" and found.schedule == str(the_job().pk)
    assert found.sentence.startswith("anna paused the job “Pull due registrations” on ")
    resume([the_job()], actor="bob")
    assert paused_pulls() is None


def test_a_pause_that_the_audit_log_does_not_know_is_no_older_one() -> None:
    install_schedules()
    pause([the_job()], actor="anna")
    resume([the_job()], actor="anna")
    Schedule.objects.filter(func=PULL_JOB).update(repeats=0)
    found = paused_pulls()
    assert found and found.since is None and found.sentence.startswith("Pulls are paused")


def test_a_pause_with_an_end_says_until_when_and_why_and_ends_without_anybody() -> None:
    install_schedules()
    until = timezone.now() + timedelta(hours=2)
    pause([the_job()], actor="anna", until=until, reason="100% maintenance")
    found = paused_pulls()
    assert found and (found.until, found.reason) == (until, "100% maintenance")
    assert f"Pulls resume on {moment_text(until)}. Reason: 100% maintenance." in found.sentence
    assert found.note == f"by anna, until {moment_text(until)}: 100% maintenance"
    assert AuditEntry.objects.latest("id").summary.endswith(": 100% maintenance")
    assert resume_due() == 0 and paused_pulls()
    with time_machine.travel(until + timedelta(seconds=1)):
        assert resume_due() == 1 and resume_due() == 0
    assert paused_pulls() is None
    assert AuditEntry.objects.latest("id").actor == "worker"


def test_a_job_that_is_paused_takes_the_terms_of_a_later_pause() -> None:
    install_schedules()
    assert pause([the_job()], actor="anna") == 1
    until = timezone.now() + timedelta(hours=2)
    assert pause([the_job()], actor="bob", until=until, reason="maintenance") == 1
    assert pause([the_job()], actor="bob", until=until, reason="maintenance") == 0, "nothing is new"
    assert AuditEntry.objects.filter(action=PAUSE).count() == 2
    found = paused_pulls()
    assert found and (found.by, found.until, found.reason) == ("bob", until, "maintenance")
    assert pause([the_job()], actor="anna") == 1
    with time_machine.travel(until + timedelta(seconds=1)):
        assert resume_due() == 0, "it has no end any more"


def test_a_pause_that_is_broken_off_is_none_without_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    install_schedules()

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("health.schedule_status.record", killed)
    with pytest.raises(KeyboardInterrupt):
        pause([the_job()], actor="anna", until=timezone.now() + timedelta(hours=2))
    assert paused_pulls() is None


def test_a_pause_without_an_end_ends_by_hand_only() -> None:
    install_schedules()
    pause([the_job()], actor="anna", until=timezone.now() - timedelta(hours=1))
    resume([the_job()], actor="bob")
    pause([the_job()], actor="anna", reason="holiday")
    assert resume_due() == 0, "the end of an earlier pause is not the end of this one"


def test_a_second_schedule_of_the_job_pulls_too() -> None:
    install_schedules()
    pause([the_job()], actor="anna")
    Schedule.objects.create(name="mine", func=PULL_JOB)
    assert paused_pulls() is None


def test_what_came_due_during_the_pause_is_due_at_its_end_and_not_overdue() -> None:
    install_schedules()
    late, later = (ago(hours=hours).replace(microsecond=0) for hours in (5, -1))
    a_registration("DUE", next_pull_at=late)
    a_registration("LATER", next_pull_at=later)
    a_registration("PAUSED", state="paused", next_pull_at=late)
    pause([the_job()], actor="anna")
    Schedule.objects.filter(func=PULL_JOB).update(next_run=late)
    resume([the_job()], actor="anna")
    assert the_job().next_run >= ago(minutes=1)
    due = dict(Registration.objects.values_list("reference", "next_pull_at"))
    assert due["DUE"] >= ago(minutes=1) and (due["LATER"], due["PAUSED"]) == (later, late)
    assert status(Registration.objects.get(reference="DUE")).word == "Active"


def test_resuming_what_runs_hides_nothing() -> None:
    install_schedules()
    row, late = a_registration(next_pull_at=ago(hours=5)), ago(hours=5).replace(microsecond=0)
    Schedule.objects.filter(func=PULL_JOB).update(next_run=late)
    resume([the_job()], actor="anna")
    assert the_job().next_run == late
    assert status(Registration.objects.get(pk=row.pk)).word == "Late"


def test_a_registration_says_that_pulls_are_paused_and_when_d_and_b_deletes() -> None:
    row = a_registration(next_pull_at=ago(hours=5), last_pulled_at=ago(days=1, hours=20))
    other = a_registration("PAUSED", state="paused", last_pulled_at=ago(days=3))
    assert status(row, pulls_paused=True).word == "Pulls paused" and status(other, pulls_paused=True).word == "Paused"
    assert countdown(row, pulls_paused=True).startswith("in 2 d 3 h")
    assert "in 2 d 3 h" in first_loss([other, row])
    assert first_loss([]) == "D&B deletes notifications that are not pulled within 4 days."
