"""The filters that are in use, as chips above the list: each says what it leaves, and is removed by itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.contrib.admin.views.main import PAGE_VAR, SEARCH_VAR
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext

from core.dates import read_day
from core.text import day_text


@dataclass(frozen=True, slots=True)
class Chip:
    name: str | Promise
    value: str
    without: str


def chips_of(change_list: Any, request: HttpRequest) -> list[Chip]:
    found = [Chip(gettext("search"), change_list.query, _without(request, SEARCH_VAR))] if change_list.query else []
    for spec in change_list.filter_specs:
        for name in map(str, spec.expected_parameters()):
            if values := [value for value in request.GET.getlist(name) if value]:
                shown = ", ".join(_value(spec, name, value, change_list) for value in values)
                found.append(Chip(_name(spec, name), shown, _without(request, name)))
        # What a list leaves out when it is opened is a filter too.
        found.extend(getattr(spec, "opening_chips", ()))
    return found


def _without(request: HttpRequest, name: str) -> str:
    rest = request.GET.copy()
    for one in (name, PAGE_VAR):
        rest.pop(one, None)
    return f"?{rest.urlencode(safe=',')}"


def _name(spec: Any, parameter: str) -> str | Promise:
    if _is_end_of_range(spec, parameter):
        words = gettext("%(title)s from") if parameter.endswith("_from") else gettext("%(title)s to")
        return words % {"title": spec.title}
    return spec.title  # type: ignore[no-any-return]


def _value(spec: Any, parameter: str, value: str, change_list: Any) -> str:
    if _is_end_of_range(spec, parameter):
        day = read_day(value)
        return day_text(day) if day else value
    # Of a filter that offers all values that there are, these are no pairs.
    pairs = (one for one in getattr(spec, "lookup_choices", ()) if isinstance(one, (tuple, list)))
    known = {str(key): str(label) for key, label in pairs}
    return known.get(value) or next(_selected(spec, change_list), value)


def _is_end_of_range(spec: Any, parameter: str) -> bool:
    return len(spec.expected_parameters()) > 1 and parameter.endswith(("_from", "_to"))


def _selected(spec: Any, change_list: Any) -> Iterator[str]:
    """Of Django's own filters, whose values have their words among the choices only."""
    return (str(choice["display"]) for choice in spec.choices(change_list) if choice.get("selected"))
