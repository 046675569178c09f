"""How far the rows of an import without a number are: what is to be searched, decided on, and added."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.translation import gettext, ngettext

from core.text import counted
from portfolio.call_budgets.confirmation import PlannedCalls, planned_calls
from portfolio.company_search.bulk import IN_WORK, calls_planned, rows_to_search, states_of
from portfolio.company_search.decide import not_added
from portfolio.imports.states import counts_of
from portfolio.models import CallKind, ImportState, SearchState, SubjectImport, Validation


@dataclass(frozen=True, slots=True)
class Overview:
    states: Mapping[str, int]
    to_search: int
    calls: PlannedCalls | None
    not_added: int

    @property
    def in_work(self) -> int:
        return sum(self.states.get(state, 0) for state in IN_WORK)

    @property
    def undecided(self) -> int:
        return self.states.get(SearchState.FOUND, 0)

    @property
    def title(self) -> str:
        words = ngettext(
            "%(count)s row has a name and a country but no D-U-N-S number",
            "%(count)s rows have a name and a country but no D-U-N-S number",
            self.rows,
        )
        return words % {"count": counted(self.rows)}

    @property
    def rows(self) -> int:
        again = (SearchState.STOPPED, SearchState.FAILED)
        return self.to_search + sum(count for state, count in self.states.items() if state not in again)

    @property
    def percent(self) -> str:
        return f"{100 * (self.rows - self.in_work - self.to_search) / self.rows:.1f}" if self.rows else "0"

    @property
    def progress(self) -> str:
        searched = self.rows - self.in_work - self.to_search
        return gettext("%(searched)s of %(rows)s rows searched") % {
            "searched": counted(searched),
            "rows": counted(self.rows),
        }

    @property
    def lines(self) -> list[tuple[str, str, int]]:
        """State, its label and its number of rows, as a person looks at them."""
        return [(state, str(state.label), self.states[state]) for state in SearchState if self.states.get(state)]


def overview_of(import_: SubjectImport) -> Overview | None:
    """None where none was searched, and every row has its number or none can be searched any more."""
    states, is_open = states_of(import_), import_.state == ImportState.READ
    if not states and not (is_open and counts_of(import_).get(Validation.NO_NUMBER)):
        return None
    rows = rows_to_search(import_, states) if is_open else 0
    planned = calls_planned(import_, states) if rows else 0
    # With nothing left in the budget, what all rows need is shown beside why they cannot be searched.
    calls = planned_calls(import_.registration.contract, {CallKind.MATCH: planned or rows}) if rows else None
    return Overview(states, rows, calls, not_added(import_))
