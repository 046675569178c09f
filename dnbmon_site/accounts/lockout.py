"""Failed logins, counted and limited (django-axes).

Five failures in a quarter of an hour lock one name at one address. So that neither many names from one address nor
many addresses at one name continue for ever, fifty of either lock the address or the name.
"""

# mypy: allow-subclassing-any

from __future__ import annotations

from ipaddress import ip_address
from typing import Any

from axes.handlers.database import AxesDatabaseHandler
from axes.models import AccessAttempt
from django.conf import settings
from django.db.models import Sum
from django.db.models.signals import pre_save
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

# How often more an address or a name alone may fail than both together.
WIDER = 10


class Attempts(AxesDatabaseHandler):
    def user_login_failed(
        self, sender: Any, credentials: dict[str, Any], request: HttpRequest | None = None, **kwargs: Any
    ) -> None:
        """Only names and passwords can be guessed: a login at the identity provider that fails is not counted."""
        if credentials.get("username"):
            super().user_login_failed(sender, credentials, request, **kwargs)

    def get_failures(self, request: HttpRequest, credentials: dict[str, Any] | None = None) -> int:
        pair, *wider = (failures(attempts) for attempts in self.get_user_attempts(request, credentials))
        return int(max(pair, *(count // WIDER for count in wider)))

    def reset_user_attempts(self, request: HttpRequest, credentials: dict[str, Any] | None = None) -> int:
        """Who came in is forgiven, at this address: an attacker with a name of his own cannot wipe out the others."""
        pair = self.filter_user_attempts(request, credentials)[0]
        return int(pair.delete()[0])


def failures(attempts: Any) -> int:
    return attempts.aggregate(found=Sum("failures_since_start"))["found"] or 0


@receiver(pre_save, sender=AccessAttempt)
def keep_no_forms(instance: AccessAttempt, **kwargs: Any) -> None:
    """What was typed is not kept: it may hold a password in the wrong field, and grows with every attempt."""
    instance.get_data = instance.post_data = ""


def address_of(request: HttpRequest) -> str | None:
    """Where a request comes from: behind a proxy what the proxy saw, which it writes last."""
    seen = request.META.get("REMOTE_ADDR", "")
    if settings.BEHIND_PROXY:
        seen = request.META.get("HTTP_X_FORWARDED_FOR", seen).rpartition(",")[2]
    try:
        return str(ip_address(seen.strip()))
    except ValueError:
        return None


def locked(request: HttpRequest, response: HttpResponse | None, credentials: dict[str, Any] | None) -> HttpResponse:
    """The page instead of the form, after too many failures."""
    seconds = int(settings.AXES_COOLOFF_TIME.total_seconds())
    page = render(request, "dnbmon_site/accounts/locked.html", {"minutes": seconds // 60}, status=429)
    page["Retry-After"] = seconds
    return page
