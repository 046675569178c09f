"""The login pages: the form, the button that leads to the identity provider, and the way back."""

# mypy: allow-subclassing-any

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.forms import PasswordResetForm
from django.contrib.auth.views import PasswordResetConfirmView, PasswordResetView
from django.core.exceptions import SuspiciousOperation, ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext_lazy as _
from mozilla_django_oidc.views import OIDCAuthenticationCallbackView, OIDCAuthenticationRequestView
from unfold.forms import AuthenticationForm

from core.urls import site_url
from dnbmon_site.accounts.models import SecondFactor
from dnbmon_site.accounts.oidc import MALFORMED, NO_ANSWER, provider
from dnbmon_site.accounts.second_factor.login import await_code, is_awaiting_code
from dnbmon_site.version import NAME

logger = logging.getLogger(__name__)
View = Callable[..., HttpResponseBase]
# What OIDC_NAME is unless it is set.
UNNAMED = gettext_noop("your company's account")
AWAY = _("The identity provider cannot be reached. Try again in a few minutes.")
# In the session: the user who has just chosen a password, and signs in next.
CHOSEN_BY = "password_chosen_by"
AGAIN = _("Login failed. Try again. If it keeps failing, contact your administrator.")


def only_with(setting: str) -> Callable[[View], View]:
    """For pages that are there only when a setting says so."""

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not getattr(settings, setting):
                raise Http404
            return view(request, *args, **kwargs)

        return guarded

    return decorate


class SignInForm(AuthenticationForm):
    """Unfold's, without Django's “staff account”: here each user is one."""

    error_messages = {
        **AuthenticationForm.error_messages,
        "invalid_login": _("The username or the password is wrong. Both are case-sensitive. Try again."),
    }

    def __init__(self, request: HttpRequest | None = None, *args: Any, **kwargs: Any) -> None:
        super().__init__(request, *args, **kwargs)
        if request is not None:
            self.initial.setdefault("username", request.session.get(CHOSEN_BY, ""))

    def confirm_login_allowed(self, user: Any) -> None:
        """Who uses two-step verification is not let in by the password alone."""
        super().confirm_login_allowed(user)
        if SecondFactor.objects.filter(user=user).exists():
            await_code(self.request, user)
            raise ValidationError(gettext("Enter the code of your authenticator app."), code="second_factor")


def sign_in(request: HttpRequest) -> HttpResponse:
    """The admin's page, with a button for the identity provider, and without the form where only that is used."""
    if request.method == "POST" and not settings.LOCAL_LOGIN:
        return redirect("admin:login")
    context: dict[str, Any] = {"has_form": settings.LOCAL_LOGIN, "is_demo": settings.DEMO}
    if settings.OIDC_ISSUER:
        target = request.GET.get(REDIRECT_FIELD_NAME) or reverse("admin:index")
        address = f"{reverse('oidc_authentication_init')}?{urlencode({REDIRECT_FIELD_NAME: target})}"
        context |= {"single_sign_on": gettext(settings.OIDC_NAME), "single_sign_on_address": address}
    page = admin.site.login(request, context)
    return redirect("login_code") if is_awaiting_code(request) else page


class NewPassword(PasswordResetView):
    """The link in the email leads to the site's own address, whatever host and port were asked for."""

    def form_valid(self, form: PasswordResetForm) -> HttpResponse:
        site = urlsplit(site_url())
        self.extra_email_context = {"protocol": site.scheme, "domain": site.netloc + site.path, "site_name": NAME}
        return super().form_valid(form)


class ChoosePassword(PasswordResetConfirmView):
    """The page of such a link, and of an invitation; deactivated users have none."""

    def get_user(self, uidb64: str) -> Any:
        user = super().get_user(uidb64)
        return user if user and user.is_active else None

    def form_valid(self, form: Any) -> HttpResponse:
        self.request.session[CHOSEN_BY] = form.user.get_username()
        return super().form_valid(form)


class Begin(OIDCAuthenticationRequestView):
    @staticmethod
    def get_settings(name: str, *default: Any) -> Any:
        if name == "OIDC_OP_AUTHORIZATION_ENDPOINT":
            return provider()["authorization_endpoint"]
        return OIDCAuthenticationRequestView.get_settings(name, *default)


@only_with("OIDC_ISSUER")
def start(request: HttpRequest) -> HttpResponseBase:
    """To the identity provider."""
    try:
        answer: HttpResponseBase = Begin.as_view()(request)
    except (*NO_ANSWER, *MALFORMED) as error:
        logger.warning("the identity provider %s did not answer as it should: %s", settings.OIDC_ISSUER, error)
        messages.error(request, AWAY)
        return redirect("admin:login")
    return answer


class Back(OIDCAuthenticationCallbackView):
    """From the identity provider."""

    def get(self, request: HttpRequest) -> HttpResponse:
        try:
            answer: HttpResponse = super().get(request)
        except SuspiciousOperation:
            # An old tab, or the way back twice; what is not ours ends here too.
            return self.login_failure()
        return answer

    def login_failure(self) -> HttpResponse:
        messages.error(self.request, getattr(self.request, "sign_in_refusal", AGAIN))
        return redirect("admin:login")


back = only_with("OIDC_ISSUER")(Back.as_view())
