"""What runs in the background for reviews and tiers; each job works a minute and may run twice."""

from __future__ import annotations

import uuid

from core.cached_counts import update_counts
from core.jobs import ask_worker
from monitoring.decisions.mergers import carry_tiers
from monitoring.decisions.reviews import refresh_all_reviews
from monitoring.decisions.rules import apply_rules
from monitoring.decisions.trail import write_missing_entries
from monitoring.decisions.upload import work_on
from monitoring.models import TierImport
from portfolio.imports.lifecycle import UploadWork

WORK = UploadWork(TierImport, "monitoring.decisions.work.work_on_tiers", "Tier import", work_on)
UPDATE = "monitoring.decisions.work.update_reviews"


def start_tier_work(key: uuid.UUID) -> None:
    WORK.start(key)


def start_update() -> None:
    """Have all reviews follow other intervals now; the nightly run does it where this is lost."""
    ask_worker(UPDATE, task_name="Update reviews")


def work_on_tiers(key: str) -> str:
    """Work for a while, then queue again; returns the state of the import."""
    state = WORK.run(key)
    update_counts("reviews")
    return state


def continue_tiers() -> int:
    """Pick up files that a process that died has left; returns how many there were."""
    return WORK.continue_idle(work_on_tiers)


def update_reviews() -> int:
    """Apply tier rules, carry tiers over to companies that remain, and bring all dates up to date; returns how many
    companies have another tier or date."""
    written = apply_rules() + carry_tiers() + refresh_all_reviews()
    write_missing_entries()
    update_counts("reviews", "decisions")
    return written
