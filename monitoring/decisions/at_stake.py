"""The exposure of today in one sentence: for who decides, and beside the limit that a second person confirms."""

from __future__ import annotations

from django.utils.translation import gettext

from monitoring.decisions.current import current_decisions
from monitoring.decisions.decide import in_words, is_expired
from monitoring.models import Decision
from portfolio.exposure.days import today
from portfolio.exposure.money import money_text
from portfolio.exposure.rates import convert, rates_at
from portfolio.models import Company


def proposal_text(row: Decision) -> str:
    """For readers who may see the exposure."""
    before = current_decisions([row.company_id]).get(row.company_id)
    told = {"before": in_words(before) if before else gettext("No decision so far"), "after": in_words(row)}
    over = gettext("Exposure: %(exposure)s, which exceeds the new limit by %(excess)s.")
    return f"{gettext('%(before)s → %(after)s.') % told} {_exposure_text(row.company, row, over)}".strip()


def exposure_text(company: Company, current: Decision | None) -> str:
    """For who decides on the company and may see the exposure; a limit counts while it is valid."""
    valid = None if current is None or is_expired(current) else current
    over = gettext("Exposure: %(exposure)s, which exceeds the current limit by %(excess)s.")
    return _exposure_text(company, valid, over)


def over_limit_text(company: Company, cents: int, currency: str) -> str:
    """By how much the exposure exceeds a limit that somebody is about to enter; nothing where it does not."""
    if company.exposure is None:
        return ""
    rates = rates_at(today())
    limit = convert(cents, rates.factor(currency))
    if limit is None:
        words = gettext(
            "The limit cannot be compared with the exposure: the exchange rate for %(currency)s is missing."
        )
        return words % {"currency": currency}
    if company.exposure <= limit:
        return ""
    exposure, excess = (
        money_text(one, rates.reporting_currency) for one in (company.exposure, company.exposure - limit)
    )
    words = gettext("The exposure of %(exposure)s exceeds this limit by %(excess)s.")
    return words % {"exposure": exposure, "excess": excess}


def _exposure_text(company: Company, row: Decision | None, over: str) -> str:
    cents = company.exposure
    if cents is None:
        return gettext("Exposure: unknown.")
    rates = rates_at(today())
    exposure = money_text(cents, rates.reporting_currency)
    limit = convert(row.amount_cents, rates.factor(row.currency)) if row and row.amount_cents is not None else None
    if limit is None or cents <= limit:
        return gettext("Exposure: %(exposure)s.") % {"exposure": exposure}
    return over % {"exposure": exposure, "excess": money_text(cents - limit, rates.reporting_currency)}
