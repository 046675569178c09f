"""The money at stake with a company, on its page: book by book, its sum, and whether it exceeds the limit."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from django.http import HttpRequest
from django.utils.translation import gettext

from core.visibility import is_restricted
from monitoring.company_page.risk import Signal
from portfolio.companies.columns import SEE_EXPOSURE
from portfolio.exposure.books import book_label
from portfolio.exposure.money import money_text
from portfolio.exposure.rates import Rates, convert
from portfolio.exposure.totals import Stake, stakes_and_rates
from portfolio.models import Company


@dataclass(frozen=True, slots=True)
class AtStake:
    """Nothing where there is none, or the reader may not see it."""

    stakes: list[Stake] = field(default_factory=list)
    rates: Rates | None = None

    @property
    def books(self) -> list[tuple[str, date, str]]:
        return [(book_label(one.book), one.day, money_text(one.cents, one.currency)) for one in self.stakes]

    @property
    def cents(self) -> int | None:
        """In the reporting currency, of the amounts with an exchange rate."""
        known = [one.converted for one in self.stakes if one.converted is not None]
        return sum(known) if known else None

    @property
    def total(self) -> str:
        return money_text(self.cents, self.rates.reporting_currency) if self.rates and self.cents is not None else ""

    @property
    def is_incomplete(self) -> bool:
        return any(one.converted is None for one in self.stakes)

    def over(self, limit: tuple[int, str] | None) -> Signal | None:
        """Where it exceeds this limit, in cents of a currency."""
        if self.rates is None or self.cents is None or limit is None:
            return None
        known = convert(limit[0], self.rates.factor(limit[1]))
        if known is None or self.cents <= known:
            return None
        amount = money_text(self.cents - known, self.rates.reporting_currency)
        return Signal(gettext("Limit exceeded by %(amount)s") % {"amount": amount}, "bad")


def at_stake(request: HttpRequest, row: Company, moment: datetime | None) -> AtStake:
    """Read only where there is any, and the reader may see it."""
    # An amount that the reader has just saved is here before lists show it.
    is_new = request.GET.get("saved") == "amount"
    has_any = row.exposure is not None or row.exposure_unconverted or is_new
    if not has_any or not request.user.has_perm(SEE_EXPOSURE):
        return AtStake()
    return AtStake(*stakes_and_rates(row.duns, moment.astimezone(UTC).date() if moment else None))


def may_set_amount(request: HttpRequest) -> bool:
    """Amounts are those of the whole contract: to set them is for those who see all."""
    person = request.user
    return person.has_perm(SEE_EXPOSURE) and person.has_perm("portfolio.change_exposure") and not is_restricted(person)
