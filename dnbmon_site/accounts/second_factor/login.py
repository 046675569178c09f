"""The second step of a login: the password was right, and the code is still to come.

Until then nobody is signed in. The session keeps for ten minutes whose code is awaited; a wrong code counts like a
wrong password (lockout.py).
"""

from __future__ import annotations

import time

from axes.handlers.proxy import AxesProxyHandler
from django import forms
from django.contrib.auth import REDIRECT_FIELD_NAME, login
from django.contrib.auth.signals import user_login_failed
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache

from dnbmon_site.accounts.lockout import locked
from dnbmon_site.accounts.models import User
from dnbmon_site.accounts.oidc_settings import PASSWORDS
from dnbmon_site.accounts.second_factor.codes import check

WRONG_CODE = _("This code is wrong or was used before. Wait for the next one, then try again.")
AWAITED = "second_factor_awaited"
# In a session whose user has entered a code.
CODE_GIVEN = "second_factor_given"
LASTS_SECONDS = 600


def await_code(request: HttpRequest, user: User) -> None:
    request.session.cycle_key()
    target = request.POST.get(REDIRECT_FIELD_NAME) or request.GET.get(REDIRECT_FIELD_NAME) or ""
    # The password is bound to it: once changed, what was typed before no longer leads on.
    request.session[AWAITED] = [str(user.pk), user.get_session_auth_hash(), time.time(), target]
    request.awaits_code = True  # type: ignore[attr-defined]


def is_awaiting_code(request: HttpRequest) -> bool:
    """Whether this very request has given a right password."""
    return getattr(request, "awaits_code", False)


def awaited(request: HttpRequest) -> tuple[User, str] | None:
    """Whose code is awaited, and where it leads."""
    key, auth_hash, since, target = request.session.get(AWAITED) or ("", "", 0.0, "")
    if not key or time.time() - since > LASTS_SECONDS:
        return None
    user = User.objects.filter(pk=key, is_active=True).first()
    return (user, target) if user and user.get_session_auth_hash() == auth_hash else None


class CodeForm(forms.Form):
    code = forms.CharField(
        label=_("Code"),
        max_length=40,
        help_text=_("The six digits that your authenticator app shows, or one of your recovery codes."),
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "autofocus": True, "spellcheck": "false"}),
    )

    def __init__(self, request: HttpRequest, user: User) -> None:
        super().__init__(request.POST or None)
        self.request, self.user = request, user

    def clean_code(self) -> str:
        code = str(self.cleaned_data["code"])
        if not is_right(self.request, self.user, code):
            raise ValidationError(WRONG_CODE)
        return code


def is_right(request: HttpRequest, user: User, code: str) -> bool:
    """A wrong code counts like a wrong password, wherever it is entered."""
    if check(user, code):
        return True
    user_login_failed.send(__name__, credentials={"username": user.get_username()}, request=request)
    return False


def is_locked(request: HttpRequest, user: User) -> bool:
    return not AxesProxyHandler.is_allowed(request, {"username": user.get_username()})


@never_cache
def login_code(request: HttpRequest) -> HttpResponse:
    found = awaited(request)
    if found is None:
        return redirect("admin:login")
    user, target = found
    if is_locked(request, user):
        return locked(request, None, None)
    form = CodeForm(request, user)
    if request.method == "POST" and form.is_valid():
        del request.session[AWAITED]
        login(request, user, backend=PASSWORDS)
        request.session[CODE_GIVEN] = True
        return redirect(safe_target(request, target))
    return render(request, "dnbmon_site/accounts/login_code.html", {"form": form})


def safe_target(request: HttpRequest, target: str) -> str:
    hosts = {request.get_host()}
    is_safe = url_has_allowed_host_and_scheme(target, allowed_hosts=hosts, require_https=request.is_secure())
    return target if is_safe else reverse("admin:index")
