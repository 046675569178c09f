"""What the API does with a list of companies to monitor: a validation for each, and a dry run that changes nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from core.actors import Actor
from core.api.examples import who
from core.db import clean_text
from core.text import counted, plural
from direct_plus.duns import InvalidDuns, normalise_duns
from portfolio.billing.api_budget import Purse, purse_of, request_within
from portfolio.billing.new_billable import new_billable
from portfolio.imports.api import ImportSerializer, handed_in
from portfolio.models import ImportMode, Registration, SubjectImport
from portfolio.registrations.adopt import not_adopted
from portfolio.subjects.entry_file import FIELDS, as_file
from portfolio.subjects.requests import SubjectEntry, requested_among

ADDED, ALREADY, DUPLICATE, INVALID, AWAITING = "added", "already_requested", "duplicate", "invalid", "awaiting"
# Of the registrations whose lists are not adopted, in a reason.
NAMED = 5


@dataclass(slots=True)
class SubjectRow:
    """One entry of a list, and what is thought of it."""

    asked: str
    entry: SubjectEntry | None
    validation: str = ""
    reason: str = ""

    def answer(self) -> dict[str, Any]:
        duns = self.entry.duns if self.entry else None
        return {"input": self.asked, "duns": duns, "validation": self.validation, "reason": self.reason}


def validated(given: Sequence[dict[str, str]]) -> list[SubjectRow]:
    """Each entry as a `SubjectEntry`; what is none, or was there before, has its validation already."""
    seen: set[str] = set()
    rows = []
    for one in given:
        row = _read(one)
        if row.entry and row.entry.duns in seen:
            row.validation = DUPLICATE
        if row.entry:
            seen.add(row.entry.duns)
        rows.append(row)
    return rows


def _read(one: dict[str, str]) -> SubjectRow:
    asked = one["duns"]
    try:
        duns = normalise_duns(asked)
    except InvalidDuns as flaw:
        return SubjectRow(asked, None, INVALID, clean_text(flaw.reason, 200))
    return SubjectRow(asked, SubjectEntry(duns, **{name: one.get(name, "") for name in FIELDS}))


@dataclass(frozen=True, slots=True)
class Outcome:
    """Of a list: what it adds, what was requested before, and whether a user has to confirm it."""

    new: set[str]
    added: set[str]
    known: set[str]
    awaits: bool
    waiting: SubjectImport | None = None


def request_companies(
    registration: Registration, given: Sequence[dict[str, str]], request: Request, *, dry_run: bool
) -> Response:
    rows = validated(given)
    purse = purse_of(request.auth, registration.contract)
    valid = [row for row in rows if row.entry and not row.validation]
    act = _preview if dry_run else _request
    outcome = act(registration, purse, valid, who(request))
    incomplete = not_adopted(registration.contract) if outcome.new else []
    reason = _why_it_awaits(outcome, purse, incomplete) if outcome.awaits else ""
    for row in valid:
        row.validation = _validation(row, outcome)
        row.reason = reason if row.validation == AWAITING else ""
    billable = {"new_billable": len(outcome.new), "new_billable_is_maximum": bool(incomplete)}
    return _response(rows, outcome, {"dry_run": dry_run, **billable}, purse)


def _request(registration: Registration, purse: Purse | None, rows: list[SubjectRow], by: Actor) -> Outcome:
    entries = [row.entry for row in rows if row.entry]
    requested, new = request_within(purse, registration=registration, entries=entries, requested_by=by)
    if requested:
        return Outcome(new, set(requested.newly), set(), awaits=False)
    known = requested_among(registration, [entry.duns for entry in entries])
    written = {row.entry.duns: row.asked for row in rows if row.entry}
    waiting = handed_in(registration, as_file(entries, written), ImportMode.ADD, by)
    return Outcome(new, set(), known, awaits=True, waiting=waiting)


def _preview(registration: Registration, purse: Purse | None, rows: list[SubjectRow], by: Actor) -> Outcome:
    """What `_request` would do now."""
    duns = [row.entry.duns for row in rows if row.entry]
    new, known = new_billable(registration.contract, duns), requested_among(registration, duns)
    fits = not new or (purse is not None and purse.has_room(sorted(new)))
    return Outcome(new, set(duns) - known if fits else set(), known, awaits=not fits)


def _why_it_awaits(outcome: Outcome, purse: Purse | None, incomplete: Sequence[str]) -> str:
    """The same for all entries: a list is requested as a whole."""
    new = plural(len(outcome.new), "new billable company", "new billable companies")
    if purse is None:
        cause = f"A user must confirm: the list adds {new}."
    else:
        left = f"{counted(purse.left())} left in the budget of this key"
        cause = f"A user must confirm: the list adds {new}, more than the {left}."
    if not incomplete:
        return cause
    more = f" and {len(incomplete) - NAMED} more" if len(incomplete) > NAMED else ""
    names = f"{', '.join(incomplete[:NAMED])}{more}"
    return f"{cause} This number is a maximum because D&B's list is not adopted for {names}."


def _validation(row: SubjectRow, outcome: Outcome) -> str:
    duns = row.entry.duns if row.entry else ""
    if outcome.awaits:
        return ALREADY if duns in outcome.known else AWAITING
    return ADDED if duns in outcome.added else ALREADY


def _response(rows: list[SubjectRow], outcome: Outcome, numbers: dict[str, Any], purse: Purse | None) -> Response:
    limit, used = (purse.budget, purse.used()) if purse else (0, 0)
    answer = {
        "results": [row.answer() for row in rows],
        "counts": dict(Counter(row.validation for row in rows)),
        "added": len(outcome.added),
        **numbers,
        "budget": {"limit": limit, "used": used, "left": max(0, limit - used)},
        "waiting": ImportSerializer(outcome.waiting).data if outcome.waiting else None,
    }
    return Response(answer, status=202 if outcome.waiting else 200)
