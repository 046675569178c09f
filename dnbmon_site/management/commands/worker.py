"""manage.py worker: the jobs, under a watchdog."""

from __future__ import annotations

import logging
from typing import Any

from django.core.management.base import CommandError
from django.db import DatabaseError

from core.jobs import async_task, queue_errors
from dnbmon_site.worker.cluster import run_cluster
from dnbmon_site.worker.schedules import install_schedules, refuse_foreign
from dnbmon_site.worker.watchdog import Watchdog
from health.views import what_is_missing
from monitoring.jobs import PROCESS
from portfolio.plain_commands import PlainCommand
from portfolio.registrations.discover import all_contracts

logger = logging.getLogger(__name__)
# Schedules are looked at twice a minute; what is due, and what the last worker left, is not kept waiting for that.
AT_ONCE = (
    "monitoring.jobs.pull_due",
    "monitoring.jobs.ingest_received",
    "monitoring.jobs.publish_read",
    PROCESS,
    "monitoring.jobs.recover_due",
    "monitoring.jobs.count_days",
    "monitoring.jobs.update_all_counts",
    "portfolio.jobs.work_on_imports",
    "portfolio.jobs.continue_searches",
    "portfolio.exposure.work.continue_work",
)


class Command(PlainCommand):
    help = "Run the jobs until Ctrl-C or SIGTERM. If the worker process stalls, it is restarted automatically."

    def handle(self, **options: Any) -> None:
        if trouble := what_is_missing():
            raise CommandError(trouble)
        # Jobs and health look at rows of contracts.
        all_contracts()
        install_schedules()
        try:
            for job in AT_ONCE:
                async_task(job)
        except queue_errors() as error:
            raise CommandError(f"The queue cannot be reached: {error}. Start Redis, or correct REDIS_URL.") from error
        Watchdog(work_on_jobs).run()


def work_on_jobs() -> None:
    refuse_foreign_schedules()
    run_cluster()


def refuse_foreign_schedules() -> None:
    """Before the scheduler reads them: one that it cannot read would stop all others."""
    try:
        refuse_foreign()
    except DatabaseError as error:
        # The cluster waits for the database by itself; a job looks again.
        logger.warning("schedules were not looked at: %s", error)
