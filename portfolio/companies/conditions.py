"""What lists of companies are chosen by, alike on pages and in the API. Each condition is answered by an index."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from core.bulk import has_sql
from core.text import is_clean
from core.visibility import EVERYTHING, Scope, visible_to
from portfolio.companies.notes import split_tags
from portfolio.models import Company, Flag, Subject

UNKNOWN, KNOWN, NONE, YES, NO = "unknown", "known", "none", "yes", "no"
NUMBERS = ("failure_class", "delinquency_class")
TEXTS = ("country", "rating", "industry_code", "size", "operating_status", "global_ultimate")
FLAGS = range(2 ** len(Flag))
# By what a list is sorted, where that may be unknown. A size has the order of the employees.
SORTED_NUMBERS = (
    *("failure_percentile", "failure_class", "delinquency_percentile", "delinquency_class", "limit_amount"),
    *("payment_index", "employees", "revenue", "last_critical_at", "exposure"),
)
SORTED_TEXTS = ("rating", "industry_code", "country", "operating_status", "global_ultimate", "tier")
SORTED_DATES = ("next_review_on",)
SORTED = (*SORTED_NUMBERS, *SORTED_TEXTS, *SORTED_DATES)
OVERDUE, DUE, SOON = "overdue", "due", "soon"
SOON_DAYS = 30
# Of an exposure: as counted last, so that a list has the companies that the Overview counts.
OVER_LIMIT = "over_limit"


def of_column(column: str, values: Iterable[str]) -> Q:
    """Companies with one of these values; nothing is asked where none can be one."""
    several = list(values)
    if column in (*NUMBERS, *SORTED_NUMBERS):
        return _numbers(column, several)
    if column in SORTED_DATES:
        return Q(**{column: None}) if UNKNOWN in several else Q()
    texts = ["" if value == UNKNOWN else value for value in several if is_clean(value)]
    return Q(**{f"{column}__in": texts}) if texts else Q()


def _numbers(column: str, values: Sequence[str]) -> Q:
    numbers = [int(value) for value in values if value.isascii() and value.isdigit() and len(value) < 9]
    found = Q(**{f"{column}__in": numbers}) if numbers else Q()
    return found | Q(**{column: None}) if UNKNOWN in values else found


def flagged(value: str) -> Q:
    """With this flag among others: each set of flags that has it is a value of the index."""
    if value.upper() in Flag.__members__:
        flag = Flag[value.upper()]
        return Q(flags__in=[number for number in FLAGS if number & flag])
    return {UNKNOWN: Q(flags=None), NONE: Q(flags=0)}.get(value, Q())


def with_exposure(value: str) -> Q:
    return {KNOWN: Q(exposure__isnull=False), UNKNOWN: Q(exposure=None)}.get(value, Q())


def with_value(rows: QuerySet[Company], column: str) -> QuerySet[Company]:
    """Without those of which it is unknown."""
    if column in SORTED_TEXTS:
        return rows.filter(**{f"{column}__gt": ""})
    is_null_where_unknown = column in (*SORTED_NUMBERS, *SORTED_DATES, "changed_at")
    return rows.filter(**{f"{column}__isnull": False}) if is_null_where_unknown else rows


# What users decide


def of_tiers(tiers: Iterable[str]) -> Q:
    """Companies of one of these tiers, or of none."""
    return Q(tier__in=["" if tier == NONE else tier for tier in tiers if is_clean(tier)])


def review_due_by(day: date) -> Q:
    return Q(next_review_on__isnull=False, next_review_on__lte=day)


def review_is(value: str) -> Q:
    """By the day in UTC: before today, until today, or within a month."""
    today = datetime.now(UTC).date()
    days = {OVERDUE: -1, DUE: 0, SOON: SOON_DAYS}
    return review_due_by(today + timedelta(days=days[value])) if value in days else Q()


# What stands in the entries of registrations


def monitored_now() -> QuerySet[Subject]:
    return Subject.objects.filter(monitored_since__isnull=False, monitored_until=None)


def in_portfolio(rows: QuerySet[Company], value: str) -> QuerySet[Company]:
    """Those that D&B monitors now, or those that it does not."""
    return _each_having(rows, monitored_now(), value == YES) if value in (YES, NO) else rows


def in_registrations(rows: QuerySet[Company], registrations: Sequence[UUID]) -> QuerySet[Company]:
    """Those that D&B monitors there now."""
    return _among(rows, monitored_now().filter(registration__in=registrations))


def owned_by(rows: QuerySet[Company], owner: str, scope: Scope = EVERYTHING) -> QuerySet[Company]:
    owned = visible_to(scope, Subject.objects.exclude(owner=""))
    return _each_having(rows, owned, False) if owner == UNKNOWN else _among(rows, owned.filter(owner=owner))


def numbers_tagged(tag: str, scope: Scope = EVERYTHING) -> list[str]:
    """The companies with a tag, in one query: for all of them it takes less than the list's filter."""
    texts: dict[str, bool] = {}
    rows = visible_to(scope, Subject.objects.filter(tags__contains=tag)).order_by().values_list("company_id", "tags")
    return [duns for duns, text in rows if texts.setdefault(text, tag in split_tags(text))]


def numbers_tagged_and_owned(
    tag: str, owner: str, scope: Scope = EVERYTHING, among: QuerySet[Any, str] | None = None
) -> tuple[list[str], list[str]]:
    """The companies with a tag, and those of an owner, in one query; of these numbers alone, where they are given."""
    rows = visible_to(scope, Subject.objects.filter(Q(tags__contains=tag) | Q(owner=owner))).order_by()
    rows = rows if among is None else rows.filter(company__in=among)
    found = list(rows.values_list("company_id", "tags", "owner"))
    is_tagged = {text: tag in split_tags(text) for text in {text for _, text, _ in found}}
    return [duns for duns, text, _ in found if is_tagged[text]], [duns for duns, _, one in found if one == owner]


def tagged(rows: QuerySet[Company], tag: str, scope: Scope = EVERYTHING) -> QuerySet[Company]:
    with_tags = visible_to(scope, Subject.objects.exclude(tags=""))
    if tag == UNKNOWN:
        return _each_having(rows, with_tags, False)
    # Tags stand together in one text, of which there are few.
    texts = with_tags.filter(tags__contains=tag).order_by().values_list("tags", flat=True).distinct()
    return _among(rows, with_tags.filter(tags__in=[text for text in texts if tag in split_tags(text)]))


def _among(rows: QuerySet[Company], entries: QuerySet[Subject]) -> QuerySet[Company]:
    """Companies of few entries: these are read first."""
    numbers = entries.order_by().values("company_id")
    return rows.filter(duns__in=numbers if has_sql() else _numbers_of(entries))


def _each_having(rows: QuerySet[Company], entries: QuerySet[Subject], there: bool) -> QuerySet[Company]:
    """Companies with such an entry, or without: as many are, each is looked at until a page is full."""
    if not has_sql():
        numbers = _numbers_of(entries)
        return rows.filter(duns__in=numbers) if there else rows.exclude(duns__in=numbers)
    found = Exists(entries.filter(company=OuterRef("pk")))
    return rows.filter(found if there else ~found)


def _numbers_of(entries: QuerySet[Subject]) -> list[str]:
    return list(entries.order_by().values_list("company_id", flat=True).distinct())
