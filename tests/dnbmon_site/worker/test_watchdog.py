"""When jobs are taken for dead, as the rows show it."""

from datetime import timedelta

import pytest
from django.db import OperationalError
from django.utils import timezone
from django_q.models import Schedule

from core.db import database_now
from core.models import Notice
from dnbmon_site.worker import watchdog
from dnbmon_site.worker.watchdog import Canary
from health import heartbeats
from health.jobs import beat
from health.models import JOBS, RESULTS, Heartbeat, Incident

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The canaries put among the jobs."""
    names: list[str] = []
    monkeypatch.setattr(watchdog, "async_task", names.append)
    return names


def a_canary(*, started: timedelta, beaten: timedelta | None = None) -> Canary:
    """A cluster that was started so long ago, and whose last sign of life is so old."""
    canary = Canary(MINUTE)
    canary.started_at = database_now() - started
    heartbeats.beat(RESULTS)
    if beaten is not None:
        beat()
        Heartbeat.objects.filter(name=JOBS).update(at=database_now() - beaten)
    return canary


def test_a_new_cluster_has_to_show_itself_at_once(sent: list[str]) -> None:
    canary = Canary(MINUTE)
    assert canary.trouble() == canary.trouble() == ""
    assert sent == ["health.jobs.beat"]


def test_a_new_cluster_is_not_judged_by_what_was_before(sent: list[str]) -> None:
    canary = a_canary(started=timedelta(seconds=10), beaten=timedelta(days=1))
    assert canary.trouble() == ""
    assert len(sent) == 1


def test_while_jobs_run_by_themselves_no_canary_is_sent(sent: list[str]) -> None:
    canary = a_canary(started=timedelta(minutes=4), beaten=timedelta(seconds=80))
    assert canary.trouble() == ""
    assert sent == []


def test_one_canary_is_sent_for_each_silence(sent: list[str]) -> None:
    canary = a_canary(started=timedelta(minutes=4), beaten=timedelta(seconds=100))
    assert [canary.trouble() for _ in range(3)] == ["", "", ""]
    assert len(sent) == 1


def test_within_three_beats_the_jobs_are_dead(sent: list[str]) -> None:
    canary = a_canary(started=timedelta(minutes=10), beaten=timedelta(seconds=166))
    assert canary.trouble() == "no job has run for 166 seconds"


def test_a_new_cluster_gets_a_little_longer(sent: list[str]) -> None:
    assert a_canary(started=timedelta(seconds=175)).trouble() == ""
    assert "no job has run" in a_canary(started=timedelta(seconds=181)).trouble()


def test_jobs_that_begin_and_never_end(sent: list[str]) -> None:
    """The process that writes down results hangs, and the workers do not."""
    canary = a_canary(started=timedelta(minutes=10), beaten=timedelta())
    heartbeats.beat(RESULTS)
    assert canary.trouble() == ""
    Heartbeat.objects.filter(name=RESULTS).update(at=database_now() - timedelta(seconds=185))
    assert canary.trouble() == "jobs started, but no result was recorded for 185 seconds"


def a_schedule(overdue: timedelta, **fields: object) -> None:
    Schedule.objects.create(
        name="Pull", func="x", schedule_type=Schedule.MINUTES, next_run=database_now() - overdue, **fields
    )


def test_schedules_that_nobody_carries_out(sent: list[str]) -> None:
    a_schedule(timedelta(minutes=6))
    canary = a_canary(started=timedelta(minutes=7), beaten=timedelta())
    assert canary.trouble() == "the schedule “Pull” did not run"


def test_a_new_cluster_has_time_for_old_schedules(sent: list[str]) -> None:
    a_schedule(timedelta(days=1))
    assert a_canary(started=timedelta(minutes=4), beaten=timedelta()).trouble() == ""


def test_paused_schedules_are_nobodys_fault(sent: list[str]) -> None:
    a_schedule(timedelta(days=1), repeats=0)
    assert a_canary(started=timedelta(minutes=7), beaten=timedelta()).trouble() == ""


def test_a_beat_is_one_row_that_moves(sent: list[str]) -> None:
    beat()
    first = Heartbeat.objects.get()
    Heartbeat.objects.update(at=first.at - MINUTE)
    beat()
    assert Heartbeat.objects.get().at >= first.at


def test_a_restart_is_told_and_begins_with_the_last_job(sent: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    woken: list[str] = []
    monkeypatch.setattr(watchdog, "async_task", lambda name, **how: woken.append(name))
    beat()
    Heartbeat.objects.update(at=database_now() - 3 * MINUTE)
    for _ in range(2):
        watchdog.open_restart_incident("no job has run for 180 seconds")
    row = Incident.objects.get()
    assert row.started_at == Heartbeat.objects.get().at
    assert Notice.objects.get().subject.startswith("Critical: Worker: The worker stalled")
    assert woken == ["monitoring.jobs.send_due"]


def test_a_task_counts_from_when_it_begins_and_survives_a_database_that_is_away(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def away(name: str) -> None:
        raise OperationalError("away")

    monkeypatch.setattr(heartbeats, "beat", away)
    monkeypatch.setattr(heartbeats, "_beaten", {})
    task = {"started": timezone.now() - MINUTE}
    heartbeats.beat_with_a_task(task=task)
    assert timezone.now() - task["started"] < MINUTE
    assert "could not be written down" in caplog.text
