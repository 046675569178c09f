"""Companies of which more is at stake than a valid decision allows, as their pages state it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from operator import attrgetter
from typing import NamedTuple

from core.db import in_batches
from monitoring.models import Decision, DecisionState
from portfolio.exposure.days import today
from portfolio.exposure.packed import AmountsGone
from portfolio.exposure.rates import convert, rates_at
from portfolio.exposure.totals import exposures_with
from portfolio.models import Company, ExposureImport

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
    shown: dict[str, int] = {}
    for batch in in_batches(sorted(limits)):
        rows = Company.objects.filter(pk__in=batch, exposure__isnull=False)
        shown.update((duns, cents) for duns, cents in rows.values_list("pk", "exposure") if cents is not None)
    return _over(shown, limits)


def over_limit_with(upload: ExposureImport) -> list[OverLimit]:
    """Of the companies that an import names, once its amounts count: before the lists of companies show them."""
    limits = _valid_limits()
    try:
        return _over(exposures_with(upload, sorted(limits)), limits)
    except AmountsGone:
        # Somebody has it read again: whoever looks at it sees the result next.
        return []


def _over(exposures: Mapping[str, int], limits: Mapping[str, Limit]) -> list[OverLimit]:
    rates = rates_at(today()) if exposures else None
    found: list[OverLimit] = []
    for duns, cents in exposures.items():
        amount, currency = limits[duns]
        limit = convert(amount, rates.factor(currency)) if rates else None
        if limit is not None and cents > limit:
            found.append(OverLimit(duns, "", cents, limit))
    named = _with_names(found)
    return sorted(sorted(named), key=attrgetter("excess"), reverse=True)


def _with_names(found: Sequence[OverLimit]) -> Iterator[OverLimit]:
    for batch in in_batches(found):
        rows = Company.objects.filter(pk__in=[one.duns for one in batch])
        names = dict(rows.values_list("pk", "name"))
        yield from (one._replace(name=names.get(one.duns, "")) for one in batch)


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
