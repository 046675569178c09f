"""Who has to set up two-step verification, and has not, reaches only the page to do so; and a session that was opened
by the password alone ends once its user has set it up elsewhere."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib.auth import BACKEND_SESSION_KEY, logout
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext

from dnbmon_site.accounts.models import SecondFactorState, User
from dnbmon_site.accounts.oidc_settings import PASSWORDS
from dnbmon_site.accounts.second_factor.login import CODE_GIVEN
from dnbmon_site.api.problems import problem

# What is reached all the same: the page to set it up, the way out, and what pages are made of.
OPEN_PAGES = ("second_factor", "admin:logout", "sign_in", "live", "ready", "manifest", "service_worker", "offline")


class SecondFactorRequired:
    """Leads users who have to set it up to the page where they do."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        state = state_of(request)
        if state == SecondFactorState.ON and not request.session.get(CODE_GIVEN):
            # Somebody else may have opened it, with a stolen password.
            logout(request)
        elif state == SecondFactorState.DUE and request.path_info not in open_paths():
            if request.path_info.startswith("/api/"):
                return problem(403, gettext("Set up two-step verification first: open D&B Monitoring in a browser."))
            return redirect("second_factor")
        return self.get_response(request)


def state_of(request: HttpRequest) -> str:
    """Only of who has signed in with a password here; a request with an API key has no user."""
    user = request.user
    if isinstance(user, User) and user.second_factor and request.session.get(BACKEND_SESSION_KEY) == PASSWORDS:
        return user.second_factor
    return SecondFactorState.OFF


def open_paths() -> set[str]:
    return {reverse(name) for name in OPEN_PAGES}
