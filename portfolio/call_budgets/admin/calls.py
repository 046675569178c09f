"""The list of calls that may cost."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import DropdownFilter

from core.admin.base import ReadOnlyAdmin
from core.admin.exports import ExportedList
from core.admin.filters import DaysFilter, choice_filter
from core.markup import badge, exact
from portfolio.models import CallKind, CallOutcome, Contract, DnbCall

TONES = {
    CallOutcome.CALLED: "info",
    CallOutcome.ANSWERED: "good",
    CallOutcome.REFUSED: "bad",
    CallOutcome.FAILED: "warn",
}


class ContractFilter(DropdownFilter):  # type: ignore[misc]
    title = _("contract")
    parameter_name = "contract"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, name) for name in Contract.objects.order_by("name").values_list("name", flat=True)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(contract=self.value()) if self.value() else queryset


@admin.register(DnbCall)
class DnbCallAdmin(ExportedList, ReadOnlyAdmin):
    list_display = ("moment", "kind", "about", "requested_by", "result", "code", "shown_contract")
    list_display_links = None
    list_filter = (
        choice_filter("kind", CallKind.choices, _("kind of call")),
        choice_filter("outcome", CallOutcome.choices, _("result")),
        ContractFilter,
        DaysFilter,
    )
    search_fields = ("about", "requested_by")
    search_help_text = _("Subject or user, in full")
    ordering = ("-id",)
    sortable_by = ()
    empty_title = _("No calls yet")
    empty_text = _(
        "Calls that may incur costs appear here as soon as they are made. Pulls are free, and listed under “Data "
        "pipeline”."
    )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[DnbCall], search_term: str
    ) -> tuple[QuerySet[DnbCall], bool]:
        """By equality, which an index answers."""
        text = search_term.strip()
        return (queryset.filter(Q(about=text) | Q(requested_by=text)) if text else queryset), False

    @admin.display(description=_("Time"))
    def moment(self, row: DnbCall) -> SafeString | str:
        return exact(row.called_at)

    @admin.display(description=_("Contract"))
    def shown_contract(self, row: DnbCall) -> str:
        return row.contract_id

    @admin.display(description=_("Result"))
    def result(self, row: DnbCall) -> SafeString:
        outcome = CallOutcome(row.outcome)
        return badge(outcome.label, TONES[outcome])
