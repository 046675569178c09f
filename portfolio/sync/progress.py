"""One making of D&B's list equal to what is requested, for people to watch, pause, go on with or cancel."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core import plurals
from core.audit import record
from core.db import clean_text
from core.notices import notify
from core.text import counted
from portfolio.models import Registration, SyncRun, SyncState
from portfolio.sync.diff import Verb, pending, unsent

OPEN = (SyncState.RUNNING, SyncState.PAUSED, SyncState.FAILED)
THE_JOB = "sync job"


def latest_run(registration: Registration) -> SyncRun | None:
    return SyncRun.objects.filter(registration=registration).order_by("-id").first()


def open_run(registration: Registration) -> SyncRun | None:
    return SyncRun.objects.filter(registration=registration, state__in=OPEN).order_by("-id").first()


def only_after(registration: Registration) -> datetime | None:
    """After a cancelled run only what was said since goes out by itself, until a person starts one for everything."""
    return what_it_left(latest_run(registration))


def what_it_left(last: SyncRun | None) -> datetime | None:
    if last is None:
        return None
    return last.ended_at if last.state == SyncState.CANCELLED else last.requests_after


def run_to_work_at(registration: Registration, requested_by: str, *, everything: bool = False) -> SyncRun | None:
    """The run that is under way, else a new one where there is something to do. For the holder of the sync only."""
    run = open_run(registration)
    if run is None:
        return _start(registration, requested_by, None if everything else only_after(registration))
    if everything and run.requests_after:
        SyncRun.objects.filter(pk=run.pk).update(requests_after=None)
    if run.state == SyncState.FAILED and (everything or is_due(run)):
        SyncRun.objects.filter(pk=run.pk, state=SyncState.FAILED).update(state=SyncState.RUNNING, error="")
    run.refresh_from_db()
    return run


def is_due(run: SyncRun) -> bool:
    return run.retry_at is None or run.retry_at <= timezone.now()


def _start(registration: Registration, requested_by: str, after: datetime | None) -> SyncRun | None:
    adds = unsent(registration, Verb.ADD, after).count()
    removes = unsent(registration, Verb.REMOVE, after).count()
    if not adds and not removes and not pending(registration).exists():
        return None
    run = SyncRun.objects.create(
        registration=registration,
        started_by=clean_text(requested_by, 200),
        started_at=timezone.now(),
        to_add=adds,
        to_remove=removes,
        requests_after=after,
    )
    counts = {"additions": adds, "removals": removes}
    _record(
        run,
        requested_by,
        "sync",
        gettext("Sync of %(registration)s started: %(what)s")
        % {"registration": registration, "what": words_of(adds, removes)},
        after=counts,
    )
    return run


def words_of(adds: int, removes: int) -> str:
    return gettext("%(companies)s to add, %(removes)s to remove") % {
        "companies": plurals.companies(adds),
        "removes": counted(removes),
    }


def pause_run(run: SyncRun, by: str) -> bool:
    return _set_state(run, by, "pause", SyncState.PAUSED, (SyncState.RUNNING, SyncState.FAILED))


def resume_run(run: SyncRun, by: str) -> bool:
    return _set_state(run, by, "resume", SyncState.RUNNING, (SyncState.PAUSED, SyncState.FAILED))


def cancel_run(run: SyncRun, by: str) -> bool:
    """What was not sent stays unsent; what was sent is still followed to its end."""
    return _set_state(run, by, "cancel", SyncState.CANCELLED, OPEN, ended_at=timezone.now())


def end_run(run: SyncRun) -> bool:
    update_counts(run)
    run.refresh_from_db()
    told = gettext("%(accepted)s accepted, %(refused)s refused, %(calls)s") % {
        "accepted": counted(run.accepted),
        "refused": counted(run.refused),
        "calls": plurals.calls(run.calls),
    }
    return _set_state(run, THE_JOB, "end", SyncState.ENDED, (SyncState.RUNNING,), told, ended_at=timezone.now())


def fail_run(run: SyncRun, words: str, *, retry_at: datetime, report: bool) -> None:
    """It goes on by itself at that time; people hear of what they can do something about."""
    fields = {"state": SyncState.FAILED, "error": clean_text(words), "retry_at": retry_at}
    SyncRun.objects.filter(pk=run.pk, state=SyncState.RUNNING).update(**fields)
    if report:
        subject = gettext("Sync of %(registration)s has stalled") % {"registration": run.registration}
        notify(kind="sync", subject=subject, text=words, key=f"{run.pk}|{words[:60]}|{timezone.now():%Y-%m-%d}")


SAID = {
    "pause": _("Sync of %(registration)s paused."),
    "resume": _("Sync of %(registration)s resumed."),
    "cancel": _("Sync of %(registration)s cancelled."),
    "end": _("Sync of %(registration)s ended."),
}


def _set_state(
    run: SyncRun,
    by: str,
    action: str,
    state: SyncState,
    before: tuple[SyncState, ...],
    told: str = "",
    **fields: datetime,
) -> bool:
    """False where it was in none of these states any more: then nothing is done and nothing written down."""
    changed = SyncRun.objects.filter(pk=run.pk, state__in=before).update(state=state, error="", retry_at=None, **fields)
    if changed:
        summary = f"{SAID[action] % {'registration': run.registration}} {told}".strip()
        _record(run, by, f"sync_{action}", summary, before={"state": run.state}, after={"state": state})
    return bool(changed)


def _record(run: SyncRun, by: str, action: str, summary: str, **what: Mapping[str, object]) -> None:
    record(actor=by, action=action, thing=run, summary=summary, **what)


def count(run: SyncRun, **numbers: int) -> None:
    """Add to a run's counters."""
    SyncRun.objects.filter(pk=run.pk).update(**{name: F(name) + number for name, number in numbers.items()})


def update_counts(run: SyncRun) -> None:
    """What is sent is pending, refused or accepted."""
    waits = pending(run.registration).count()
    run.refresh_from_db(fields=["sent", "refused"])
    accepted = max(0, run.sent - run.refused - waits)
    SyncRun.objects.filter(pk=run.pk).update(pending=waits, accepted=accepted)


def count_open(registration: Registration, *, refused: int = 0) -> None:
    """Something else than the sync itself has learnt what became of numbers."""
    run = open_run(registration)
    if run:
        count(run, refused=refused)
        update_counts(run)
