"""What people do with a registration: one function each, named by the word in its address."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from core.audit import record
from core.jobs import Schedule, ask_worker
from core.models import AuditEntry
from core.text import counted, moment_text, with_full_stop
from direct_plus.errors import DirectPlusError
from monitoring.deliveries.gaps import clear_gap
from monitoring.ingest.circuit_breaker import resume_ingest
from monitoring.models import Delivery, DeliveryState
from portfolio.dnb_client import NotConfigured
from portfolio.models import Contract, Registration, RegistrationState
from portfolio.registrations.discover import all_contracts, discover_registrations, pause_pulling, start_pulling

PULL_NOW = "monitoring.jobs.pull_now"
PAUSE = "registration.pause"
LOOKED_AT = 500
JOBS_LATE_AFTER = timedelta(minutes=3)


@dataclass(frozen=True, slots=True)
class Said:
    """What to tell the person; `failed` where it did not work."""

    text: str
    failed: bool = False


def pull_now(registrations: Sequence[Registration], by: str) -> Said:
    for registration in registrations:
        ask_worker(
            PULL_NOW,
            str(registration.pk),
            by,
            task_name=f"Pull {registration.reference} now"[:100],
        )
    names = ", ".join(registration.reference for registration in registrations)
    if no_worker():
        return Said(
            gettext(
                "%(names)s will be pulled once a worker is running. None is running now: ask an administrator to "
                "start one (.venv/bin/python manage.py worker)."
            )
            % {"names": names},
            failed=True,
        )
    return Said(
        gettext("Pulling %(names)s now. Results appear here automatically; you may leave the page.") % {"names": names}
    )


def start(registrations: Sequence[Registration], by: str) -> Said:
    """Begin to pull, for the first time or after a pause."""
    for registration in registrations:
        start_pulling(registration)
    first = [row for row in registrations if is_first_start(row)]
    return Said(" ".join(_started(len(first), len(registrations) - len(first))))


def is_first_start(registration: Registration) -> bool:
    return registration.last_pulled_at is None


def _started(first: int, again: int) -> Iterator[str]:
    if first:
        words = ngettext(
            "%(count)s registration started. The first pull begins within a minute.",
            "%(count)s registrations started. The first pulls begin within a minute.",
            first,
        )
        yield words % {"count": counted(first)}
    if again:
        words = ngettext(
            "%(count)s registration resumed. The next pull begins within a minute.",
            "%(count)s registrations resumed. The next pulls begin within a minute.",
            again,
        )
        yield words % {"count": counted(again)}


def pause(registrations: Sequence[Registration], until: datetime | None, *, by: str, reason: str = "") -> Said:
    for registration in registrations:
        pause_pulling(registration, until)
        summary = _pause_summary(registration.reference, until, reason)
        after = {"until": until, "reason": reason}
        record(actor=by, action=PAUSE, thing=registration, summary=summary, after=after)
    count = len(registrations)
    name = registrations[0].reference if registrations else ""
    if until:
        text = ngettext(
            "%(name)s is paused until %(moment)s", "%(count)s registrations are paused until %(moment)s", count
        )
        told = {"count": counted(count), "name": name, "moment": moment_text(until)}
        return Said(with_full_stop(text % told))
    text = ngettext(
        "%(name)s is paused until you resume it.",
        "%(count)s registrations are paused until you resume them.",
        count,
    )
    return Said(text % {"count": counted(count), "name": name})


def _pause_summary(name: str, until: datetime | None, reason: str) -> str:
    words = gettext("%(name)s paused until %(moment)s") if until else gettext("%(name)s paused")
    text = words % {"name": name, "moment": moment_text(until) if until else ""}
    return f"{text}: {reason}" if reason else text


def pause_notes(registrations: Iterable[Registration]) -> dict[str, str]:
    """Who paused those that are paused, and why, by key, as the audit log has it."""
    keys = [str(row.pk) for row in registrations if row.state == RegistrationState.PAUSED]
    if not keys:
        return {}
    acts = AuditEntry.objects.filter(what="registration", key__in=keys, action__in=(PAUSE, "registration.start"))
    last = {row.key: row for row in reversed(list(acts.order_by("-id")[:LOOKED_AT]))}
    return {key: _pause_note(row) for key, row in last.items() if row.action == PAUSE}


def _pause_note(entry: AuditEntry) -> str:
    reason = json.loads(entry.after or "{}").get("reason")
    words = gettext("Paused by %(user)s: %(reason)s") if reason else gettext("Paused by %(user)s.")
    return words % {"user": entry.actor, "reason": reason}


def resume_reading(registrations: Sequence[Registration], by: str) -> Said:
    for registration in registrations:
        resume_ingest(registration)
    return Said(gettext("Processing resumed. Parsing errors are counted again from zero."))


def gap_dealt_with(registrations: Sequence[Registration], by: str) -> Said:
    for registration in registrations:
        clear_gap(registration)
        Registration.objects.filter(pk=registration.pk).update(replay_mark="")
    return Said(gettext("Marked as resolved."))


ACTIONS: Mapping[str, Callable[[Sequence[Registration], str], Said]] = {
    "pull-now": pull_now,
    "start": start,
    "resume-reading": resume_reading,
    "gap-dealt-with": gap_dealt_with,
}


# As the audit tells it.
DONE: Mapping[str, Promise] = {
    "pull-now": _("Pull of %(name)s started"),
    "start": _("%(name)s started"),
    "resume-reading": _("Processing of %(name)s resumed"),
    "gap-dealt-with": _("Problem of %(name)s marked as resolved"),
}

RESUMED = _("%(name)s resumed")


def act(action: str, registrations: Sequence[Registration], *, by: str) -> Said:
    """Carry it out and write it down, with the marks that there were."""
    said = ACTIONS[action](registrations, by)
    for row in registrations:
        marks = (row.gap_reason, row.replay_mark, row.ingest_stopped_reason, row.stopped_reason)
        done = RESUMED if action == "start" and not is_first_start(row) else DONE[action]
        summary = str(done) % {"name": row.reference}
        before = {"state": row.state, "marks": [mark for mark in marks if mark]}
        record(actor=by, action=f"registration.{action}", thing=row, summary=summary, before=before)
    return said


def look_for_registrations() -> Said:
    """Ask D&B for its list, in every contract."""
    said = [_look_in(contract) for contract in all_contracts()]
    return Said(" ".join(one.text for one in said), failed=any(one.failed for one in said))


def _look_in(contract: Contract) -> Said:
    try:
        found = discover_registrations(contract)
    except (DirectPlusError, NotConfigured) as error:
        return Said(
            gettext("D&B's list of registrations could not be loaded: %(error)s") % {"error": error}, failed=True
        )
    text = ngettext(
        "Found %(count)s registration at D&B. New: %(new)s.",
        "Found %(count)s registrations at D&B. New: %(new)s.",
        len(found.seen),
    ) % {"count": counted(len(found.seen)), "new": counted(len(found.new))}
    last_error = "".join(
        " " + gettext("The details of %(name)s could not be loaded: %(why)s") % {"name": name, "why": why}
        for name, why in found.failed.items()
    )
    return Said(text + last_error, failed=bool(last_error))


def no_worker() -> bool:
    """Nobody has run the pulling job for minutes, though it is not paused."""
    limit = timezone.now() - JOBS_LATE_AFTER
    return bool(
        Schedule.objects.filter(func="monitoring.jobs.pull_due", next_run__lt=limit).exclude(repeats=0).exists()
    )


def calls_in_doubt() -> dict[object, int]:
    """Open doubts by registration; they are few, and the state has an index."""
    counts: dict[object, int] = {}
    for key in Delivery.objects.filter(state=DeliveryState.IN_DOUBT).values_list("registration_id", flat=True)[:10_000]:
        counts[key] = counts.get(key, 0) + 1
    return counts
