"""A new rule that begins as a copy of a default one: what users look for by plain words is there already."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.admin.base import PageAdmin
from monitoring.alerts.default_rules import DEFAULT_RULES, columns_of

START = "from"


class StartsFromDefaults(PageAdmin):
    search_fields = ("name", "description")
    search_help_text = _("Words of the name or description, such as “failure score drops” or “insolvency”")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Default rules also by the words of today's defaults: those that are there may have earlier ones."""
        found, has_doubles = super().get_search_results(request, queryset, search_term)
        words = search_term.casefold().split()
        keys = [key for key, text in _texts().items() if words and all(word in text for word in words)]
        return (found | queryset.filter(default_key__in=keys) if keys else found), has_doubles

    def get_changeform_initial_data(self, request: HttpRequest) -> Any:
        """Of a default rule that the address names, all that the form has."""
        name = request.GET.get(START, "")
        if name not in DEFAULT_RULES:
            return super().get_changeform_initial_data(request)
        columns = columns_of(name)
        return {**columns, "name": gettext("%(rule)s (copy)") % {"rule": columns["name"]}}

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None) -> Any:
        return super().add_view(request, form_url, {**(extra_context or {}), "starts": starts(request)})


def _texts() -> dict[str, str]:
    return {key: f"{rule['name']} {rule['description']}".casefold() for key, rule in DEFAULT_RULES.items()}


def starts(request: HttpRequest) -> list[tuple[str, str, str, bool]]:
    """The default rules: address, name, description, and whether the form shows it."""
    address, chosen = reverse("admin:monitoring_alertrule_add"), request.GET.get(START, "")
    return [
        (f"{address}?{START}={key}", str(rule["name"]), str(rule["description"]), key == chosen)
        for key, rule in DEFAULT_RULES.items()
    ]
