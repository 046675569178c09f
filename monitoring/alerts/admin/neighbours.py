"""The alerts before and after one, in the list that its page was opened from; else among those that are open."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from django.contrib.admin.views.main import ORDER_VAR
from django.db.models import QuerySet
from django.http import HttpRequest, QueryDict
from django.urls import reverse

from core.lists.pagination import beyond
from monitoring.alerts.admin.filters import DueFilter, StateFilter
from monitoring.models import Alert

# As the admin names the list's filters in the addresses of its rows.
FILTERS = "_changelist_filters"
PLACE = ("severity", "raised_at", "id")
BY_TIME = ("raised_at", "id")
BY_EXPOSURE = ("exposure", "raised_at", "id")
BY_DUE = ("due_at", "id")


def neighbours_of(model_admin: Any, request: HttpRequest, row: Alert) -> dict[str, str]:
    """The addresses of the `previous` alert, the `next` one, and the `list`."""
    filters = request.GET.get(FILTERS, "")
    place, is_ascending = order_of(model_admin.get_list_display(request), filters)
    if place == BY_DUE and row.due_at is None:
        place, is_ascending = PLACE, False
    rows, at = (
        rows_of_list(model_admin, request, filters),
        [row.pk if name == "id" else getattr(row, name) for name in place],
    )
    above = beyond(rows, place, at).order_by(*place).values_list("pk", flat=True).first()
    falling = [f"-{name}" for name in place]
    below = beyond(rows, place, at, newest_first=True).order_by(*falling).values_list("pk", flat=True).first()
    found = {"previous": below, "next": above} if is_ascending else {"previous": above, "next": below}
    addresses = {
        name: reverse("admin:monitoring_alert_change", args=[key])
        + (f"?{urlencode({FILTERS: filters})}" if filters else "")
        for name, key in found.items()
        if key
    }
    return {**addresses, "list": reverse("admin:monitoring_alert_changelist") + (f"?{filters}" if filters else "")}


def order_of(list_display: Sequence[Any], filters: str) -> tuple[tuple[str, ...], bool]:
    """The fields that order the list, and whether it begins with the smallest."""
    chosen = QueryDict(filters)
    asked = chosen.get(ORDER_VAR, "").partition(".")[0]
    # Before the columns of the list stands the one with the boxes; after them due dates, where all have one.
    columns = dict(enumerate((*list_display, "due_cell"), start=1))
    number = asked.lstrip("-")
    column = columns.get(int(number)) if number.isdecimal() else None
    if not asked and chosen.get(DueFilter.parameter_name):
        column = "due_cell"
    place = {"raised": BY_TIME, "at_stake": BY_EXPOSURE, "due_cell": BY_DUE}.get(str(column), PLACE)
    return place, column in ("raised", "severity_badge", "at_stake", "due_cell") and not asked.startswith("-")


def rows_of_list(model_admin: Any, request: HttpRequest, filters: str) -> QuerySet[Alert]:
    """As the list shows them with these filters, which come from the address and may be anything."""
    chosen: dict[str, Any] = dict(QueryDict(filters).lists())
    rows: QuerySet[Alert] = model_admin.get_queryset(request)
    for kind in model_admin.list_filter:
        # Others leave nothing out, and would read what can be chosen in them.
        if kind is StateFilter or any(name.startswith(kind.parameter_name) for name in chosen):
            rows = kind(request, chosen, Alert, model_admin).queryset(request, rows)
    words = (chosen.get("q") or [""])[-1]
    found, _may_repeat = model_admin.get_search_results(request, rows, words)
    return found  # type: ignore[no-any-return]
