"""Companies of which more is at stake than a valid decision allows, as their pages state it."""

from __future__ import annotations

from operator import attrgetter
from typing import NamedTuple

from core.db import in_batches
from monitoring.models import Decision, DecisionState
from portfolio.exposure.days import today
from portfolio.exposure.rates import convert, rates_at
from portfolio.models import Company

# Cents and currency.
Limit = tuple[int, str]


class OverLimit(NamedTuple):
    """Amounts in cents of the reporting currency."""

    duns: str
    name: str
    exposure: int
    limit: int

    @property
    def excess(self) -> int:
        return self.exposure - self.limit


def companies_over_limit() -> list[OverLimit]:
    """The largest excess first."""
    limits = _valid_limits()
    rates = rates_at(today()) if limits else None
    found: list[OverLimit] = []
    for batch in in_batches(sorted(limits)):
        rows = Company.objects.filter(pk__in=batch, exposure__isnull=False).values_list("pk", "name", "exposure")
        for duns, name, cents in rows:
            amount, currency = limits[duns]
            limit = convert(amount, rates.factor(currency)) if rates else None
            if limit is not None and cents is not None and cents > limit:
                found.append(OverLimit(duns, name, cents, limit))
    return sorted(sorted(found), key=attrgetter("excess"), reverse=True)


def is_over(company: Company, decision: Decision) -> bool:
    """Whether more is at stake than the decision allows."""
    if company.exposure is None or decision.amount_cents is None:
        return False
    limit = convert(decision.amount_cents, rates_at(today()).factor(decision.currency))
    return limit is not None and company.exposure > limit


def _valid_limits() -> dict[str, Limit]:
    """Of each company the last final decision counts, whatever it is."""
    rows = Decision.objects.filter(state=DecisionState.FINAL).order_by("number")
    columns = rows.values_list("company_id", "amount_cents", "currency", "valid_until")
    last = {duns: (amount, currency, until) for duns, amount, currency, until in columns}
    day = today()
    return {
        duns: (amount, currency)
        for duns, (amount, currency, until) in last.items()
        if amount is not None and (until is None or until >= day)
    }
