"""What an import's page says: where it stands, what the numbers mean, what is to do next."""

from __future__ import annotations

import uuid
from itertools import islice
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext

from core import plurals
from core.actors import Actor, actor_of
from core.cached_counts import recent_count
from core.text import counted, moment_text
from portfolio.billing.approval_limits import Act, reasons_for_second
from portfolio.billing.contract_year import day_text
from portfolio.company_search.bulk import may_search_rows
from portfolio.company_search.overview import overview_of
from portfolio.imports.admin.actions import SEARCH
from portfolio.imports.admin.uploads import ROWS_A_PAGE, TONES, page_number, progress_of, rows_on, tiles_of, waits_long
from portfolio.imports.apply import undone_removals
from portfolio.imports.confirm import Plan, current_plan, is_undecided, left_out_text
from portfolio.imports.outcomes import label_of, shown_rows, totals_of, with_known_names
from portfolio.imports.resume import is_in_work
from portfolio.imports.states import counts_of, sheets_of, state_text
from portfolio.imports.validate import UNUSABLE, validated_rows
from portfolio.models import Contract, ImportMode, ImportState, SubjectImport, Validation
from portfolio.registrations.adopt import is_number_known
from portfolio.subjects.counts import counts_of as counts_of_subjects
from portfolio.sync.diff import Verb, unsent

VALIDATION_TONES = {
    Validation.NEW: "good",
    Validation.REFORMATTED: "info",
    Validation.REQUESTED: "calm",
    Validation.DUPLICATE: "calm",
    Validation.DECISION: "warn",
    Validation.NO_NUMBER: "warn",
    Validation.NO_NAME: "bad",
    Validation.UNKNOWN_COUNTRY: "bad",
    Validation.INVALID: "bad",
    Validation.REMOVE: "high",
    Validation.NOT_MONITORED: "calm",
}


def page_of(request: HttpRequest, row: SubjectImport) -> dict[str, Any]:
    """All that the template shows."""
    counts = counts_of(row)
    shown = request.GET.get("validation", "")
    page = page_number(request.GET.get("page", ""))
    found = rows_on(page, validated_rows(row, shown or None)) if shown in ("", *Validation.values) else []
    searches = may_search_rows(request.user)
    searched = overview_of(row) if searches else None
    return {
        "tone": "warn" if is_applied_unsent(row) else TONES[ImportState(row.state)],
        "state": state_text(row),
        "lead": lead_of(row),
        "is_in_work": is_in_work(row) or bool(searched and searched.in_work),
        "found": searched,
        "may_search": request.user.has_perm(SEARCH),
        "waits_long": waits_long(row),
        "progress": progress_of(row),
        "sheets": sheets_of(row),
        "tiles": list(tiles_of(counts, _labels_of(row), VALIDATION_TONES, shown)),
        "is_request": row.source == "api",
        "has_references": any(one.customer_reference for one in found[:ROWS_A_PAGE]),
        "rows": shown_rows(row, with_known_names(found[:ROWS_A_PAGE], request.user), VALIDATION_TONES),
        "totals": totals_of(row),
        "shown": shown,
        "page": page,
        "has_more": len(found) > ROWS_A_PAGE,
        **_what_to_do(request, row, counts),
    }


def _labels_of(row: SubjectImport) -> list[tuple[str, str]]:
    return [(validation.value, label_of(row, validation)) for validation in Validation]


def _what_to_do(request: HttpRequest, row: SubjectImport, counts: dict[str, int]) -> dict[str, Any]:
    may_confirm = request.user.has_perm("portfolio.confirm_import")
    is_read = row.state == ImportState.READ
    undecided = is_read and is_undecided(row)
    plan = current_plan(row) if is_read else None
    changes = is_read and not undecided and _changes_something(row, counts, plan)
    may_grow = bool(counts.get(Validation.NO_NUMBER)) and may_search_rows(request.user)
    return {
        "undecided": counts.get(Validation.DECISION, 0) if undecided else 0,
        "examples": list(islice(validated_rows(row, Validation.DECISION), 3)) if undecided else [],
        "to_confirm": confirmation_of(row, counts, actor_of(request), plan) if changes else None,
        "requested_since": _requested_since(counts, plan),
        "nothing_to_do": is_read and not undecided and not changes and not may_grow,
        "may_upload": request.user.has_perm("portfolio.add_subjectimport"),
        "may_confirm": may_confirm,
        "may_approve": request.user.has_perm("portfolio.approve_import"),
        "is_first_person": first_person_of(row) == actor_of(request).id,
        "may_undo": may_confirm and row.state == ImportState.APPLIED and row.mode != ImportMode.REMOVE,
        "needs_second": why_it_waits(row),
        "differs": _differs(row),
        "undone_removals": undone_removals(row) if row.state == ImportState.AWAITING_UNDO else 0,
    }


def first_person_of(row: SubjectImport) -> uuid.UUID | None:
    """Who may not be the second one, by id."""
    return row.undo_requester_id if row.state == ImportState.AWAITING_UNDO else row.confirmer_id


def _changes_something(row: SubjectImport, counts: dict[str, int], plan: Plan | None) -> bool:
    if plan:
        return bool(plan.lists.add or plan.remove)
    return bool(row.removals or _checked_as_new(counts))


def _checked_as_new(counts: dict[str, int]) -> int:
    return counts.get(Validation.NEW, 0) + counts.get(Validation.REFORMATTED, 0)


def _used(contract: Contract) -> str:
    """Companies billed in the present contract year, as they were counted last."""
    billed = {one["name"]: one["year"].get("billed", 0) for one in recent_count("held").get("contracts", ())}
    if contract.pk not in billed:
        return ""
    used = counted(billed[contract.pk])
    if contract.contracted_number:
        used = gettext("%(used)s of %(contracted)s") % {"used": used, "contracted": counted(contract.contracted_number)}
    return used if is_number_known(contract) else gettext("at least %(used)s") % {"used": used}


def _differs(row: SubjectImport) -> bool:
    """Whether D&B's list differs from what is requested, after an import."""
    if row.state != ImportState.APPLIED or not row.registration.adopted:
        return False
    counts = counts_of_subjects(row.registration)
    return bool(counts.missing or counts.refused or counts.extra)


def _requested_since(counts: dict[str, int], plan: Plan | None) -> int:
    """Of the rows that were new when they were checked."""
    return max(0, _checked_as_new(counts) - len(plan.lists.add)) if plan else 0


def confirmation_of(row: SubjectImport, counts: dict[str, int], by: Actor, plan: Plan | None) -> dict[str, Any]:
    """The numbers that a person confirms."""
    adds = len(plan.lists.add) if plan else _checked_as_new(counts)
    return {
        "counted_at": moment_text(row.moved_at) if row.moved_at and not plan else "",
        "adds": adds,
        "new": row.new_billable or 0,
        "billed_already": adds - (row.new_billable or 0),
        "removes": row.removals or 0,
        "asks_for_new": row.mode != ImportMode.REMOVE,
        "asks_for_removals": row.mode != ImportMode.ADD,
        "used": _used(row.registration.contract),
        "up_to": "" if is_number_known(row.registration.contract) else gettext("up to "),
        "unreadable": _unreadable(counts) if row.mode == ImportMode.EQUAL else 0,
        "left_out": left_out_text(row),
        "needs_second": needs_second(row, by),
    }


def _unreadable(counts: dict[str, int]) -> int:
    return sum(counts.get(one, 0) for one in (*UNUSABLE, Validation.NO_NUMBER))


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
        ImportState.AWAITING_APPROVAL: gettext(
            "%(confirmed_by)s confirmed this import. No changes will be made until another user approves it."
        )
        % {"confirmed_by": row.confirmed_by},
        ImportState.CONFIRMED: gettext("Confirmed. The import is being applied. You may leave this page."),
        ImportState.APPLIED: _after_applying(row),
        ImportState.AWAITING_UNDO: gettext(
            "%(person)s asked to undo this import. Another user must approve the undo. No changes will be "
            "made until then."
        )
        % {"person": row.undo_requested_by},
        ImportState.UNDOING: gettext("The import is being undone. You may leave this page."),
        ImportState.UNDONE: row.note,
        ImportState.CANCELLED: gettext("Cancelled. No changes were made."),
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
        "The companies are requested but not monitored yet. Adopt D&B's list for this registration. The next "
        "sync after that sends the companies to D&B."
    )


def is_applied_unsent(row: SubjectImport) -> bool:
    """Applied, but in a registration that sends nothing until D&B's list is adopted."""
    return row.state == ImportState.APPLIED and not row.registration.adopted and not row.remove_on


def _is_unsent(row: SubjectImport) -> bool:
    adds = unsent(row.registration, Verb.ADD).filter(requested_import=row.pk)
    if row.mode != ImportMode.REMOVE and adds.exists():
        return True
    # Who withdrew a company is not noted by import: any removal that is not sent may be one of these.
    return row.mode != ImportMode.ADD and unsent(row.registration, Verb.REMOVE).exists()


def summary_of(row: SubjectImport) -> str:
    """For the list: what it does, in a few words."""
    if row.state == ImportState.FAILED:
        return row.error
    adds = plurals.new_companies(row.new_billable) if row.new_billable else ""
    removes = plurals.removals(row.removals) if row.removals else ""
    return ", ".join(filter(None, [adds, removes])) or ("–" if row.new_billable is None else gettext("No changes"))
