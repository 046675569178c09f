"""What runs in the background for fetches; each job works a minute and may run twice."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from functools import partial

from django.utils import timezone

from core.jobs import ask_worker, run_step
from monitoring.data_fetch.decide import carry_out_decisions
from monitoring.data_fetch.finish import finish_decided
from monitoring.data_fetch.request import RUN
from monitoring.data_fetch.run import run_fetch
from monitoring.models import DataFetch, FetchState

WORKING_TIME = timedelta(seconds=50)
IDLE_AFTER = timedelta(minutes=1)


def run_one(key: str) -> str:
    """Fetch for a while, then queue again; returns the state of the fetch."""
    fetch = DataFetch.objects.select_related("contract", "registration").get(pk=uuid.UUID(key))
    if not _run(fetch, timezone.now() + WORKING_TIME):
        ask_worker(RUN, key, task_name=f"Data fetch {key}")
    fetch.refresh_from_db(fields=["state"])
    return fetch.state


def _run(fetch: DataFetch, until: datetime) -> bool:
    """False where more is to be done now."""
    finished: list[bool] = []

    def note(trouble: str) -> None:
        """Tried again after a while; the page shows why."""
        DataFetch.objects.filter(pk=fetch.pk).update(reason=trouble, moved_at=timezone.now())

    run_step(lambda: finished.append(run_fetch(fetch, until=until)), note=note)
    return finished != [False]


def continue_fetches() -> int:
    """Pick up what a process that died has left: fetches, and decisions; returns how many."""
    until = timezone.now() + WORKING_TIME
    idle = DataFetch.objects.filter(state=FetchState.RUNNING, moved_at__lt=timezone.now() - IDLE_AFTER)
    rows = list(idle.select_related("contract", "registration").order_by("moved_at")[:100])
    for fetch in rows:
        if timezone.now() < until:
            run_step(partial(_run, fetch, until))
    done = carry_out_decisions(until)
    finish_decided()
    return len(rows) + done
