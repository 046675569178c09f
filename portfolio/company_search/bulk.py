"""Rows of an import without a number: candidates for all of them, once a person has confirmed the calls."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any

from django.db.models import Count
from django.utils import timezone
from django.utils.translation import gettext

from core import plurals
from core.audit import record
from core.db import clean_text, in_batches, insert_new
from core.text import counted
from core.visibility import is_restricted
from portfolio.call_budgets.calls import BudgetUsedUp, calls_left, confirm_calls
from portfolio.imports.found_numbers import searches_of, stop_waiting
from portfolio.imports.states import Refused, counts_of, demand_state
from portfolio.imports.validate import ValidatedRow, validated_rows
from portfolio.models import CallKind, CompanySearch, ImportState, SearchState, SubjectImport, Validation

# Searched again only when a person confirms another call.
AGAIN = (SearchState.STOPPED, SearchState.FAILED)
IN_WORK = (SearchState.WAITING, SearchState.CALLED)


def may_search_rows(actor: Any) -> bool:
    """Calls at D&B are of the whole contract: users and API keys of business units make none from an import."""
    return not is_restricted(actor)


def states_of(import_: SubjectImport) -> dict[str, int]:
    """Number of searches by state."""
    return dict(searches_of(import_).order_by().values_list("state").annotate(count=Count("pk")))


def rows_to_search(import_: SubjectImport, states: Mapping[str, int]) -> int:
    """How many of its rows have no candidates yet, and nobody is looking for any."""
    without = counts_of(import_).get(Validation.NO_NUMBER, 0)
    added = searches_of(import_).filter(state=SearchState.CHOSEN, added_to=import_.pk).count()
    settled = sum(count for state, count in states.items() if state not in AGAIN) - added
    return max(0, without - settled)


def calls_planned(import_: SubjectImport, states: Mapping[str, int]) -> int:
    """Calls that the next confirmation makes: no more than the month's budget has left."""
    return min(rows_to_search(import_, states), calls_left(import_.registration.contract, CallKind.MATCH))


def start_searches(*, import_: SubjectImport, confirmed: Mapping[CallKind, int], requested_by: str) -> int:
    """Have candidates found for its rows, one call for each; returns how many. The worker makes the calls."""
    demand_state(import_, ImportState.READ)
    states = states_of(import_)
    if not (rows := rows_to_search(import_, states)):
        raise Refused(gettext("All rows without a D-U-N-S number were searched already."))
    contract, planned = import_.registration.contract, calls_planned(import_, states)
    if not planned:
        raise BudgetUsedUp(contract, CallKind.MATCH, left=0, needed=rows)
    confirm_calls({CallKind.MATCH: planned}, confirmed)
    started = _start(import_, planned, requested_by)
    _demand_open(import_)
    record(
        actor=requested_by,
        action="search.import",
        thing=import_,
        summary=gettext("%(import)s: candidates requested from D&B, %(calls)s")
        % {"import": import_, "calls": plurals.calls(started)},
        after={"kind": CallKind.MATCH, "calls": started},
    )
    return started


def _demand_open(import_: SubjectImport) -> None:
    """Who cancels it meanwhile stops what waits by then; what was added after that is stopped here."""
    if not SubjectImport.objects.filter(pk=import_.pk, state=ImportState.READ, sheet=import_.sheet).exists():
        stop_waiting(import_, gettext("The import was cancelled, or another sheet was chosen."))
        raise Refused(gettext("The import was cancelled, or another sheet was chosen. No further search is made."))


def _start(import_: SubjectImport, most: int, requested_by: str) -> int:
    """First those that were stopped or have failed; never more than were confirmed."""
    told = {"requested_by": clean_text(requested_by, 200), "requested_at": timezone.now()}
    again = list(searches_of(import_).filter(state__in=AGAIN).order_by("line").values_list("pk", flat=True)[:most])
    started = sum(
        CompanySearch.objects.filter(pk__in=batch, state__in=AGAIN).update(state=SearchState.WAITING, error="", **told)
        for batch in in_batches(again)
    )
    for batch in in_batches(list(islice(_unsearched(import_), most - started))):
        started += len(insert_new(CompanySearch, [_search(import_, row, told) for row in batch]))
    return started


def _unsearched(import_: SubjectImport) -> Iterable[ValidatedRow]:
    known = set(searches_of(import_).values_list("line", flat=True))
    return (row for row in validated_rows(import_, Validation.NO_NUMBER) if row.line not in known)


def _search(import_: SubjectImport, row: ValidatedRow, told: Mapping[str, Any]) -> CompanySearch:
    return CompanySearch(
        id=CompanySearch.key(import_.pk, import_.sheet, row.line),
        contract=import_.registration.contract,
        subject_import=import_,
        sheet=import_.sheet,
        line=row.line,
        name=row.name,
        country=row.country,
        street=row.street,
        city=row.city,
        postal_code=row.postal_code,
        registration_number=row.registration_number,
        telephone=row.telephone,
        **told,
    )


def stop_searches(*, import_: SubjectImport, stopped_by: str) -> int:
    """Make no further call for it; what was found stays. Returns how many rows are left out."""
    words = gettext("Stopped by %(person)s.") % {"person": stopped_by}
    stopped = searches_of(import_).filter(state=SearchState.WAITING).update(state=SearchState.STOPPED, error=words)
    if stopped:
        record(
            actor=stopped_by,
            action="search.stop",
            thing=import_,
            summary=gettext("%(import)s: search stopped, %(rows)s not searched")
            % {"import": import_, "rows": counted(stopped)},
            after={"stopped": stopped},
        )
    return stopped


def waiting_imports() -> list[uuid.UUID]:
    """Imports with rows that wait for their search."""
    rows = CompanySearch.objects.filter(state=SearchState.WAITING).exclude(subject_import=None)
    rows = rows.order_by("requested_at", "id")
    return list(dict.fromkeys(rows.values_list("subject_import", flat=True)[:1000]))[:20]
