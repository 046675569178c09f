"""Rules by where they come from: the reader's own, those of others, and the default ones."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import DropdownFilter

from core.visibility import scope_of
from monitoring.models import AlertRule


def visible_rules(request: HttpRequest, rows: QuerySet[AlertRule]) -> QuerySet[AlertRule]:
    """Without those that have a limit of exposure, for those who may not see money: what such a rule raises, or would
    raise, shows who is above the limit."""
    scope = scope_of(request.user)
    if not scope.sees_all:
        # Alerts of rules that belong to no unit are everyone's.
        rows = rows.filter(Q(unit=None) | Q(unit__in=scope.units))
    return rows if request.user.has_perm("portfolio.view_exposure") else rows.filter(min_exposure=None)


class OriginFilter(DropdownFilter):  # type: ignore[misc]
    title = _("created by")
    parameter_name = "origin"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [
            ("mine", gettext("My rules")),
            ("shared", gettext("Shared rules")),
            ("default", gettext("Default rules")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value, name = self.value(), request.user.get_username()
        if value == "default":
            return queryset.exclude(default_key="")
        if value == "mine":
            return queryset.filter(default_key="", created_by=name)
        return queryset.filter(default_key="").exclude(created_by=name) if value == "shared" else queryset
