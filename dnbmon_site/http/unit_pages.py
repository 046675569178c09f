"""The pages for users of business units: those that show only what a unit sees.

Any other page is refused to them, so that a new one shows nothing of other units before somebody has looked at it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import Resolver404, resolve
from django.utils.translation import gettext
from django.views.generic import RedirectView

from core.visibility import is_restricted

# Lists and pages of these models, by what the ends of their names ask for.
OF_MODELS = {
    "portfolio_company": ("changelist", "change", "do", "export", "save", "columns"),
    "monitoring_change": ("changelist", "change", "export", "save", "columns", "pulse"),
    "monitoring_notification": ("changelist", "change", "export", "save", "columns"),
    "monitoring_alert": ("changelist", "change", "do", "export", "save", "columns"),
    # Read only; importing asks for its own permissions.
    "portfolio_registration": ("changelist", "change", "export", "save", "columns"),
    "portfolio_subjectimport": (
        *("changelist", "change", "do", "export", "save", "columns"),
        *("upload", "template", "validations"),
    ),
    "monitoring_decision": ("changelist", "change", "do", "export", "save", "columns", "decide", "limit"),
    "monitoring_duereview": ("changelist", "change", "export", "save", "columns"),
    "monitoring_review": ("changelist", "change", "export", "save", "columns"),
    "core_savedfilter": ("changelist", "change", "delete"),
    "core_export": ("changelist", "change", "download"),
    "monitoring_reportschedule": ("report", "pdf", "xlsx"),
}
# Without data of the portfolio, or with no more than what the reader sees.
OTHERS = (
    *("admin:index", "admin:login", "admin:logout", "admin:jsi18n", "admin:password_change"),
    *("admin:password_change_done", "help", "handbook", "live", "ready", "manifest", "service_worker"),
    *("offline", "preferences", "my_notifications", "second_factor", "seen", "search", "admin:search", "sign_in"),
    *("login_code", "admin_password_reset", "password_reset_done", "password_reset_confirm", "password_reset_complete"),
    *("oidc_authentication_init", "oidc_authentication_callback", "moved"),
    *("portfolio_risk", "portfolio_risk_movement", "portfolio_risk_trend", "portfolio_risk_uncounted"),
    "portfolio_risk_companies",
    *("portfolio_risk_pdf", "portfolio_risk_xlsx", "portfolio_risk_companies_csv"),
    *("portfolio_risk_companies_xlsx", "corporate_group"),
    *("family_tree", "family_tree_add", "company_dossier", "company_dossier_pdf"),
    # Asked for by the token of an email.
    *("admin:monitoring_channel_confirm", "admin:monitoring_channel_unsubscribe"),
)
PAGES = frozenset(OTHERS) | {f"admin:{model}_{page}" for model, pages in OF_MODELS.items() for page in pages}
# The API asks for itself, and answers in its own way.
API = "api/"


def is_open(name: str) -> bool:
    """Whether users of business units may open the page with this name."""
    return name in PAGES


def refusal() -> str:
    return gettext("This page shows data of all business units. Ask an administrator for access to all registrations.")


class UnitPages:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        request.opens = partial(_opens, request)  # type: ignore[attr-defined]
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> None:
        match = request.resolver_match
        if match is None or is_open(match.view_name) or match.route.startswith(API) or _leads_on(view):
            return
        if request.user.is_authenticated and is_restricted(request.user):
            raise PermissionDenied(refusal())


def _opens(request: HttpRequest, address: str) -> bool:
    """Whether a link leads the reader to a page, as far as their business units decide."""
    if not is_restricted(request.user):
        return True
    try:
        return is_open(resolve(urlsplit(address).path).view_name)
    except Resolver404:
        return False


def _leads_on(view: Any) -> bool:
    """Addresses that lead to others, and those where nothing is."""
    return getattr(view, "view_class", None) is RedirectView or getattr(view, "__name__", "") == "catch_all_view"
