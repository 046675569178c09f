"""What a second person confirms, in one sentence: the limit before and after it, beside the exposure of today."""

from __future__ import annotations

from django.utils.translation import gettext

from monitoring.decisions.current import current_decisions
from monitoring.decisions.decide import in_words
from monitoring.models import Decision
from portfolio.exposure.days import today
from portfolio.exposure.money import money_text
from portfolio.exposure.rates import convert, rates_at


def proposal_text(row: Decision) -> str:
    """For readers who may see the exposure."""
    before = current_decisions([row.company_id]).get(row.company_id)
    told = {"before": in_words(before) if before else gettext("No decision so far"), "after": in_words(row)}
    return f"{gettext('%(before)s → %(after)s.') % told} {_exposure_text(row)}".strip()


def _exposure_text(row: Decision) -> str:
    cents = row.company.exposure
    if cents is None:
        return gettext("Exposure: unknown.")
    rates = rates_at(today())
    exposure = money_text(cents, rates.reporting_currency)
    limit = None if row.amount_cents is None else convert(row.amount_cents, rates.factor(row.currency))
    if limit is None or cents <= limit:
        return gettext("Exposure: %(exposure)s.") % {"exposure": exposure}
    told = {"exposure": exposure, "excess": money_text(cents - limit, rates.reporting_currency)}
    return gettext("Exposure: %(exposure)s, which exceeds the new limit by %(excess)s.") % told
