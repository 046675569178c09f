"""What runs in the background for reviews and tiers; each job works a minute and may run twice."""

from __future__ import annotations

import uuid
from datetime import timedelta
from functools import partial

from django.utils import timezone

from core.cached_counts import update_counts
from core.jobs import ask_worker, run_step
from monitoring.decisions.mergers import carry_tiers
from monitoring.decisions.reviews import refresh_all_reviews
from monitoring.decisions.rules import apply_rules
from monitoring.decisions.trail import write_missing_entries
from monitoring.decisions.upload import IN_WORK, work_on
from monitoring.models import TierImport

WORK = "monitoring.decisions.work.work_on_tiers"
UPDATE = "monitoring.decisions.work.update_reviews"
WORKING_TIME = timedelta(seconds=50)
IDLE_AFTER = timedelta(minutes=1)


def start_tier_work(key: uuid.UUID) -> None:
    """Have a file checked or applied now; `continue_tiers` picks it up where this is lost."""
    ask_worker(WORK, str(key), task_name=f"Tier import {key}")


def start_update() -> None:
    """Have all reviews follow other intervals now; the nightly run does it where this is lost."""
    ask_worker(UPDATE, task_name="Update reviews")


def work_on_tiers(key: str) -> str:
    """Work for a while, then queue again; returns the state of the import."""
    upload = TierImport.objects.get(pk=uuid.UUID(key))
    until = timezone.now() + WORKING_TIME

    def stand_still(trouble: str) -> None:
        """Tried again after a while; the page shows why."""
        TierImport.objects.filter(pk=upload.pk).update(error=trouble, moved_at=timezone.now())

    if not run_step(partial(work_on, until=until), upload, note=stand_still):
        return "failed"
    upload.refresh_from_db(fields=["state"])
    update_counts("reviews")
    if upload.state in IN_WORK and timezone.now() >= until:
        start_tier_work(upload.pk)
    return upload.state


def continue_tiers() -> int:
    """Pick up files that a process that died has left; returns how many there were."""
    idle = TierImport.objects.filter(state__in=IN_WORK, moved_at__lt=timezone.now() - IDLE_AFTER)
    keys = list(idle.order_by("moved_at").values_list("pk", flat=True)[:100])
    for key in keys:
        work_on_tiers(str(key))
    return len(keys)


def update_reviews() -> int:
    """Apply tier rules, carry tiers over to companies that remain, and bring all dates up to date; returns how many
    companies have another tier or date."""
    written = apply_rules() + carry_tiers() + refresh_all_reviews()
    write_missing_entries()
    update_counts("reviews", "decisions")
    return written
