"""What an import's page says: where it stands, what the numbers mean, what is to do next."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import timedelta
from itertools import islice
from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext

from core import plurals
from core.actors import Actor, actor_of
from core.text import counted
from core.visibility import is_restricted
from portfolio.billing.approval_limits import Act, reasons_for_second
from portfolio.billing.contract_year import day_text
from portfolio.company_search.overview import overview_of
from portfolio.imports.admin.actions import SEARCH
from portfolio.imports.apply import undone_removals
from portfolio.imports.confirm import is_undecided, left_out_text
from portfolio.imports.outcomes import label_of, shown_rows, totals_of
from portfolio.imports.resume import is_in_work
from portfolio.imports.states import counts_of, sheets_of
from portfolio.imports.validate import ValidatedRow, validated_rows
from portfolio.models import ImportMode, ImportState, SubjectImport, Validation
from portfolio.registrations.adopt import is_number_known
from portfolio.sync.diff import Verb, unsent

ROWS_A_PAGE = 50
WAITS_LONG_AFTER = timedelta(seconds=20)
TONES = {
    ImportState.UPLOADED: "info",
    ImportState.READING: "info",
    ImportState.READ: "warn",
    ImportState.AWAITING_APPROVAL: "warn",
    ImportState.CONFIRMED: "info",
    ImportState.APPLIED: "good",
    ImportState.AWAITING_UNDO: "warn",
    ImportState.UNDOING: "info",
    ImportState.UNDONE: "calm",
    ImportState.CANCELLED: "calm",
    ImportState.FAILED: "bad",
}
VALIDATION_TONES = {
    Validation.NEW: "good",
    Validation.REFORMATTED: "info",
    Validation.REQUESTED: "calm",
    Validation.DUPLICATE: "calm",
    Validation.DECISION: "warn",
    Validation.NO_NUMBER: "warn",
    Validation.INVALID: "bad",
    Validation.REMOVE: "high",
    Validation.NOT_MONITORED: "calm",
}


def page_of(request: HttpRequest, row: SubjectImport) -> dict[str, Any]:
    """All that the template shows."""
    counts = counts_of(row)
    shown = request.GET.get("validation", "")
    page = _whole_number(request.GET.get("page", ""))
    searches = not is_restricted(request.user)
    found, searched = _some_rows(row, shown, page), overview_of(row) if searches else None
    return {
        "tone": TONES[ImportState(row.state)],
        "lead": lead_of(row),
        "is_in_work": is_in_work(row) or bool(searched and searched.in_work),
        "found": searched,
        "may_search": request.user.has_perm(SEARCH),
        "waits_long": waits_long(row),
        "progress": progress_of(row),
        "sheets": sheets_of(row),
        "tiles": list(tiles_of(row, counts, shown)),
        "rows": shown_rows(row, found[:ROWS_A_PAGE], VALIDATION_TONES),
        "totals": totals_of(row),
        "shown": shown,
        "page": page,
        "has_more": len(found) > ROWS_A_PAGE,
        **_what_to_do(request, row, counts),
    }


def _what_to_do(request: HttpRequest, row: SubjectImport, counts: dict[str, int]) -> dict[str, Any]:
    may_confirm = request.user.has_perm("portfolio.confirm_import")
    is_read = row.state == ImportState.READ
    undecided = is_read and is_undecided(row)
    changes = is_read and not undecided and _changes_something(row, counts)
    may_grow = bool(counts.get(Validation.NO_NUMBER)) and not is_restricted(request.user)
    return {
        "undecided": counts.get(Validation.DECISION, 0) if undecided else 0,
        "examples": list(islice(validated_rows(row, Validation.DECISION), 3)) if undecided else [],
        "to_confirm": confirmation_of(row, counts, actor_of(request)) if changes else None,
        "nothing_to_do": is_read and not undecided and not changes and not may_grow,
        "may_upload": request.user.has_perm("portfolio.add_subjectimport"),
        "may_confirm": may_confirm,
        "may_approve": request.user.has_perm("portfolio.approve_import"),
        "is_first_person": first_person_of(row) == actor_of(request).id,
        "may_undo": may_confirm and row.state == ImportState.APPLIED and row.mode != ImportMode.REMOVE,
        "needs_second": why_it_waits(row),
        "undone_removals": undone_removals(row) if row.state == ImportState.AWAITING_UNDO else 0,
    }


def first_person_of(row: SubjectImport) -> uuid.UUID | None:
    """Who may not be the second one, by id."""
    return row.undo_requester_id if row.state == ImportState.AWAITING_UNDO else row.confirmer_id


def _changes_something(row: SubjectImport, counts: dict[str, int]) -> bool:
    return bool(row.removals or counts.get(Validation.NEW) or counts.get(Validation.REFORMATTED))


def confirmation_of(row: SubjectImport, counts: dict[str, int], by: Actor) -> dict[str, Any]:
    """The numbers that a person confirms."""
    adds = counts.get(Validation.NEW, 0) + counts.get(Validation.REFORMATTED, 0)
    return {
        "adds": adds,
        "new": row.new_billable or 0,
        "billed_already": adds - (row.new_billable or 0),
        "removes": row.removals or 0,
        "asks_for_new": row.mode != ImportMode.REMOVE,
        "asks_for_removals": row.mode != ImportMode.ADD,
        "up_to": "" if is_number_known(row.registration.contract) else gettext("up to "),
        "unreadable": _unreadable(counts) if row.mode == ImportMode.EQUAL else 0,
        "left_out": left_out_text(row),
        "needs_second": needs_second(row, by),
    }


def _unreadable(counts: dict[str, int]) -> int:
    return counts.get(Validation.INVALID, 0) + counts.get(Validation.NO_NUMBER, 0)


def needs_second(row: SubjectImport, by: Actor) -> str:
    """Why this person may not do it alone; nothing where the person may."""
    reasons = reasons_for_second(Act(by, row.registration, row.new_billable or 0, row.removals or 0))
    return gettext(" and ").join(reasons)


def why_it_waits(row: SubjectImport) -> str:
    if row.state != ImportState.AWAITING_APPROVAL or row.confirmer_id is None:
        return ""
    return needs_second(row, Actor(row.confirmed_by, row.confirmer_id))


def lead_of(row: SubjectImport) -> str:
    """Where it stands, in a sentence."""
    told = {
        ImportState.UPLOADED: gettext("The file is uploaded. Checking starts in a moment. You may leave this page."),
        ImportState.READING: gettext("Every row is being checked. You may leave this page."),
        ImportState.READ: gettext("All rows are checked. Nothing is added or billed until someone confirms."),
        ImportState.AWAITING_APPROVAL: gettext("%(confirmed_by)s confirmed this import. Another user must approve it.")
        % {"confirmed_by": row.confirmed_by},
        ImportState.CONFIRMED: gettext("Confirmed. The import is being applied. You may leave this page."),
        ImportState.APPLIED: _after_applying(row),
        ImportState.AWAITING_UNDO: gettext(
            "%(person)s asked to undo this import. Another user must approve that. Nothing changes until then."
        )
        % {"person": row.undo_requested_by},
        ImportState.UNDOING: gettext("The import is being undone. You may leave this page."),
        ImportState.UNDONE: row.note,
        ImportState.CANCELLED: gettext("Cancelled. Nothing was changed."),
    }
    return told.get(ImportState(row.state), "")


def _after_applying(row: SubjectImport) -> str:
    if row.remove_on:
        return gettext("Done. The companies will be removed on %(day)s.") % {"day": day_text(row.remove_on)}
    if row.registration.adopted:
        return (
            gettext("Done. The next sync sends the changes to D&B.")
            if _is_unsent(row)
            else gettext("Done. The changes were sent to D&B.")
        )
    return gettext(
        "The companies are requested but not monitored yet. Adopt D&B's list for this registration: after that, the "
        "next sync sends them to D&B."
    )


def _is_unsent(row: SubjectImport) -> bool:
    adds = unsent(row.registration, Verb.ADD).filter(requested_import=row.pk)
    if row.mode != ImportMode.REMOVE and adds.exists():
        return True
    # Who withdrew a company is not noted by import: any removal that is not sent may be one of these.
    return row.mode != ImportMode.ADD and unsent(row.registration, Verb.REMOVE).exists()


def waits_long(row: SubjectImport) -> bool:
    return is_in_work(row) and (row.moved_at is None or row.moved_at < timezone.now() - WAITS_LONG_AFTER)


def progress_of(row: SubjectImport) -> dict[str, Any] | None:
    """Percent and words of the bar, while there is work under way."""
    if not is_in_work(row):
        return None
    total = max(row.total or 0, row.position)
    percent = 100 * row.position / total if total else 0
    words = {
        ImportState.READING: gettext("%(position)s of about %(total)s rows checked"),
        ImportState.CONFIRMED: gettext("%(position)s of about %(total)s rows applied"),
    }.get(ImportState(row.state))
    if not words or not total:
        return {"percent": f"{percent:.1f}", "words": gettext("Starts in a moment …")}
    told = {"position": counted(row.position), "total": counted(total)}
    return {"percent": f"{percent:.1f}", "words": words % told}


def tiles_of(row: SubjectImport, counts: dict[str, int], shown: str) -> Iterable[dict[str, Any]]:
    yield {
        "count": sum(counts.values()),
        "label": gettext("All rows"),
        "validation": "",
        "tone": "info",
        "is_on": not shown,
    }
    for validation in Validation:
        if counts.get(validation):
            tone, is_on = VALIDATION_TONES[validation], shown == validation
            label, count = label_of(row, validation), counts[validation]
            yield {"count": count, "label": label, "validation": validation.value, "tone": tone, "is_on": is_on}


def _some_rows(row: SubjectImport, validation: str, page: int) -> list[ValidatedRow]:
    """One more than a page, where there are more."""
    if validation and validation not in Validation.values:
        return []
    start = page * ROWS_A_PAGE
    return list(islice(validated_rows(row, validation or None), start, start + ROWS_A_PAGE + 1))


def _whole_number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else 0


def summary_of(row: SubjectImport) -> str:
    """For the list: what it does, in a few words."""
    if row.state == ImportState.FAILED:
        return row.error
    adds = plurals.new_companies(row.new_billable) if row.new_billable else ""
    removes = plurals.removals(row.removals) if row.removals else ""
    return ", ".join(filter(None, [adds, removes])) or ("–" if row.new_billable is None else gettext("No changes"))
