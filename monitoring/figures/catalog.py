"""Which elements of D&B's documents give which figure, and how it is read. What cannot be read is unknown, never 0."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from core.db import clean_text
from direct_plus.duns import InvalidDuns, normalise_duns
from monitoring.elements.compare import number_of
from monitoring.elements.json_paths import ROOT, names_below_root
from monitoring.elements.severity import OUT_OF_BUSINESS
from monitoring.history.company_projection import STATUS, shared_columns
from monitoring.history.state import CompanyState
from portfolio.models import Flag, Size

ASSESSMENT = f"{ROOT}.dnbAssessment"
LINKAGE = f"{ROOT}.corporateLinkage"
LEGAL = f"{ROOT}.legalEvents"
# Larger amounts are no amounts, and would not stay exact in a record.
MOST = 10**15
INCIDENCES = ("incidenceOfDefault", "incidenceOfFailure", "incidenceOfDelinquency", "incidenceOfDelinquentPayment")
LIMITS = ("maximumRecommendedLimit", "averageRecommendedLimit")
# The classification by which companies are compared: the first of these that D&B sends, by `typeDnBCode`: US SIC 1987,
# NAICS 2022 and 2017, NACE revision 2, D&B's own.
SCHEMES = ("399", "37788", "30832", "29104", "3599")
BANDS = ((10, Size.MICRO), (50, Size.SMALL), (250, Size.MEDIUM))
INACTIVE_WORDS = ("out of business", "inactive", "ceased")


class Figures(NamedTuple):
    """What is known of a company at a moment, named as the columns of `Company`: None or "" where unknown."""

    failure_percentile: int | None = None
    failure_class: int | None = None
    failure_incidence: int | None = None
    delinquency_percentile: int | None = None
    delinquency_class: int | None = None
    delinquency_incidence: int | None = None
    rating: str = ""
    limit_amount: int | None = None
    limit_currency: str = ""
    payment_index: int | None = None
    industry_code: str = ""
    industry_scheme: str = ""
    industry: str = ""
    legal_form: str = ""
    start_year: int | None = None
    employees: int | None = None
    revenue: int | None = None
    revenue_currency: str = ""
    size: str = ""
    country: str = ""
    operating_status: str = ""
    flags: int | None = None
    parent: str = ""
    domestic_ultimate: str = ""
    global_ultimate: str = ""


@dataclass(frozen=True, eq=False)
class Figure:
    """Some columns that are read together, from the elements at and below the paths."""

    columns: tuple[str, ...]
    paths: tuple[str, ...]
    label: str | Promise
    read: Callable[[CompanyState], tuple[Any, ...]]

    @cached_property
    def members(self) -> frozenset[str]:
        return frozenset(names_below_root(path)[0] for path in self.paths)

    @cached_property
    def places(self) -> tuple[int, ...]:
        return tuple(Figures._fields.index(name) for name in self.columns)

    @cached_property
    def unknown(self) -> tuple[Any, ...]:
        return tuple(Figures._field_defaults[name] for name in self.columns)


# Plain values


def whole(value: Any, least: int, most: int) -> int | None:
    number = number_of(value)
    if number is None or not least <= number <= most or number != int(number):
        return None
    return int(number)


def amount_of(value: Any) -> tuple[int | None, str]:
    """The first of one or several amounts that is one: in whole units, and its currency."""
    for one in _listed(value):
        number, currency = number_of(one.get("value")), one.get("currency")
        if number is not None and 0 <= number < MOST:
            is_code = isinstance(currency, str) and re.fullmatch("[A-Z]{3}", currency, re.ASCII)
            return round(number), str(currency) if is_code else ""
    return None, ""


def words_of(value: Any, limit: int = 200) -> str:
    """A text, or the description of a coded one."""
    text = value.get("description") if isinstance(value, dict) else value
    return clean_text(text, limit).strip() if isinstance(text, str) else ""


def _listed(value: Any) -> list[dict[str, Any]]:
    """Objects: one, or those of an array."""
    return [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, dict)]


def _number(value: Any) -> str:
    try:
        return normalise_duns(value) if isinstance(value, str) else ""
    except InvalidDuns:
        return ""


# Figures


def _score(name: str) -> Callable[[CompanyState], tuple[Any, ...]]:
    def read(state: CompanyState) -> tuple[Any, ...]:
        score = state.value(f"{ASSESSMENT}.{name}")
        if not isinstance(score, dict):
            return None, None, None
        percentile, group = whole(score.get("nationalPercentile"), 1, 100), whole(score.get("classScore"), 1, 5)
        return percentile, group, _incidence(score)

    return read


def _incidence(score: Mapping[str, Any]) -> int | None:
    numbers = (number_of(score.get(name)) for name in INCIDENCES)
    found = next((number for number in numbers if number is not None), None)
    return round(found * 100) if found is not None and 0 <= found <= 100 else None


def _rating(state: CompanyState) -> tuple[str]:
    rating = state.value(f"{ASSESSMENT}.standardRating")
    text = words_of(rating.get("rating") if isinstance(rating, dict) else rating)
    return (text if re.fullmatch(r"[0-9A-Z \-]{1,8}", text, re.ASCII) else "",)


def _limit(state: CompanyState) -> tuple[int | None, str]:
    limits = state.value(f"{ASSESSMENT}.creditLimitRecommendation")
    if not isinstance(limits, dict):
        return None, ""
    found = (amount_of(limits.get(name)) for name in LIMITS)
    return next((one for one in found if one[0] is not None), (None, ""))


def _payment_index(state: CompanyState) -> tuple[int | None]:
    """Paydex, wherever a product has it."""
    found = (whole(one, 0, 100) for path in PAYDEX for one in _values_at(state.document, names_below_root(path)))
    return (next((number for number in found if number is not None), None),)


def _values_at(value: Any, names: Sequence[str]) -> Iterator[Any]:
    """Through arrays, which paths do not number."""
    if not names:
        yield value
        return
    for one in _listed(value):
        if names[0] in one:
            yield from _values_at(one[names[0]], names[1:])


def _industry(state: CompanyState) -> tuple[str, str, str]:
    """The primary one; of several classifications the one by which most companies can be compared."""
    primary = state.value(f"{ROOT}.primaryIndustryCode")
    if isinstance(primary, dict) and (code := _code(primary.get("usSicV4"))):
        return code, "399", words_of(primary.get("usSicV4Description"))
    codes = [*_listed(primary), *_listed(state.value(f"{ROOT}.industryCodes"))]
    found = [one for one in codes if _code(one.get("code"))]
    if not found:
        return "", "", ""
    best = min(found, key=_rank)
    return _code(best.get("code")), _scheme(best), words_of(best)


def _rank(industry: Mapping[str, Any]) -> tuple[int, int]:
    scheme, priority = _scheme(industry), whole(industry.get("priority"), 0, 1000)
    return SCHEMES.index(scheme) if scheme in SCHEMES else len(SCHEMES), 1000 if priority is None else priority


def _code(value: Any) -> str:
    text = str(value).strip() if isinstance(value, (str, int)) and not isinstance(value, bool) else ""
    return text if re.fullmatch(r"[0-9A-Za-z.\-]{1,12}", text, re.ASCII) else ""


def _scheme(industry: Mapping[str, Any]) -> str:
    return _code(industry.get("typeDnBCode")) or words_of(industry.get("typeDescription"), 32)


def _legal_form(state: CompanyState) -> tuple[str]:
    found = (words_of(state.value(f"{ROOT}.{name}")) for name in ("legalForm", "businessEntityType"))
    return (next(filter(None, found), ""),)


def _start_year(state: CompanyState) -> tuple[int | None]:
    value = state.value(f"{ROOT}.startDate")
    found = re.match(r"([1-9][0-9]{3})(?![0-9])", str(value)) if isinstance(value, (str, int)) else None
    return (int(found[1]) if found and int(found[1]) <= 2999 else None,)


def _employees(state: CompanyState) -> tuple[int | None, str]:
    counts = _listed(state.value(f"{ROOT}.numberOfEmployees"))
    whole_group = [one for one in counts if words_of(one.get("informationScopeDescription")) == "Consolidated"]
    found = (whole(one.get("value"), 0, 10**9) for one in [*whole_group, *counts])
    number = next((one for one in found if one is not None), None)
    return number, "" if number is None else _size(number)


def _size(employees: int) -> str:
    return next((size for below, size in BANDS if employees < below), Size.LARGE).value


def _revenue(state: CompanyState) -> tuple[int | None, str]:
    """Of the latest statement that has one."""
    statements = _listed(state.value(f"{ROOT}.financials"))
    statements.sort(key=lambda one: words_of(one.get("financialStatementToDate")), reverse=True)
    found = (amount_of(one.get("yearlyRevenue")) for one in statements)
    return next((one for one in found if one[0] is not None), (None, ""))


def _summary(state: CompanyState) -> tuple[str, ...]:
    return tuple(shared_columns(state).values())


def _relative(name: str) -> Callable[[CompanyState], tuple[str]]:
    return lambda state: (_number(state.value(f"{LINKAGE}.{name}.duns")),)


def _flags(state: CompanyState) -> tuple[int | None]:
    """Unknown where D&B says nothing of any of them."""
    known = {flag: value for flag, paths in FLAGS.items() if (value := _any_true(state, paths)) is not None}
    if (inactive := _is_inactive(state)) is not None:
        known[Flag.INACTIVE] = inactive
    return (sum(flag for flag, holds in known.items() if holds) if known else None,)


def _any_true(state: CompanyState, paths: Sequence[tuple[str, ...]]) -> bool | None:
    """Of each sign the first of its elements that is there counts: an open event before one that was."""
    found = [_first_bool(state, alternatives) for alternatives in paths]
    said = [value for value in found if value is not None]
    return any(said) if said else None


def _first_bool(state: CompanyState, paths: Sequence[str]) -> bool | None:
    return next((value for path in paths if isinstance(value := state.value(path), bool)), None)


def _is_inactive(state: CompanyState) -> bool | None:
    if state.status and state.status.kind in STATUS:
        return True
    status = state.value(f"{ROOT}.dunsControlStatus.operatingStatus")
    code = number_of(status.get("dnbCode")) if isinstance(status, dict) else number_of(status)
    words = words_of(status).lower()
    return code == OUT_OF_BUSINESS or words in INACTIVE_WORDS if words or code is not None else None


def _open_or_ever(event: str) -> tuple[str, str]:
    return f"{LEGAL}.hasOpen{event}", f"{LEGAL}.has{event}"


FLAGS: Mapping[Flag, Sequence[tuple[str, ...]]] = {
    Flag.BANKRUPTCY: [_open_or_ever("Bankruptcy")],
    Flag.INSOLVENCY: [_open_or_ever(event) for event in ("Insolvency", "Liquidation", "SuspensionOfPayments")],
    Flag.SUITS: [_open_or_ever("Suits")],
    Flag.EXCLUDED: [(f"{ROOT}.exclusions.hasActiveExclusions",)],
    Flag.HIGH_RISK_BUSINESS: [(f"{ROOT}.isHighRiskBusiness",)],
    Flag.DETERIORATING: [(f"{ROOT}.isDeterioratingBusiness", f"{ROOT}.isDeterioration")],
}
PAYDEX = tuple(
    f"{ROOT}.{path}"
    for path in ("businessTrading.summary.paydexScore", "paydex.score", "paydexScore", "dnbAssessment.paydexScore")
)
SCORE_COLUMNS = ("percentile", "class", "incidence")

CATALOG: tuple[Figure, ...] = (
    Figure(
        tuple(f"failure_{name}" for name in SCORE_COLUMNS),
        (f"{ASSESSMENT}.failureScore",),
        _("Failure score"),
        _score("failureScore"),
    ),
    Figure(
        tuple(f"delinquency_{name}" for name in SCORE_COLUMNS),
        (f"{ASSESSMENT}.delinquencyScore",),
        _("Delinquency score"),
        _score("delinquencyScore"),
    ),
    Figure(("rating",), (f"{ASSESSMENT}.standardRating",), _("D&B rating"), _rating),
    Figure(
        ("limit_amount", "limit_currency"),
        (f"{ASSESSMENT}.creditLimitRecommendation",),
        _("Recommended limit"),
        _limit,
    ),
    Figure(("payment_index",), PAYDEX, _("Payment index"), _payment_index),
    Figure(
        ("industry_code", "industry_scheme", "industry"),
        (f"{ROOT}.primaryIndustryCode", f"{ROOT}.industryCodes"),
        _("Industry"),
        _industry,
    ),
    Figure(("legal_form",), (f"{ROOT}.legalForm", f"{ROOT}.businessEntityType"), _("Legal form"), _legal_form),
    Figure(("start_year",), (f"{ROOT}.startDate",), _("Year of start"), _start_year),
    Figure(("employees", "size"), (f"{ROOT}.numberOfEmployees",), _("Employees"), _employees),
    Figure(("revenue", "revenue_currency"), (f"{ROOT}.financials",), _("Revenue"), _revenue),
    Figure(
        ("country", "operating_status", "global_ultimate"),
        (
            *(f"{ROOT}.countryISOAlpha2Code", f"{ROOT}.primaryAddress.addressCountry", f"{ROOT}.dunsControlStatus"),
            f"{LINKAGE}.globalUltimate",
        ),
        _("Country, status and group"),
        _summary,
    ),
    Figure(
        ("flags",),
        (
            *(LEGAL, f"{ROOT}.exclusions", f"{ROOT}.isHighRiskBusiness", f"{ROOT}.isDeterioratingBusiness"),
            *(f"{ROOT}.isDeterioration", f"{ROOT}.dunsControlStatus"),
        ),
        _("Risk flags"),
        _flags,
    ),
    Figure(("parent",), (f"{LINKAGE}.parent",), _("Parent"), _relative("parent")),
    Figure(
        ("domestic_ultimate",), (f"{LINKAGE}.domesticUltimate",), _("Domestic ultimate"), _relative("domesticUltimate")
    ),
)
PATHS = tuple(sorted({path for figure in CATALOG for path in figure.paths}))
# The members of a document that hold any figure.
MEMBERS = frozenset(path.split(".")[1] for path in PATHS)
