"""What the pages of a registration's list show: numbers, sentences, and the companies in question."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core import plurals
from core.db import LOOKUP_BATCH
from core.text import counted
from portfolio.dnb_codes import explain
from portfolio.models import (
    Company,
    MembershipCheck,
    Registration,
    RegistrationState,
    Subject,
    SubjectState,
    SyncRun,
    SyncState,
)
from portfolio.reconciliation import reconcile
from portfolio.registrations import suppress
from portfolio.subjects.counts import counts_of
from portfolio.sync import progress
from portfolio.sync.diff import in_doubt_after, of

SHOWN = 50
COSTED = LOOKUP_BATCH
TONES = {
    SyncState.RUNNING: (_("Running"), "info"),
    SyncState.PAUSED: (_("Paused"), "warn"),
    SyncState.CANCELLED: (_("Cancelled"), "calm"),
    SyncState.ENDED: (_("Done"), "good"),
    SyncState.FAILED: (_("Stalled"), "bad"),
}


def tone_of(run: SyncRun) -> tuple[str, str]:
    if run.state == SyncState.RUNNING and run.pending and run.sent >= run.to_add + run.to_remove:
        return gettext("Awaiting D&B"), "info"
    word, tone = TONES[SyncState(run.state)]
    return str(word), tone


def run_page(run: SyncRun) -> dict[str, Any]:
    total = run.to_add + run.to_remove
    word, tone = tone_of(run)
    unsettled = run.state in progress.OPEN
    return {
        "word": word,
        "tone": tone,
        "lead": lead_of(run),
        "total": total,
        "is_open": unsettled,
        "accepted_width": _share(run.accepted, total),
        "refused_width": _share(run.refused, total),
        "pending_width": _share(run.pending, total),
        "waiting": max(0, total - run.sent) if unsettled else 0,
        "left": max(0, total - run.sent),
        "refusals": with_words(_newest_refusals(run)) if run.refused else [],
        "minutes": int(in_doubt_after(run.registration).total_seconds() // 60),
    }


def _share(number: int, total: int) -> str:
    return f"{min(100, 100 * number / total):.2f}" if total else "0"


def lead_of(run: SyncRun) -> str:
    """One sentence on what happens now."""
    left = max(0, run.to_add + run.to_remove - run.sent)
    if run.state == SyncState.FAILED:
        return gettext("The sync resumes automatically where it stopped. No change is sent twice.")
    if run.state == SyncState.PAUSED:
        return gettext("Paused by a user. %(left)s changes are not sent yet. Resume the sync to send them.") % {
            "left": counted(left)
        }
    if run.state == SyncState.CANCELLED:
        return gettext(
            "Cancelled by a user. %(left)s changes were not sent. Start a sync on the differences page to send them."
        ) % {"left": counted(left)}
    if run.state == SyncState.ENDED:
        return gettext("Done: %(accepted)s accepted, %(refused)s refused.") % {
            "accepted": counted(run.accepted),
            "refused": counted(run.refused),
        }
    if left:
        return gettext("%(sent)s of %(all)s sent. You may leave this page.") % {
            "sent": counted(run.sent),
            "all": counted(run.sent + left),
        }
    return gettext("All changes are sent. D&B has not confirmed %(pending)s yet. You may leave this page.") % {
        "pending": counted(run.pending)
    }


def _newest_refusals(run: SyncRun) -> QuerySet[Subject]:
    rows = of(run.registration).filter(state=SubjectState.REFUSED, checked_at__gte=run.started_at)
    return rows.order_by("pk")


def with_words(rows: QuerySet[Subject]) -> list[Any]:
    """The first of them, each with its company and what to do; joins are slow on some engines."""
    return _with_names(list(rows[:SHOWN]))


def _with_names(found: list[Any]) -> list[Any]:
    companies = Company.objects.in_bulk([row.company_id for row in found])
    for row in found:
        row.name = companies[row.company_id].name if row.company_id in companies else ""
        row.meaning, row.advice = explain(row)
    return found


def drift_page(registration: Registration) -> dict[str, Any]:
    run = progress.latest_run(registration)
    counts = counts_of(registration, progress.what_it_left(run))
    found = reconcile.drift_in(counts)
    sides = _sides(registration, found)
    cost, is_exact = _cost_of_sending_again(registration, found, sides["missing"])
    shown = {side: rows[:SHOWN] for side, rows in sides.items()}
    _with_names([row for rows in shown.values() for row in rows])
    return {
        "registration": registration,
        "counts": counts,
        "found": found,
        "run": run,
        **shown,
        "cost_again": cost,
        "up_to": "" if is_exact else gettext("up to "),
        "shown": SHOWN,
    }


def _sides(registration: Registration, found: reconcile.Drift) -> dict[str, list[Any]]:
    """The rows of each side, up to `COSTED`; a side without any asks nothing."""
    sides: dict[str, list[Any]] = {}
    for side, rows in SIDES.items():
        limit = COSTED if side == "missing" else SHOWN
        sides[side] = list(rows(registration).order_by("pk")[:limit]) if getattr(found, side) else []
    return sides


def _cost_of_sending_again(registration: Registration, found: reconcile.Drift, rows: list[Subject]) -> tuple[int, bool]:
    """How many would be billed anew, and whether that is exact. Of very many: up to all of them."""
    if not rows:
        return 0, True
    if found.missing > COSTED:
        return found.missing, False
    fields = ("adopted", "adopted_as_empty", "list_received_at")
    every = list(Registration.objects.filter(contract=registration.contract).only(*fields))
    others = [row.pk for row in every if row.pk != registration.pk]
    is_exact = all(row.adopted and row.is_list_complete for row in every)
    return reconcile.costs_of_sending_again(registration, rows, others), is_exact


SIDES = {"missing": reconcile.missing, "refused": reconcile.refused, "extra": reconcile.extra}


def all_of(registration: Registration, side: str) -> list[str]:
    """The numbers of all companies on one side of the drift page."""
    rows = SIDES[side](registration) if side in SIDES else Subject.objects.none()
    return list(rows.order_by("pk").values_list("company_id", flat=True))


def adopt_page(registration: Registration) -> dict[str, Any]:
    there = of(registration).filter(state=SubjectState.MONITORED)
    known = there.count()
    is_unpulled = registration.last_pulled_at is None
    return {
        "registration": registration,
        "known": known,
        "can_adopt": bool(known or registration.list_received_at),
        "awaits_first_pull": is_unpulled and registration.state == RegistrationState.ACTIVE,
        # Nothing shows yet whether D&B monitors companies in it.
        "awaits_activation": is_unpulled and registration.state == RegistrationState.PAUSED,
        "withdrawn": there.filter(requested=False).count(),
        "wanted_only": of(registration).filter(requested=True).exclude(state=SubjectState.MONITORED).count(),
        "checks": [
            _with_progress(row) for row in MembershipCheck.objects.filter(registration=registration).order_by("-id")[:3]
        ],
    }


def _with_progress(row: Any) -> Any:
    row.width = _share(row.position, row.total)
    row.words = gettext("%(position)s of %(numbers)s checked, %(present)s at D&B") % {
        "position": counted(row.position),
        "numbers": plurals.numbers(row.total),
        "present": counted(row.present),
    }
    return row


def suppress_page(registration: Registration) -> dict[str, Any]:
    return {"registration": registration, "suppressed": suppress.is_suppressed(registration)}
