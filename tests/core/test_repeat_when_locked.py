"""A job that finds SQLite locked does its step again; every other trouble is told at once."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from django.db import OperationalError, connection, transaction

from core.jobs import PAUSES, repeat_when_locked
from dnbmon_site.worker.task_serializer import Job, TaskSerializer

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "sqlite", reason="only SQLite has one writer"),
]


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    found: list[float] = []
    monkeypatch.setattr("core.jobs.time.sleep", found.append)
    return found


def failing(times: int, error: Exception) -> tuple[Callable[[], int], list[int]]:
    calls: list[int] = []

    def step() -> int:
        calls.append(1)
        if len(calls) <= times:
            raise error
        return 7

    return step, calls


def test_it_is_done_again_until_the_lock_is_free(waits: list[float]) -> None:
    step, _ = failing(len(PAUSES), OperationalError("database is locked"))
    assert repeat_when_locked(step) == 7
    assert len(waits) == len(PAUSES)


def test_not_for_ever(waits: list[float]) -> None:
    step, calls = failing(99, OperationalError("database is locked"))
    with pytest.raises(OperationalError, match="locked"):
        repeat_when_locked(step)
    assert len(calls) == len(PAUSES) + 1


@pytest.mark.parametrize("error", [OperationalError("disk I/O error"), ValueError("locked")])
def test_other_trouble_is_not_repeated(error: Exception, waits: list[float]) -> None:
    step, calls = failing(1, error)
    with pytest.raises(type(error)):
        repeat_when_locked(step)
    assert len(calls) == 1


def test_not_inside_a_transaction(waits: list[float]) -> None:
    step, calls = failing(1, OperationalError("database is locked"))
    with pytest.raises(OperationalError), transaction.atomic():
        repeat_when_locked(step)
    assert len(calls) == 1


def test_what_comes_out_of_the_queue_is_a_job_that_repeats(waits: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    step, calls = failing(1, OperationalError("database is locked"))
    monkeypatch.setattr("monitoring.jobs.send_due", step)
    task = {"id": "1", "name": "n", "func": "monitoring.jobs.send_due", "args": [], "kwargs": {}}
    func = TaskSerializer.loads(json.dumps({**task, "started": "2026-01-01T00:00:00+00:00"}).encode())["func"]
    assert isinstance(func, Job) and func == "monitoring.jobs.send_due"
    assert func() == 7
    assert len(calls) == 2
