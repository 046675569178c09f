"""“Find a company”: what is known about it, the call that this makes, and the search that it becomes."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django_countries import countries

from core.actors import actor_of
from direct_plus.candidates import CompanyQuery
from portfolio.call_budgets.confirmation import confirmed_in, planned_calls
from portfolio.company_search.single import search_company
from portfolio.entitlements.rights import entitled
from portfolio.models import CallKind, CompanySearch, Contract

FIELDS = ("name", "country", "street", "city", "postal_code", "registration_number", "telephone")


class FindForm(forms.Form):
    key = forms.UUIDField()
    contract = forms.ModelChoiceField(Contract.objects.order_by("name"))
    kind = forms.ChoiceField(choices=[(kind.value, kind.label) for kind in (CallKind.MATCH, CallKind.TYPEAHEAD)])
    name = forms.CharField(label=_("Name"), max_length=300)
    country = forms.ChoiceField(label=_("Country"), choices=lambda: [("", ""), *countries])
    street = forms.CharField(label=_("Street"), max_length=200, required=False)
    city = forms.CharField(label=_("City"), max_length=100, required=False)
    postal_code = forms.CharField(label=_("Postal code"), max_length=20, required=False)
    registration_number = forms.CharField(label=_("Registration number"), max_length=60, required=False)
    telephone = forms.CharField(label=_("Telephone"), max_length=40, required=False)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for name in FIELDS:
            self.fields[name].widget.attrs["class"] = "dm-input"

    @property
    def asked(self) -> list[forms.BoundField]:
        return [self[name] for name in FIELDS]


def contract_of(request: HttpRequest) -> Contract | None:
    name = request.POST.get("contract") or request.GET.get("contract")
    rows = Contract.objects.order_by("name")
    return (rows.filter(pk=name).first() if name else None) or rows.first()


def find_form(request: HttpRequest) -> FindForm:
    """What was sent, or what the address names: a search is offered again with what was known."""
    if request.method == "POST":
        return FindForm(request.POST)
    return FindForm(initial={name: request.GET.get(name, "") for name in FIELDS})


def find_context(request: HttpRequest, contract: Contract | None, form: FindForm) -> dict[str, Any]:
    context: dict[str, Any] = {
        "form": form,
        "key": request.POST.get("key") or uuid.uuid4(),
        "contract": contract,
        "contracts": list(Contract.objects.order_by("name")),
    }
    if contract is not None:
        context["calls"] = planned_calls(contract, {CallKind.MATCH: 1})
    if contract is not None and entitled(contract, "typeahead"):
        context["typeahead"] = planned_calls(contract, {CallKind.TYPEAHEAD: 1})
    return context


def search_from(request: HttpRequest, given: Mapping[str, Any]) -> CompanySearch:
    """The call that is confirmed is the one of the button that was pressed."""
    kind, shown = CallKind(given["kind"]), confirmed_in(request.POST)
    return search_company(
        contract=given["contract"],
        query=CompanyQuery(*(given[name] for name in FIELDS)),
        confirmed={kind: shown[kind]} if kind in shown else {},
        requested_by=actor_of(request),
        kind=kind,
        key=given["key"],
    )
