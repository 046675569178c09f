"""What goes through the queue is signed JSON of the program's own jobs, and rows of tasks are never unpickled."""

from __future__ import annotations

import ast
import base64
import pickle
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core import signing
from django.utils import timezone
from django.utils.module_loading import import_string
from django_q.conf import Conf
from django_q.models import OrmQ, Schedule, Task
from django_q.scheduler import scheduler
from django_q.signing import BadSignature, SignedPackage
from django_q.tasks import async_task
from picklefield.fields import PickledObject

from dnbmon_site.worker.admin import run_again
from dnbmon_site.worker.schedules import ALL_JOBS, RENAMED, install_schedules, make_schedules_anew, refuse_foreign
from tests.support import PROGRAM, ROOT

TASK = {
    "id": "1", "name": "n", "func": "health.jobs.beat", "args": [], "kwargs": {}, "started": "2026-01-01T00:00:00+00:00"
}  # fmt: skip


def a_package(task: object) -> str:
    """As somebody signs it who knows the key."""
    return signing.dumps(task, key=Conf.SECRET_KEY, salt=Conf.PREFIX)


@pytest.mark.parametrize("job", sorted(ALL_JOBS))
def test_every_job_of_the_table_is_there(job: str) -> None:
    assert callable(import_string(job))


def test_whatever_the_program_puts_into_the_queue_stands_in_the_table() -> None:
    """Strings that name functions of ours, beside the calls that queue them."""
    found = {
        node.value
        for app in PROGRAM
        for path in Path(ROOT / app).rglob("*.py")
        if "_task(" in (text := path.read_text()) or "ask_worker(" in text or "JOB" in text
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    queued = {name for name in found if name.partition(".")[0] in PROGRAM and _is_function(name)}
    assert queued >= {"monitoring.jobs.pull_now", "core.cached_counts.update_counts"}
    assert {name for name in queued if "job" in name} <= ALL_JOBS


def _is_function(name: str) -> bool:
    try:
        return callable(import_string(name)) and name.rpartition(".")[2].islower()
    except ImportError:
        return False


@pytest.mark.django_db
def test_a_job_comes_out_as_it_was_put_in() -> None:
    async_task("monitoring.jobs.pull_now", "a key", task_name="Pull")
    task = SignedPackage.loads(OrmQ.objects.get().payload)
    assert (task["func"], task["args"], task["kwargs"]) == ("monitoring.jobs.pull_now", ("a key",), {})
    assert timezone.now() - task["started"] < timedelta(minutes=1)


@pytest.mark.parametrize(("before", "now"), sorted(RENAMED.items()))
def test_what_an_earlier_version_put_into_the_queue_is_done(before: str, now: str) -> None:
    assert before not in ALL_JOBS
    assert SignedPackage.loads(a_package({**TASK, "func": before}))["func"] == now
    assert now in ALL_JOBS


@pytest.mark.parametrize(
    ("before", "now"),
    [
        ("core.cached_counts.tally", "core.cached_counts.update_counts"),
        ("monitoring.jobs.count_standing", "monitoring.jobs.update_all_counts"),
        ("monitoring.jobs.repair_due", "monitoring.jobs.recover_due"),
        (
            "monitoring.retention.keep_what_is_kept",
            "monitoring.retention.retention.apply_retention",
        ),
        (
            "monitoring.retention.retention.keep_what_is_kept",
            "monitoring.retention.retention.apply_retention",
        ),
        ("portfolio.jobs.sync_wanted", "portfolio.jobs.sync_requested"),
        ("portfolio.sync_jobs.sync_wanted", "portfolio.jobs.sync_requested"),
        ("portfolio.tallying.tally", "core.cached_counts.update_counts"),
    ],
)
def test_jobs_that_got_other_names_are_found_by_each_of_them(before: str, now: str) -> None:
    """Written out: a name of before that is changed along with the others leads nowhere."""
    assert RENAMED[before] == now


@pytest.mark.django_db
def test_a_failed_task_of_an_earlier_version_runs_again_under_its_new_name() -> None:
    now = timezone.now()
    row = Task.objects.create(
        id="1", name="n", func="portfolio.importing.jobs.work_on_import", args=["a key"], started=now, stopped=now
    )
    assert run_again(row, "ann")
    assert SignedPackage.loads(OrmQ.objects.get().payload)["func"] == "portfolio.jobs.work_on_import"


@pytest.mark.parametrize(
    "change",
    [
        {"func": "os.system"}, {"func": "math.floor"}, {"func": ["os.system"]}, {"hook": "os.abort"}, {"sync": True},
        {"chain": [["os.system", ["id"]]]}, {"args": 1}, {"kwargs": 1}, {"started": None}, {"started": "now"},
    ],
)  # fmt: skip
def test_a_package_of_anything_else_is_refused_although_it_is_signed(change: dict[str, Any]) -> None:
    assert SignedPackage.loads(a_package(TASK))["func"] == "health.jobs.beat"
    with pytest.raises(BadSignature):
        SignedPackage.loads(a_package({**TASK, **change}))


@pytest.mark.parametrize("data", [b"[" * 100_000, b"[]", b"null", b"1", b'"x"', pickle.dumps(TASK)])
def test_a_package_of_no_task_is_refused(data: bytes) -> None:
    class Raw:
        def dumps(self, value: object) -> bytes:
            return data

    package = signing.dumps(None, key=Conf.SECRET_KEY, salt=Conf.PREFIX, serializer=Raw)  # type: ignore[arg-type]
    with pytest.raises(BadSignature):
        SignedPackage.loads(package)


class Unpickled:
    def __reduce__(self) -> Any:
        return pytest.fail, ("unpickled",)


@pytest.mark.django_db
def test_rows_of_tasks_are_not_unpickled_and_no_hook_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    doctored = PickledObject(base64.b64encode(pickle.dumps(Unpickled())).decode())
    now = timezone.now()
    Task.objects.create(id="1", name="n", func="f", hook="os.abort", started=now, stopped=now, result=doctored)
    row = Task.objects.get()
    assert row.result is None
    row.save()
    Task.objects.update(result={"a": [1, "x", None]})
    assert Task.objects.get().result == {"a": [1, "x", None]}


@pytest.mark.django_db
def test_a_doctored_schedule_is_kept_switched_off_and_stops_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    now = timezone.now()
    install_schedules()
    for values in ({"func": "os.system"}, {"args": "("}, {"kwargs": "q_options={'sync': True}"}, {"hook": "os.abort"}):
        due = {"name": "x", "func": "health.jobs.beat", "next_run": now - timedelta(days=2), **values}
        Schedule.objects.create(**due)
    Schedule.objects.create(name="long ago", func="health.jobs.beat", next_run=now - timedelta(days=700_000))
    assert refuse_foreign() == 5 and refuse_foreign() == 0
    assert set(Schedule.objects.filter(name="x").values_list("repeats", flat=True)) == {0}
    # It would close the test's connection.
    monkeypatch.setattr("django_q.scheduler.close_old_django_connections", lambda: None)
    Schedule.objects.update(next_run=now - timedelta(minutes=1))
    scheduler()
    assert OrmQ.objects.count() == Schedule.objects.exclude(repeats=0).count() > 30


@pytest.mark.django_db
def test_a_restored_table_of_schedules_is_made_anew_and_what_was_paused_stays_so() -> None:
    install_schedules()
    Schedule.objects.filter(name="Pull due registrations").update(func="os.system", repeats=0)
    Schedule.objects.create(name="doctored", func="os.system")
    make_schedules_anew()
    assert not Schedule.objects.filter(func="os.system").exists()
    assert list(Schedule.objects.filter(repeats=0).values_list("name", flat=True)) == ["Pull due registrations"]
