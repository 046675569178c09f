"""The filters of the list of companies. What they offer occurs, as counted last, or stands in the address."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from django.contrib.admin import SimpleListFilter
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import DropdownFilter, MultipleDropdownFilter

from core.admin.filters import CountryFilter, DaysFilter, shows_no_page
from core.bulk import among
from core.cached_counts import counted_here, recent_count
from core.text import is_clean
from core.visibility import Scope, is_restricted, scope_of, visible_to
from portfolio.companies.conditions import (
    DUE,
    KNOWN,
    NO,
    NONE,
    OVER_LIMIT,
    OVERDUE,
    SOON,
    UNKNOWN,
    YES,
    flagged,
    in_portfolio,
    of_column,
    of_tiers,
    owned_by,
    review_is,
    tagged,
    with_exposure,
)
from portfolio.companies.notes import split_tags
from portfolio.models import FLAG_LABELS, Company, ReferenceCategory, Size, Subject, Tier
from portfolio.reference_data.words import industry_words, words_of_description

Options = Iterable[tuple[str, str | Promise]]
CLASSES: Options = (
    ("1", _("1 (lowest risk)")),
    ("2", "2"),
    ("3", "3"),
    ("4", "4"),
    ("5", _("5 (highest risk)")),
)
VALUES = "company_values"
# So many values of a column at most.
OFFERED = 300
# About as old as what a job counts for those who see everything.
KEPT_SECONDS = 300


def occurring(name: str, person: Any) -> Options:
    """What was found last: values, or values and their descriptions."""
    found = _values(name, person)
    return [(one, one) if isinstance(one, str) else (one[0], f"{one[0]} {one[1]}".strip()) for one in found]


def _values(name: str, person: Any) -> Sequence[Any]:
    """For someone who sees some companies, what occurs in these: each value is a look at all of them, so those of the
    last minutes will do."""
    if not is_restricted(person):
        return recent_count(VALUES).get(name, [])  # type: ignore[no-any-return]
    kept = f"{VALUES} {name} {scope_of(person).key}"
    return counted_here(kept, lambda: {name: _values_seen_by(person, name)}, KEPT_SECONDS)[name]  # type: ignore[no-any-return]


def _values_seen_by(person: Any, name: str) -> Sequence[Any]:
    if name in ("owner", "tag"):
        column = {"tag": "tags"}.get(name, name)
        rows = visible_to(person, Subject.objects.exclude(**{column: ""})).order_by(column)
        texts = rows.values_list(column, flat=True).distinct()[:OFFERED]
        return sorted({part for text in texts for part in (split_tags(text) if name == "tag" else [text])})
    columns = ("industry_code", "industry", "industry_scheme") if name == "industry_code" else (name,)
    found = visible_to(person, Company.objects.exclude(**{name: ""})).order_by(*columns).values_list(*columns)
    return [row if len(columns) > 1 else row[0] for row in found.distinct()[:OFFERED]]


def industries(request: HttpRequest) -> Options:
    found = _values("industry_code", request.user)
    # Counts of earlier versions name no scheme.
    return [(code, f"{code} {industry_words((*scheme, '')[0], code, words)}".strip()) for code, words, *scheme in found]


def statuses(request: HttpRequest) -> Options:
    """What is kept is compared; people read it in their language."""
    found = occurring("operating_status", request.user)
    return [(value, words_of_description(ReferenceCategory.OPERATING_STATUS, value)) for value, _words in found]


def with_those_asked(options: Options, asked: Iterable[str]) -> list[tuple[str, str]]:
    """What the address says is among the options, so that it is shown and can be removed."""
    known = {value: str(label) for value, label in options}
    return [*known.items(), *((value, value) for value in dict.fromkeys(asked) if value and value not in known)]


class ColumnFilter(MultipleDropdownFilter):  # type: ignore[misc]
    """One or several values of a column, or those of which it is unknown."""

    all_option = None
    options: Callable[[HttpRequest], Options]

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        offered = () if shows_no_page(request) else (*self.options(request), (UNKNOWN, gettext("Unknown")))
        return with_those_asked(offered, request.GET.getlist(str(self.parameter_name)))

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(of_column(str(self.parameter_name), filter(None, self.value() or ())))


def column_filter(column: str, title: str | Promise, options: Callable[[HttpRequest], Options]) -> type[ColumnFilter]:
    members = {"parameter_name": column, "title": title, "options": staticmethod(options)}
    return type(f"{column.title()}Filter", (ColumnFilter,), members)


class OccurringCountryFilter(CountryFilter):
    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [*super().lookups(request, model_admin), (UNKNOWN, gettext("Unknown"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        values = self.value() or ()
        others = [value for value in values if value.lower() != UNKNOWN]
        if len(others) == len(values):
            return super().queryset(request, queryset)
        return queryset.filter(of_column("country", [UNKNOWN, *(code.upper() for code in others)]))


class _OneOf(DropdownFilter):  # type: ignore[misc]
    options: Options = ()

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(value, str(label)) for value, label in self.options]


class FlagFilter(_OneOf):
    title = _("risk flag")
    parameter_name = "flag"
    options = (
        *((str(flag.name).lower(), label) for flag, label in FLAG_LABELS.items()),
        (NONE, _("None")),
        (UNKNOWN, _("Unknown")),
    )

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(flagged(self.value() or ""))


class ExposureFilter(_OneOf):
    title = _("exposure")
    parameter_name = "exposure"
    options = ((KNOWN, _("Known")), (UNKNOWN, _("Unknown")), (OVER_LIMIT, _("Above the limit of a decision")))

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == OVER_LIMIT:
            return queryset.filter(among("duns", recent_count(OVER_LIMIT).get("companies", [])))
        return queryset.filter(with_exposure(self.value() or ""))


class TierFilter(ColumnFilter):
    title = _("tier")
    parameter_name = "tier"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        offered: Options = [*((one.value, one.label) for one in Tier), (NONE, gettext("None"))]
        return with_those_asked(offered, request.GET.getlist(str(self.parameter_name)))

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        tiers = [value for value in self.value() or () if value]
        return queryset.filter(of_tiers(tiers)) if tiers else queryset


class ReviewFilter(_OneOf):
    title = _("review")
    parameter_name = "review"
    options = ((OVERDUE, _("Overdue")), (DUE, _("Due")), (SOON, _("Due within 30 days")))

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(review_is(self.value() or ""))


class MonitoredFilter(_OneOf):
    title = _("portfolio")
    parameter_name = "monitored"
    options = ((YES, _("Monitored at present")), (NO, _("Not monitored at present")))

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return in_portfolio(queryset, self.value() or "")


class _OfEntries(DropdownFilter):  # type: ignore[misc]
    """Of what the entries of registrations hold."""

    choose: Callable[[QuerySet[Company], str, Scope], QuerySet[Company]]
    unknown: str | Promise

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        offered: Options = ()
        if not shows_no_page(request):
            offered = (*occurring(str(self.parameter_name), request.user), (UNKNOWN, self.unknown))
        return with_those_asked(offered, [self.value() or ""])

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value() or ""
        scope = scope_of(request.user)
        return self.choose(queryset, value, scope) if value and is_clean(value) else queryset


class OwnerFilter(_OfEntries):
    title = _("owner")
    parameter_name = "owner"
    choose = staticmethod(owned_by)
    unknown = _("No owner")


class TagFilter(_OfEntries):
    title = _("tag")
    parameter_name = "tag"
    choose = staticmethod(tagged)
    unknown = _("No tags")


class GroupFilter(DropdownFilter):  # type: ignore[misc]
    """By a link from the group, so no other group is offered."""

    title = _("group")
    parameter_name = "global_ultimate"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        asked = self.value() or ""
        if asked in ("", UNKNOWN) or not is_clean(asked):
            return [(UNKNOWN, gettext("Unknown"))]
        named = [(asked, str(visible_to(request.user, Company.objects.filter(pk=asked)).first() or asked))]
        return [*named, (UNKNOWN, gettext("Unknown"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(of_column("global_ultimate", filter(None, [self.value()])))


class CriticalFilter(DaysFilter):
    title = _("last critical change")
    parameter_name = "critical"
    moment = "last_critical_at"


COMPANY_FILTERS: tuple[type[SimpleListFilter | DaysFilter], ...] = (
    MonitoredFilter,
    OccurringCountryFilter,
    column_filter("failure_class", _("failure score class"), lambda request: CLASSES),
    column_filter("delinquency_class", _("delinquency score class"), lambda request: CLASSES),
    column_filter("rating", _("D&B rating"), lambda request: occurring("rating", request.user)),
    FlagFilter,
    column_filter("industry_code", _("industry"), industries),
    column_filter("size", _("size"), lambda request: Size.choices),
    column_filter("operating_status", _("status"), statuses),
    OwnerFilter,
    TagFilter,
    GroupFilter,
    CriticalFilter,
    ExposureFilter,
    TierFilter,
    ReviewFilter,
)
# In lists of companies, the columns of an index that each parameter begins with: in their order nothing is sorted.
ORDER_OF = {
    **{name: name for name in ("country", "failure_class", "delinquency_class", "rating", "industry_code", "size")},
    **{"operating_status": "operating_status", "global_ultimate": "global_ultimate", "flag": "flags"},
    **{"tier": "tier", "review": "next_review_on"},
    **{"critical_from": "-last_critical_at", "critical_to": "-last_critical_at", "exposure": "-exposure"},
}
SCORE_CLASSES = ("failure_class", "delinquency_class")
BY_NUMBER = ("monitored", "registration", "owner", "tag")
