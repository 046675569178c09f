"""How a registration's numbers stand, counted in two questions: by the index, and where times and codes decide."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Q

from portfolio.models import Registration, SubjectState
from portfolio.sync.apply_response import PENDING
from portfolio.sync.diff import is_in_doubt, is_removal, of, requested_again


@dataclass(frozen=True, slots=True)
class SubjectCounts:
    requested: int
    there: int
    pending: int
    in_doubt: int
    missing: int  # requested, and D&B has dropped it or never had it
    refused: int
    extra: int  # at D&B, and nobody requests it
    to_add: int
    to_remove: int
    going_out: int  # of these two, what goes out by itself


def counts_of(registration: Registration, said_after: datetime | None = None) -> SubjectCounts:
    """`said_after`: what was said before it goes out only when a person says so."""
    by_state = {
        (requested, state): number
        for requested, state, number in of(registration)
        .order_by()
        .values_list("requested", "state")
        .annotate(number=Count("pk"))
    }
    fine = _fine_counts(registration, said_after)

    def number(requested: bool, *states: str) -> int:
        return sum(by_state.get((requested, state), 0) for state in states)

    to_add = number(True, SubjectState.UNKNOWN) + fine["again"]
    to_remove = fine["removals"]
    return SubjectCounts(
        requested=number(True, *SubjectState.values),
        there=number(True, SubjectState.MONITORED) + number(False, SubjectState.MONITORED),
        pending=number(True, *PENDING) + number(False, *PENDING),
        in_doubt=fine["in_doubt"],
        missing=number(True, SubjectState.REMOVED) - fine["again"],
        refused=number(True, SubjectState.REFUSED),
        extra=number(False, SubjectState.MONITORED) - to_remove,
        to_add=to_add,
        to_remove=to_remove,
        going_out=fine["late"] if said_after else to_add + to_remove,
    )


def _fine_counts(registration: Registration, said_after: datetime | None) -> dict[str, int]:
    """Only of rows whose state leaves something open: of a list that agrees with D&B they are few."""
    wished = Q(requested=True, state__in=(SubjectState.UNKNOWN, SubjectState.REMOVED))
    undecided = wished | Q(requested=False, state=SubjectState.MONITORED) | Q(state__in=PENDING)
    asked = {
        "again": requested_again(),
        "removals": is_removal(),
        "in_doubt": is_in_doubt(registration),
    }
    if said_after:
        unsent = Q(requested=True, state=SubjectState.UNKNOWN) | requested_again() | is_removal()
        asked["late"] = unsent & Q(requested_at__gt=said_after)
    return of(registration).filter(undecided).aggregate(**{name: Count("pk", filter=q) for name, q in asked.items()})
