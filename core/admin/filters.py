"""Filters that an index answers: exact values and ranges of the key, never a scan for distinct values."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import datetime, time, timedelta
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django_countries import countries
from unfold.contrib.filters.admin import DropdownFilter, MultipleDropdownFilter
from unfold.widgets import UnfoldAdminDateWidget

from core.cached_counts import recent_count
from core.dates import read_day
from core.text import is_clean
from core.visibility import is_restricted


def shows_no_page(request: HttpRequest) -> bool:
    """Whether only the rows of a list are asked for, as by an export: no filter has to offer anything."""
    return getattr(request, "shows_no_page", False)


def key_at(moment: datetime) -> uuid.UUID:
    """The smallest key of a row of this time: keys begin with it."""
    return uuid.UUID(int=max(int(moment.timestamp() * 1000), 0) << 80)


def start_of(text: str) -> datetime | None:
    """The beginning of a day in the reader's zone."""
    day = read_day(text)
    return datetime.combine(day, time(), timezone.get_current_timezone()) if day else None


def names_filters(request: HttpRequest) -> bool:
    """Whether only the filters of a list are asked for, in words: none of its rows."""
    return getattr(request, "names_filters", False)


class ChoiceFilter(DropdownFilter):  # type: ignore[misc]
    """One of a model's choices, by equality."""

    field = ""
    options: Any = ()
    # The value of most rows, if the field's index leaves them out: a query has to say that it is about others.
    common: Any = None

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(str(value), str(label)) for value, label in self.options]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        known = {str(option) for option, _ in self.options}
        if value not in known:
            return queryset
        found = queryset.filter(**{self.field: value})
        return found if self.common is None or value == str(self.common) else found.exclude(**{self.field: self.common})


def choice_filter(name: str, choices: Any, label: str | Promise, common: Any = None) -> type[ChoiceFilter]:
    members = {"field": name, "parameter_name": name, "title": label, "options": choices, "common": common}
    return type(f"{name.title()}Filter", (ChoiceFilter,), members)


class CountryFilter(MultipleDropdownFilter):  # type: ignore[misc]
    """Of one country or of several; offers those that companies have, as counted last, and those in the address."""

    title = _("country")
    parameter_name = "country"
    all_option = None
    # The field of the list's rows that holds the code.
    field = "country"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        counted = {} if is_restricted(request.user) else recent_count("countries")
        occurring = counted.get("codes") or dict(countries)
        offered = {*occurring, *countries_in(request.GET.getlist(self.parameter_name))}
        return [(code, str(name)) for code, name in countries if code in offered]

    def choices(self, changelist: Any) -> Iterator[Any]:
        """With a hint in the empty box."""
        for choice in super().choices(changelist):
            widget = choice["form"].fields[self.parameter_name].widget
            widget.attrs["data-placeholder"] = _("All countries. Type to search.")
            yield choice

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        codes = countries_in(self.value())
        if len(codes) == 1:
            return queryset.filter(**{self.field: codes[0]})
        return queryset.filter(**{f"{self.field}__in": codes}) if codes else queryset


def countries_in(value: Any) -> list[str]:
    """The codes that an address names: each once, also where one value names several."""
    texts = value if isinstance(value, (list, tuple)) else [value or ""]
    codes = [code for text in texts for code in str(text).replace(",", " ").upper().split()]
    return list(dict.fromkeys(filter(is_clean, codes)))


class DaysForm(forms.Form):
    def __init__(self, name: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for end, words in (("from", _("First day")), ("to", _("Last day"))):
            widget = UnfoldAdminDateWidget(attrs={"type": "date"})
            self.fields[f"{name}_{end}"] = forms.CharField(label=words, required=False, widget=widget)


class DaysFilter(admin.ListFilter):
    """From a day to a day in the reader's zone, as a range of keys; of `moment` where keys do not begin with a time."""

    moment = ""
    title = _("day")
    parameter_name = "day"
    template = "core/days_filter.html"

    def __init__(self, request: HttpRequest, params: dict[str, Any], model: Any, model_admin: Any) -> None:
        super().__init__(request, params, model, model_admin)
        for name in self.expected_parameters():
            if name in params:
                value = params.pop(name)
                self.used_parameters[str(name)] = value[-1] if isinstance(value, list) else value

    def has_output(self) -> bool:
        return True

    def expected_parameters(self) -> list[str | None]:
        return [f"{self.parameter_name}_from", f"{self.parameter_name}_to"]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        first, last = self.first_day(), self.last_day()
        if first:
            queryset = queryset.filter(**self._compared("gte", first))
        if last:
            queryset = queryset.filter(**self._compared("lt", last + timedelta(days=1)))
        return queryset

    def _compared(self, lookup: str, at: datetime) -> dict[str, Any]:
        return {f"{self.moment}__{lookup}": at} if self.moment else {f"pk__{lookup}": key_at(at)}

    def first_day(self) -> datetime | None:
        return start_of(str(self.used_parameters.get(f"{self.parameter_name}_from", "")))

    def last_day(self) -> datetime | None:
        return start_of(str(self.used_parameters.get(f"{self.parameter_name}_to", "")))

    def choices(self, changelist: Any) -> Iterator[Any]:
        yield {"form": DaysForm(name=self.parameter_name, data=self.used_parameters)}
