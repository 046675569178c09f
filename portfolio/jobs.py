"""What runs by itself for the portfolio; each job works a minute and may run twice."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.translation import gettext

from core.cached_counts import update_counts
from core.exports.files import remove_old, write_waiting
from core.exports.files import work_on as work_on_export
from core.jobs import ask_worker, run_step
from core.leases import HoldLost
from core.text import counted
from direct_plus.errors import DirectPlusError
from portfolio.billing.contract_year import remind, remove_planned
from portfolio.company_search.bulk import waiting_imports
from portfolio.company_search.search import note_interrupted
from portfolio.company_search.work import work_on_searches
from portfolio.dnb_client import NotConfigured
from portfolio.imports.resume import idle_imports, is_in_work, work_on
from portfolio.models import (
    CheckState,
    Contract,
    ImportState,
    MembershipCheck,
    Registration,
    SubjectImport,
    SyncRun,
    SyncState,
)
from portfolio.proposals.create import propose_replacements
from portfolio.reconciliation.reconcile import notify_of_drift
from portfolio.registrations.adopt import go_on_checking
from portfolio.registrations.discover import discover_registrations
from portfolio.sync import progress
from portfolio.sync.diff import Verb, pending, unsent
from portfolio.sync.run import CannotSend, sync

logger = logging.getLogger(__name__)
WORK = "portfolio.jobs.work_on_import"
WORKING_TIME = timedelta(seconds=50)


def start_import_work(key: uuid.UUID) -> None:
    """Have an import moved on now; `work_on_imports` picks it up where this is lost."""
    ask_worker(WORK, str(key), task_name=f"Import {key}")


def work_on_import(key: str) -> str:
    """Read, apply or undo for a while, then queue again; returns the state that the import is in."""
    import_ = SubjectImport.objects.select_related("registration__contract").get(pk=uuid.UUID(key))
    until = timezone.now() + WORKING_TIME

    def stand_still(trouble: str) -> None:
        """Tried again after a while; the page tells why."""
        SubjectImport.objects.filter(pk=import_.pk).update(error=trouble, moved_at=timezone.now())

    if not run_step(partial(work_on, until=until), import_, note=stand_still):
        return "failed"
    import_.refresh_from_db(fields=["state"])
    update_counts("imports")
    # Who stopped before the time was over was overtaken by another process, which goes on.
    if is_in_work(import_) and timezone.now() >= until:
        start_import_work(import_.pk)
    if import_.state in (ImportState.APPLIED, ImportState.UNDONE):
        start_sync(import_.registration_id)
    return import_.state


def work_on_imports() -> int:
    """Pick up what a process that died has left, and what could not be done before; returns how many there were."""
    keys = idle_imports()
    for key in keys:
        work_on_import(str(key))
    return len(keys)


def start_search_work(key: uuid.UUID) -> None:
    """Have candidates found for an import now; `continue_searches` picks it up where this is lost."""
    ask_worker("portfolio.jobs.find_candidates", str(key), task_name=f"Find candidates for import {key}")


def find_candidates(key: str) -> bool:
    """Search for a while, then queue again; False where it failed."""
    import_, until = uuid.UUID(key), timezone.now() + WORKING_TIME
    is_done = run_step(partial(work_on_searches, until=until), import_)
    if is_done and timezone.now() >= until:
        start_search_work(import_)
    return is_done


def continue_searches() -> int:
    """Pick up what a process that died has left; returns how many imports there were."""
    note_interrupted()
    keys = waiting_imports()
    for key in keys:
        find_candidates(str(key))
    return len(keys)


def look_after_years() -> int:
    """Carry out removals planned until today, and remind people of anniversaries; returns how many were removed."""
    removed = remove_planned()
    if removed:
        update_counts("held")
    remind()
    return removed


def write_export(key: str) -> bool:
    """Write one export now; `write_exports` picks it up where this is lost."""
    return work_on_export(uuid.UUID(key))


def write_exports() -> int:
    """Write what waits, and remove what is older than a week; returns how many files were written."""
    remove_old()
    return write_waiting()


def discover() -> int:
    """Look for new registrations in every contract; returns how many are new."""
    found = 0
    for contract in Contract.objects.all():
        try:
            found += len(discover_registrations(contract).new)
        except (DirectPlusError, NotConfigured) as error:
            logger.warning("registrations of %s could not be read: %s", contract, error)
    return found


A_MINUTE = timedelta(seconds=55)


def sync_due() -> int:
    """Send what is requested and not there, and follow what was sent; returns how many registrations were looked at."""
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
    run = progress.open_run(registration)
    if run:
        return run.state == SyncState.RUNNING or (run.state == SyncState.FAILED and progress.is_due(run))
    after = progress.only_after(registration)
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
    """One registration's failure holds up no other."""

    def put_off(trouble: str) -> None:
        if run := progress.open_run(row):
            progress.fail_run(run, trouble, retry_at=timezone.now() + timedelta(minutes=1), report=False)

    return run_step(step, row, until, note=put_off)


def start_sync_now(registration: Registration, by: str) -> None:
    """Have a worker sync this registration because a person wants it now."""
    name = f"Sync {registration.reference} now"[:100]
    ask_worker("portfolio.jobs.sync_now", str(registration.pk), by, task_name=name)


def start_sync(registration: uuid.UUID) -> None:
    """Have a worker send what has just become requested; `sync_due` does it a minute later where this is lost."""
    ask_worker("portfolio.jobs.sync_requested", str(registration), task_name=f"Sync {registration}")


def sync_requested(key: str) -> None:
    """What is to be sent now, as `sync_due` does it."""
    registration = Registration.objects.select_related("contract").get(pk=uuid.UUID(key))
    if registration.adopted and _has_work(registration):
        _at_the_boundary(_sync_one, registration, timezone.now() + A_MINUTE)


def sync_now(key: str, by: str) -> str:
    """Everything that is to be sent, also what was cancelled before; says how it went."""
    registration = Registration.objects.select_related("contract").get(pk=uuid.UUID(key))
    try:
        run = _with_proposals(sync(registration, requested_by=by, everything=True, until=timezone.now() + A_MINUTE))
    except (CannotSend, HoldLost) as error:
        return str(error) or gettext("Another process is already syncing this registration. Try again in a minute.")
    return run_text(run)


def run_text(run: SyncRun | None) -> str:
    if run is None:
        return gettext("There is nothing to send.")
    progress = gettext("%(state)s: %(sent)s sent, %(accepted)s accepted, %(refused)s refused") % {
        "state": run.get_state_display(),
        "sent": counted(run.sent),
        "accepted": counted(run.accepted),
        "refused": counted(run.refused),
    }
    return (
        gettext("%(progress)s, %(pending)s pending, %(calls)s calls. %(error)s")
        % {"progress": progress, "pending": counted(run.pending), "calls": counted(run.calls), "error": run.error}
    ).strip()


def check_lists() -> int:
    """Go on asking D&B about pasted lists; returns how many lists were looked at."""
    until = timezone.now() + A_MINUTE
    rows = (
        MembershipCheck.objects.select_related("registration__contract").filter(state=CheckState.RUNNING).order_by("id")
    )
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
    ask_worker("portfolio.jobs.check_lists", task_name="Check pasted lists at D&B")


def reconcile_all() -> int:
    """Notify people where D&B's lists and what is requested differ; returns how many notices were new."""
    return sum(notify_of_drift(row, _page(row)) for row in Registration.objects.select_related("contract").all())


def _page(registration: Registration) -> str:
    try:
        return reverse("admin:portfolio_syncrun_drift", args=[registration.pk])
    except NoReverseMatch:
        return ""
