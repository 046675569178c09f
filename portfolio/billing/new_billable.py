"""Which companies a contract year bills anew."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from django.db.models import Q
from django.utils import timezone

from core.bulk import among
from core.db import in_batches
from portfolio.models import Contract, Registration, Subject, SubjectState

AT_ONCE = 10_000


def contract_year_start(contract: Contract, today: date | None = None) -> date | None:
    """The first day of the contract year that `today` lies in; None while the anniversary is not set."""
    if contract.anniversary is None:
        return None
    today = today or timezone.now().date()
    this_year = _in_year(contract.anniversary, today.year)
    return this_year if this_year <= today else _in_year(contract.anniversary, today.year - 1)


def _in_year(anniversary: date, year: int) -> date:
    """29 February falls on 28 February in years that have none."""
    try:
        return anniversary.replace(year=year)
    except ValueError:
        return anniversary.replace(year=year, day=28)


def billed_already(contract: Contract, duns: Sequence[str]) -> set[str]:
    """Those monitored on some day of this contract year in any of the contract's registrations, as far as known.

    What only a file of somebody's says is not known: it would make companies free that D&B does not have.
    What is requested and under way counts too: it is or will be billed without being confirmed once more.
    """
    registrations = list(Registration.objects.filter(contract=contract).values_list("pk", flat=True))
    start = contract_year_start(contract)
    stays = Q(state__in=[SubjectState.MONITORED, SubjectState.PENDING_ADD, SubjectState.PENDING_REMOVE])
    stays |= Q(requested=True) & ~Q(state=SubjectState.REFUSED)
    stayed = Q(monitored_until__isnull=False) if start is None else Q(monitored_until__gte=start)
    found: set[str] = set()
    known = Subject.objects.filter(stays | stayed, registration__in=registrations, reported_by__isnull=True)
    for batch in in_batches(list(duns), AT_ONCE):
        rows = known.filter(among("company", batch))
        found.update(rows.values_list("company_id", flat=True))
    return found


def new_billable(contract: Contract, duns: Sequence[str]) -> set[str]:
    """The companies that would be billed anew when added now."""
    return set(duns) - billed_already(contract, duns)
