"""Each user's own page of two-step verification: set up, new recovery codes, turn off."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import segno
from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache

from core.actors import actor_of
from core.admin.base import Secret, shown_once
from core.audit import record
from core.encryption import SecretLost, decrypted, encrypted
from dnbmon_site.accounts.lockout import locked
from dnbmon_site.accounts.models import SecondFactor, User
from dnbmon_site.accounts.second_factor import codes
from dnbmon_site.accounts.second_factor.login import CODE_GIVEN, WRONG_CODE, is_locked, is_right
from dnbmon_site.accounts.second_factor.requirement import is_required

# The secret of a set-up that is under way, encrypted, in the session.
OFFERED = "second_factor_offered"
PLACE = "second_factor"


@never_cache
def page(request: HttpRequest) -> HttpResponse:
    user = User.objects.get(username=request.user.get_username())
    if not user.has_usable_password():
        raise Http404
    if request.method == "POST":
        return ACTS.get(request.POST.get("act", ""), _unknown)(request, user)
    factor = SecondFactor.objects.filter(user=user).first()
    context: dict[str, Any] = {"factor": factor, "is_required": is_required(user)}
    if factor:
        context["codes_left"] = codes.recovery_codes_left(user)
    else:
        secret = offered_secret(request)
        context |= {"secret": " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))}
        context["picture"] = qr_code(codes.enrolment_uri(user, secret))
    title = gettext("Two-step verification")
    return TemplateResponse(
        request,
        "dnbmon_site/accounts/second_factor.html",
        {**admin.site.each_context(request), "title": title, **context},
    )


def offered_secret(request: HttpRequest) -> str:
    """The same until it is confirmed: whoever reloads the page has already scanned it."""
    try:
        return decrypted(request.session[OFFERED], codes.PURPOSE)
    except (KeyError, SecretLost):
        secret = codes.new_secret()
        request.session[OFFERED] = encrypted(secret, codes.PURPOSE)
        return secret


def qr_code(text: str) -> SafeString:
    picture = segno.make(text, error="m").svg_inline(scale=5, dark="#000", light="#fff", title=gettext("QR code"))
    return mark_safe(picture)


def _turn_on(request: HttpRequest, user: User) -> HttpResponse:
    plain = codes.set_up(user, offered_secret(request), request.POST.get("code", "").replace(" ", ""))
    if plain is None:
        messages.error(request, gettext("The code is not the one that the app shows now. Enter the next code."))
        return redirect(PLACE)
    request.session.pop(OFFERED, None)
    request.session[CODE_GIVEN] = True
    return show_recovery_codes(request, plain)


def show_recovery_codes(request: HttpRequest, plain: list[str]) -> HttpResponse:
    return shown_once(
        request,
        [Secret(gettext("Recovery codes"), "  ".join(plain))],
        title=gettext("Recovery codes"),
        lead=gettext("Two-step verification is on. These are your recovery codes."),
        note=gettext(
            "Each code signs you in once if you do not have your phone. Keep the codes where you keep passwords."
        ),
        back=reverse(PLACE),
    )


def _with_code(act: Callable[[HttpRequest, User], HttpResponse]) -> Callable[[HttpRequest, User], HttpResponse]:
    """Who finds an unlocked screen has no code."""

    def guarded(request: HttpRequest, user: User) -> HttpResponse:
        if is_locked(request, user):
            return locked(request, None, None)
        if is_right(request, user, request.POST.get("code", "")):
            return act(request, user)
        messages.error(request, WRONG_CODE)
        return redirect(PLACE)

    return guarded


@_with_code
def _renew_codes(request: HttpRequest, user: User) -> HttpResponse:
    plain = codes.new_recovery_codes(user)
    summary = gettext("Recovery codes of %(user)s replaced") % {"user": user}
    record(actor=actor_of(request), action="person.recovery_codes", thing=user, summary=summary)
    return show_recovery_codes(request, plain)


@_with_code
def _turn_off(request: HttpRequest, user: User) -> HttpResponse:
    if is_required(user):
        messages.error(
            request, gettext("One of your roles requires two-step verification, so it cannot be turned off.")
        )
        return redirect(PLACE)
    codes.turn_off(user, by=actor_of(request))
    messages.success(request, gettext("Two-step verification is off."))
    return redirect(PLACE)


def _unknown(request: HttpRequest, user: User) -> HttpResponse:
    return redirect(PLACE)


ACTS = {"turn_on": _turn_on, "renew_codes": _renew_codes, "turn_off": _turn_off}
