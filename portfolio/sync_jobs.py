"""What runs by itself to keep D&B's lists and what is wanted together; each works a minute and may run twice."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta

from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.translation import gettext

from core.jobs import ask_worker
from core.leases import HoldLost
from core.text import counted
from portfolio import sync_runs
from portfolio.adopting import go_on_checking
from portfolio.models import CheckState, ListCheck, Registration, SyncRun, SyncState
from portfolio.proposing import propose_replacements
from portfolio.reconciling import tell_of_drift
from portfolio.sending import CannotSend, sync
from portfolio.todo import Verb, pending, unsent

logger = logging.getLogger(__name__)
A_MINUTE = timedelta(seconds=55)


def sync_due() -> int:
    """Send what is wanted and not there, and follow what was sent; returns how many registrations were looked at."""
    end = timezone.now() + A_MINUTE
    adopted = Registration.objects.select_related("contract").filter(adopted=True).order_by("reference")
    waiting = [row for row in adopted if _has_work(row)]
    shares = ((row, len(waiting) - position) for position, row in enumerate(waiting))
    return sum(_at_the_boundary(_sync_one, row, _share_of(end, others)) for row, others in shares)


def _share_of(end: datetime, registrations: int) -> datetime:
    """A long list of one registration takes no more than its part of the minute."""
    now = timezone.now()
    return now + max(end - now, timedelta(0)) / registrations


def _has_work(registration: Registration) -> bool:
    run = sync_runs.open_run(registration)
    if run:
        return run.state == SyncState.RUNNING or (run.state == SyncState.FAILED and sync_runs.is_due(run))
    after = sync_runs.only_after(registration)
    return pending(registration).exists() or any(unsent(registration, verb, after).exists() for verb in Verb)


def _sync_one(registration: Registration, until: datetime) -> object:
    try:
        run = sync(registration, until=until)
    except (CannotSend, HoldLost) as error:
        logger.info("%s was not synced: %s", registration, error)
        return None
    return _with_proposals(run)


def _with_proposals(run: SyncRun | None) -> SyncRun | None:
    """What D&B refuses and names another number for is proposed while people still look at the sync."""
    if run and run.refused:
        propose_replacements()
    return run


def _at_the_boundary(step: Callable[[Registration, datetime], object], row: Registration, until: datetime) -> bool:
    """One registration's trouble holds up no other."""
    try:
        step(row, until)
    except Exception as error:
        logger.exception("%s failed for %s", step.__name__, row)
        run = sync_runs.open_run(row)
        if run:
            later = timezone.now() + timedelta(minutes=1)
            sync_runs.fail_run(run, f"{type(error).__name__}: {error}", retry_at=later, tell=False)
        return False
    return True


def start_sync_now(registration: Registration, by: str) -> None:
    """Have a worker sync this registration because a person wants it now."""
    name = f"Sync {registration.reference} now"[:100]
    ask_worker("portfolio.sync_jobs.sync_now", str(registration.pk), by, task_name=name)


def start_sync(registration: uuid.UUID) -> None:
    """Have a worker send what has just become wanted; `sync_due` does it a minute later where this is lost."""
    ask_worker("portfolio.sync_jobs.sync_wanted", str(registration), task_name=f"Sync {registration}")


def sync_wanted(key: str) -> None:
    """What is to be sent now, as `sync_due` does it."""
    registration = Registration.objects.select_related("contract").get(pk=uuid.UUID(key))
    if registration.adopted and _has_work(registration):
        _at_the_boundary(_sync_one, registration, timezone.now() + A_MINUTE)


def sync_now(key: str, by: str) -> str:
    """Everything that is to be sent, also what was cancelled before; says how it went."""
    registration = Registration.objects.select_related("contract").get(pk=uuid.UUID(key))
    try:
        run = _with_proposals(sync(registration, asked_by=by, everything=True, until=timezone.now() + A_MINUTE))
    except (CannotSend, HoldLost) as error:
        return str(error) or gettext("Another process is at it.")
    return in_words(run)


def in_words(run: SyncRun | None) -> str:
    if run is None:
        return gettext("Nothing to send.")
    told = gettext("%(state)s: %(sent)s sent, %(accepted)s accepted, %(refused)s refused") % {
        "state": run.get_state_display(),
        "sent": counted(run.sent),
        "accepted": counted(run.accepted),
        "refused": counted(run.refused),
    }
    return (
        gettext("%(told)s, %(pending)s pending, %(calls)s calls. %(error)s")
        % {"told": told, "pending": counted(run.pending), "calls": counted(run.calls), "error": run.error}
    ).strip()


def check_lists() -> int:
    """Go on asking D&B about pasted lists; returns how many lists were looked at."""
    until = timezone.now() + A_MINUTE
    rows = ListCheck.objects.select_related("registration__contract").filter(state=CheckState.RUNNING).order_by("id")
    looked = 0
    for row in rows:
        looked += 1
        try:
            go_on_checking(row, until=until)
        except HoldLost:
            logger.info("another process asks about list %s", row.pk)
    if timezone.now() >= until:
        have_lists_checked()
    return looked


def have_lists_checked() -> None:
    """By a worker, at once: a list that somebody has just pasted, or the rest of one that took its minute."""
    ask_worker("portfolio.sync_jobs.check_lists", task_name="Ask D&B about lists")


def reconcile_all() -> int:
    """Tell people where D&B's lists and what is wanted differ; returns how many notices were new."""
    return sum(tell_of_drift(row, _page(row)) for row in Registration.objects.select_related("contract").all())


def _page(registration: Registration) -> str:
    try:
        return reverse("admin:portfolio_syncrun_drift", args=[registration.pk])
    except NoReverseMatch:
        return ""
