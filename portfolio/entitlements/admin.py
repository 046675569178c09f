"""The page of what a contract's key may use."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from core.actors import actor_of
from core.admin.base import ReadOnlyAdmin
from portfolio.entitlements.fetch import FAILURES, fetch_for
from portfolio.entitlements.rights import days_left, known_entitlements, rights_in
from portfolio.models import Contract, Entitlements

MAY_FETCH = "portfolio.change_registration"


@admin.register(Entitlements)
class EntitlementsAdmin(ReadOnlyAdmin):
    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_POST(self.fetch))
        return [path("<str:name>/fetch/", view, name="portfolio_entitlements_fetch"), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        shown = [_contract(contract, row) for contract, row in known_entitlements()]
        context = {"contracts": shown, "may_fetch": request.user.has_perm(MAY_FETCH)}
        return self.page(request, "portfolio/entitlements/entitlements.html", title=gettext("Entitlements"), **context)

    def fetch(self, request: HttpRequest, name: str) -> HttpResponse:
        if not request.user.has_perm(MAY_FETCH):
            raise PermissionDenied
        try:
            fetch_for(get_object_or_404(Contract, pk=name), requested_by=actor_of(request))
        except FAILURES as error:
            messages.error(request, gettext("The entitlements were not updated: %(reason)s") % {"reason": error})
        else:
            messages.success(request, gettext("Entitlements updated."))
        return HttpResponseRedirect(reverse("admin:portfolio_entitlements_changelist"))


def _contract(contract: Contract, row: Entitlements) -> dict[str, Any]:
    rights = rights_in(row.answer)
    return {
        "contract": contract,
        "row": row,
        "rights": rights,
        "tables": [(gettext("Data blocks"), rights.blocks), (gettext("Products"), rights.products)],
        "days_left": days_left(rights),
    }
