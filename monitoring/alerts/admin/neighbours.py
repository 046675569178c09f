"""The alerts before and after one, in the list that its page was opened from; else among those that are open."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.http import HttpRequest, QueryDict
from django.urls import reverse

from core.lists.pagination import beyond
from monitoring.models import Alert

# As the admin names the list's filters in the addresses of its rows.
FILTERS = "_changelist_filters"
PLACE = ("raised_at", "id")


def neighbours_of(model_admin: Any, request: HttpRequest, row: Alert) -> dict[str, str]:
    """The addresses of the `previous` alert, the `next` one, and the `list`."""
    filters = request.GET.get(FILTERS, "")
    rows, at = rows_of_list(model_admin, request, filters), (row.raised_at, row.pk)
    newer = beyond(rows, PLACE, at).order_by(*PLACE).values_list("pk", flat=True).first()
    older = (
        beyond(rows, PLACE, at, newest_first=True).order_by("-raised_at", "-id").values_list("pk", flat=True).first()
    )
    found = {"previous": newer, "next": older}
    addresses = {
        name: reverse("admin:monitoring_alert_change", args=[key])
        + (f"?{urlencode({FILTERS: filters})}" if filters else "")
        for name, key in found.items()
        if key
    }
    return {**addresses, "list": reverse("admin:monitoring_alert_changelist") + (f"?{filters}" if filters else "")}


def rows_of_list(model_admin: Any, request: HttpRequest, filters: str) -> QuerySet[Alert]:
    """As the list shows them with these filters, which come from the address and may be anything."""
    chosen: dict[str, Any] = dict(QueryDict(filters).lists())
    rows: QuerySet[Alert] = model_admin.get_queryset(request)
    for kind in model_admin.list_filter:
        rows = kind(request, chosen, Alert, model_admin).queryset(request, rows)
    words = (chosen.get("q") or [""])[-1]
    found, _may_repeat = model_admin.get_search_results(request, rows, words)
    return found  # type: ignore[no-any-return]
