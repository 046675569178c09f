"""Who has to set up two-step verification, and has not, reaches only the page to do so."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib.auth import BACKEND_SESSION_KEY
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext

from dnbmon_site.accounts.models import SecondFactorState, User
from dnbmon_site.accounts.oidc_settings import PASSWORDS
from dnbmon_site.api.problems import problem

# What is reached all the same: the page to set it up, the way out, and what pages are made of.
OPEN_PAGES = ("second_factor", "admin:logout", "sign_in", "live", "ready", "manifest", "service_worker", "offline")


class SecondFactorRequired:
    """Leads users who have to set it up to the page where they do."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not has_to_set_up(request) or request.path_info in open_paths():
            return self.get_response(request)
        if request.path_info.startswith("/api/"):
            return problem(403, gettext("Set up two-step verification first: open D&B Monitoring in a browser."))
        return redirect("second_factor")


def has_to_set_up(request: HttpRequest) -> bool:
    """Only who has signed in with a password here; a request with an API key has no user."""
    user = request.user
    return (
        isinstance(user, User)
        and user.second_factor == SecondFactorState.DUE
        and request.session.get(BACKEND_SESSION_KEY) == PASSWORDS
    )


def open_paths() -> set[str]:
    return {reverse(name) for name in OPEN_PAGES}
