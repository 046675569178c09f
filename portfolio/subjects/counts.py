"""How a registration's numbers stand, counted in two questions: by the index, and where times and codes decide."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Q

from portfolio.models import Registration, SubjectState
from portfolio.sync.apply_response import PENDING
from portfolio.sync.diff import asked_again, is_doubtful, is_removal, of


@dataclass(frozen=True, slots=True)
class SubjectCounts:
    wanted: int
    there: int
    pending: int
    doubtful: int
    missing: int  # wanted, and D&B has dropped it or never had it
    refused: int
    extra: int  # at D&B, and nobody wants it
    to_add: int
    to_remove: int
    going_out: int  # of these two, what goes out by itself


def counts_of(registration: Registration, said_after: datetime | None = None) -> SubjectCounts:
    """`said_after`: what was said before it goes out only when a person says so."""
    by_state = {
        (wanted, state): number
        for wanted, state, number in of(registration)
        .order_by()
        .values_list("wanted", "state")
        .annotate(number=Count("pk"))
    }
    fine = _fine_counts(registration, said_after)

    def number(wanted: bool, *states: str) -> int:
        return sum(by_state.get((wanted, state), 0) for state in states)

    to_add = number(True, SubjectState.UNKNOWN) + fine["again"]
    to_remove = fine["removals"]
    return SubjectCounts(
        wanted=number(True, *SubjectState.values),
        there=number(True, SubjectState.MONITORED) + number(False, SubjectState.MONITORED),
        pending=number(True, *PENDING) + number(False, *PENDING),
        doubtful=fine["doubtful"],
        missing=number(True, SubjectState.REMOVED) - fine["again"],
        refused=number(True, SubjectState.REFUSED),
        extra=number(False, SubjectState.MONITORED) - to_remove,
        to_add=to_add,
        to_remove=to_remove,
        going_out=fine["late"] if said_after else to_add + to_remove,
    )


def _fine_counts(registration: Registration, said_after: datetime | None) -> dict[str, int]:
    """Only of rows whose state leaves something open: of a list that agrees with D&B they are few."""
    wished = Q(wanted=True, state__in=(SubjectState.UNKNOWN, SubjectState.REMOVED))
    undecided = wished | Q(wanted=False, state=SubjectState.MONITORED) | Q(state__in=PENDING)
    asked = {
        "again": asked_again(),
        "removals": is_removal(),
        "doubtful": is_doubtful(registration),
    }
    if said_after:
        unsent = Q(wanted=True, state=SubjectState.UNKNOWN) | asked_again() | is_removal()
        asked["late"] = unsent & Q(wanted_at__gt=said_after)
    return of(registration).filter(undecided).aggregate(**{name: Count("pk", filter=q) for name, q in asked.items()})
