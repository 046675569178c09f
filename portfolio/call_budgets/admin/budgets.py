"""The page of call budgets, and the form of one."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.utils.formats import date_format
from django.utils.translation import gettext

from core.actors import actor_of
from core.admin.base import PageAdmin
from core.text import counted
from portfolio.call_budgets.budgets import BudgetMonth, budgets_of, earlier_months, ensure_budgets, set_budget
from portfolio.call_budgets.calls import this_month
from portfolio.models import DEFAULT_CALLS_PER_MONTH, CallBudget, CallKind, Contract


@admin.register(CallBudget)
class CallBudgetAdmin(PageAdmin):
    fields = ("contract", "kind", "calls_per_month")
    readonly_fields = ("contract", "kind")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: CallBudget | None = None) -> bool:
        return False

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """All kinds of all contracts, also where nobody has set a limit."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        contracts = list(Contract.objects.order_by("name"))
        budgets = budgets_of(contracts)
        shown = [_contract(one, [row for row in budgets if row.budget.contract_id == one.pk]) for one in contracts]
        month = date_format(this_month(), "YEAR_MONTH_FORMAT")
        context = {"contracts": shown, "month": month, "may_change": self.has_change_permission(request)}
        return self.page(request, "portfolio/call_budgets/budgets.html", title=gettext("Call budgets"), **context)

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> Any:
        if self.has_change_permission(request):
            ensure_budgets()
        return super().change_view(request, object_id, *args, **kwargs)

    def get_form(self, request: HttpRequest, obj: CallBudget | None = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        if obj and (field := form.base_fields.get("calls_per_month")):
            default = counted(DEFAULT_CALLS_PER_MONTH[CallKind(obj.kind)])
            words = gettext("%(help_text)s Default: %(words)s.")
            field.help_text = words % {"help_text": field.help_text, "words": default}
        return form

    def save_model(self, request: HttpRequest, obj: CallBudget, form: forms.ModelForm[Any], change: bool) -> None:
        set_budget(obj, form.cleaned_data["calls_per_month"], changed_by=actor_of(request))


def _contract(contract: Contract, rows: list[BudgetMonth]) -> dict[str, Any]:
    earlier = [
        (date_format(month, "YEAR_MONTH_FORMAT"), [used.get(kind, 0) for kind in CallKind])
        for month, used in earlier_months(contract)
    ]
    return {"contract": contract, "budgets": rows, "earlier": earlier, "kinds": CallKind.labels}
