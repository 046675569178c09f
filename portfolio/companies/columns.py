"""Figures as columns of lists and files, and by what lists of companies are sorted."""

from __future__ import annotations

from operator import attrgetter

from django.utils.functional import lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.cached_counts import recent_count
from core.lists.listings import Column
from portfolio.companies.conditions import OVER_LIMIT, SORTED
from portfolio.models import FLAG_LABELS, Company, Flag
from portfolio.reference_data.words import industry_words, legal_form_words

SEE_EXPOSURE = "portfolio.view_exposure"


def units(hundredths: int | None) -> float | None:
    """Percent, or money in units of its currency."""
    return None if hundredths is None else hundredths / 100


def flags_text(flags: int | None) -> str:
    return ", ".join(str(FLAG_LABELS[flag]) for flag in Flag if flags and flags & flag)


def exposure_in(currency: str) -> str:
    if not currency:
        return gettext("Exposure")
    return gettext("Exposure (%(currency)s)") % {"currency": currency}


def _exposure_heading() -> str:
    """With the currency as counted last: every list names its columns, and asks nothing for it."""
    return exposure_in(recent_count("exposure").get("currency", ""))


def _exceeded_heading() -> str:
    return gettext("Exceeded limit (%(currency)s)") % {"currency": recent_count("exposure").get("currency", "")}


def _excess_heading() -> str:
    return gettext("Limit exceeded by (%(currency)s)") % {"currency": recent_count("exposure").get("currency", "")}


def exceeded_limit(company: Company) -> float | None:
    """In the reporting currency, of the companies that the Overview counts; none of others."""
    return units(recent_count(OVER_LIMIT).get("limits", {}).get(company.duns))


def limit_excess(company: Company) -> float | None:
    limit, amount = exceeded_limit(company), units(company.exposure)
    return None if limit is None or amount is None else amount - limit


EXPOSURE_HEADING = lazy(_exposure_heading, str)()


def industry_text(company: Company) -> str:
    return industry_words(company.industry_scheme, company.industry_code, company.industry)


def size_text(company: Company) -> str:
    return str(company.get_size_display())


FIGURE_COLUMNS = (
    Column("failure_percentile", _("Failure score"), attrgetter("failure_percentile"), 12),
    Column("failure_class", _("Failure score class"), attrgetter("failure_class"), 12),
    Column("failure_incidence", _("Failure incidence, %"), lambda row: units(row.failure_incidence), 12),
    Column("delinquency_percentile", _("Delinquency score"), attrgetter("delinquency_percentile"), 12),
    Column("delinquency_class", _("Delinquency score class"), attrgetter("delinquency_class"), 12),
    Column("delinquency_incidence", _("Delinquency incidence, %"), lambda row: units(row.delinquency_incidence), 12),
    Column("rating", _("D&B rating"), attrgetter("rating"), 12),
    Column("limit_amount", _("Recommended limit"), attrgetter("limit_amount"), 16),
    Column("limit_currency", _("Currency of the limit"), attrgetter("limit_currency"), 8),
    Column("payment_index", _("Payment index"), attrgetter("payment_index"), 12),
    Column("industry_code", _("Industry code"), attrgetter("industry_code"), 12),
    Column("industry", _("Industry"), industry_text, 36),
    Column("legal_form", _("Legal form"), lambda row: legal_form_words(row.legal_form), 24),
    Column("start_year", _("Year of start"), lambda row: str(row.start_year or ""), 10),
    Column("employees", _("Employees"), attrgetter("employees"), 12),
    Column("size", _("Size"), size_text, 24),
    Column("revenue", _("Revenue"), attrgetter("revenue"), 16),
    Column("revenue_currency", _("Currency of the revenue"), attrgetter("revenue_currency"), 8),
    Column("flags", _("Risk flags"), lambda row: flags_text(row.flags), 30),
    Column("parent", _("Parent"), attrgetter("parent"), 12),
    Column("domestic_ultimate", _("Domestic ultimate"), attrgetter("domestic_ultimate"), 12),
    Column("global_ultimate", _("Global ultimate"), attrgetter("global_ultimate"), 12),
    Column("last_critical_at", _("Last critical change"), attrgetter("last_critical_at"), 26),
    Column("exposure", EXPOSURE_HEADING, lambda row: units(row.exposure), 16, right=SEE_EXPOSURE),
)
OVER_LIMIT_COLUMNS = (
    Column("exceeded_limit", lazy(_exceeded_heading, str)(), exceeded_limit, 16, right=SEE_EXPOSURE),
    Column("limit_excess", lazy(_excess_heading, str)(), limit_excess, 16, right=SEE_EXPOSURE),
)
# What a list of companies above their limits shows, where the reader has chosen nothing else.
OF_OVER_LIMIT = "name,duns,country_name,exposure,exceeded_limit,limit_excess,next_review_on"
REVIEW_COLUMNS = (
    Column("tier", _("Tier"), lambda row: row.get_tier_display(), 12),
    Column("next_review_on", _("Next review"), attrgetter("next_review_on"), 14),
)
# Of a column, the indexed field in whose order it is.
COLUMN_ORDER = {
    **{name: name for name in SORTED},
    **{name: name for name in ("duns", "changed_at")},
    **{"name": "search_name", "country_name": "country", "industry": "industry_code", "size": "employees"},
}
