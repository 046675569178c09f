"""What the pages of a registration's list show: numbers, sentences, and the companies in question."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from portfolio import reconciling, suppressing, sync_runs
from portfolio.adopting import is_number_known
from portfolio.explaining import explain
from portfolio.models import Company, ListCheck, Registration, Subject, SubjectState, SyncRun, SyncState
from portfolio.sending import why_not_to_send
from portfolio.todo import Verb, doubt_after, of, unsent
from portfolio.wording import plural

SHOWN = 50
TONES = {
    SyncState.RUNNING: ("Running", "info"),
    SyncState.PAUSED: ("Paused", "warn"),
    SyncState.CANCELLED: ("Cancelled", "calm"),
    SyncState.ENDED: ("Done", "good"),
    SyncState.FAILED: ("Stands still", "bad"),
}


def tone_of(run: SyncRun) -> tuple[str, str]:
    if run.state == SyncState.RUNNING and run.pending and run.sent >= run.to_add + run.to_remove:
        return "Waits for D&B", "info"
    return TONES[SyncState(run.state)]


def run_page(run: SyncRun) -> dict[str, Any]:
    total = run.to_add + run.to_remove
    word, tone = tone_of(run)
    unsettled = run.state in sync_runs.OPEN
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
        "minutes": int(doubt_after(run.registration).total_seconds() // 60),
    }


def _share(number: int, total: int) -> str:
    return f"{min(100, 100 * number / total):.2f}" if total else "0"


def lead_of(run: SyncRun) -> str:
    """One sentence on what happens now."""
    left = max(0, run.to_add + run.to_remove - run.sent)
    if run.state == SyncState.FAILED:
        return "It goes on by itself where it stopped; nothing is sent twice."
    if run.state == SyncState.PAUSED:
        return f"Somebody has paused it. {left:,} are not sent yet."
    if run.state == SyncState.CANCELLED:
        return f"Somebody has cancelled it. {left:,} were not sent and stay unsent until somebody starts a sync."
    if run.state == SyncState.ENDED:
        return f"Done: {run.accepted:,} accepted, {run.refused:,} refused."
    if left:
        return f"{run.sent:,} of {run.sent + left:,} sent."
    return f"All is sent. D&B has not said yet what became of {run.pending:,}."


def _newest_refusals(run: SyncRun) -> QuerySet[Subject]:
    rows = of(run.registration).filter(state=SubjectState.REFUSED, checked_at__gte=run.started_at)
    return rows.order_by("pk")


def with_words(rows: QuerySet[Subject]) -> list[Any]:
    """The first of them, each with its company and what to do; joins are slow on some engines."""
    found: list[Any] = list(rows[:SHOWN])
    companies = Company.objects.in_bulk([row.company_id for row in found])
    for row in found:
        row.name = companies[row.company_id].name if row.company_id in companies else ""
        row.meaning, row.advice = explain(row)
    return found


def drift_page(registration: Registration) -> dict[str, Any]:
    found = reconciling.drift(registration)
    again = reconciling.costs_of_sending_again(registration) if found.missing else 0
    return {
        "registration": registration,
        "found": found,
        "reason": why_not_to_send(registration),
        "run": sync_runs.open_run(registration) or sync_runs.latest_run(registration),
        "to_add": unsent(registration, Verb.ADD).count(),
        "to_remove": unsent(registration, Verb.REMOVE).count(),
        "wanted": of(registration).filter(wanted=True).count(),
        "there": of(registration).filter(state=SubjectState.MONITORED).count(),
        "missing": with_words(reconciling.missing(registration).order_by("pk")),
        "refused": with_words(reconciling.refused(registration).order_by("pk")),
        "extra": with_words(reconciling.extra(registration).order_by("pk")),
        "cost_again": again,
        "up_to": "" if is_number_known(registration.contract) else "up to ",
        "shown": SHOWN,
    }


SIDES = {"missing": reconciling.missing, "refused": reconciling.refused, "extra": reconciling.extra}


def all_of(registration: Registration, side: str) -> list[str]:
    """The numbers of all companies on one side of the drift page."""
    rows = SIDES[side](registration) if side in SIDES else Subject.objects.none()
    return list(rows.order_by("pk").values_list("company_id", flat=True))


def adopt_page(registration: Registration) -> dict[str, Any]:
    there = of(registration).filter(state=SubjectState.MONITORED)
    return {
        "registration": registration,
        "known": there.count(),
        "unwanted": there.filter(wanted=False).count(),
        "wanted_only": of(registration).filter(wanted=True).exclude(state=SubjectState.MONITORED).count(),
        "checks": [_with_progress(row) for row in _checks(registration)],
    }


def _checks(registration: Registration) -> QuerySet[ListCheck]:
    return ListCheck.objects.filter(registration=registration).order_by("-id")[:3]


def _with_progress(row: Any) -> Any:
    row.width = _share(row.position, row.total)
    row.words = f"{row.position:,} of {plural(row.total, 'number')} asked about, {row.present:,} at D&B"
    return row


def suppress_page(registration: Registration) -> dict[str, Any]:
    return {"registration": registration, "suppressed": suppressing.is_suppressed(registration)}
