"""Access to the API: programs by key, and users who are signed in as staff."""

from __future__ import annotations

from datetime import UTC, datetime
from hmac import compare_digest
from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.http import HttpRequest
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.permissions import SAFE_METHODS, BasePermission

from core.api.scopes import READ, split_scopes
from core.urls import link
from core.visibility import Scope, is_restricted
from dnbmon_site.accounts.models import ApiKey, hashed

if TYPE_CHECKING:
    # DRF's views load this module by their settings, so it cannot load them.
    from rest_framework.request import Request
    from rest_framework.views import APIView

REJECTED = (
    "This API key is invalid, or only a part of one. Check that the header holds the whole key, or ask an administrator"
    " for a new one."
)
NEW_ONE = "Ask an administrator for a new one."
ALL_UNITS = (
    "This address covers all business units, and you see only some of them. An administrator can give you access to all"
    " under “Business units”."
)
REALM = 'Bearer realm="api"'


def presented_key(request: HttpRequest | Request) -> str | None:
    """The key of an `Authorization: Bearer …`, valid or not; None where there is no such header."""
    header = request.META.get("HTTP_AUTHORIZATION", "")
    scheme, _, plain = str(header).partition(" ")
    if scheme.lower() != "bearer":
        return None
    plain = plain.strip()
    return plain if plain.isascii() and plain.isprintable() else ""


def key_of(request: HttpRequest) -> ApiKey | None:
    """The valid key of a request, looked up once however many ask."""
    if "api_key" not in vars(request):
        plain = presented_key(request)
        vars(request)["api_key"] = None if plain is None else ApiKey.authenticate(plain)
    key: ApiKey | None = vars(request)["api_key"]
    return key


def why_refused(plain: str) -> str:
    """When a key ended, to who holds the whole of it. Of all others, nothing is revealed."""
    _, prefix, secret = (*plain.split("_", 2), "", "")[:3]
    named = models.Q(prefix=prefix) | models.Q(old_prefix=prefix)
    presented = hashed(secret)
    for row in ApiKey.objects.filter(named) if prefix and secret else ():
        is_old = compare_digest(row.old_hashed, presented)
        if (is_old or compare_digest(row.hashed, presented)) and (end := _end_of(row, is_old=is_old)):
            return f"This API key {end}. {NEW_ONE}"
    return REJECTED


def _end_of(row: ApiKey, *, is_old: bool) -> str:
    if row.revoked_at:
        return f"was revoked on {_time(row.revoked_at)}"
    if row.expires_at and not row.is_valid:
        return f"expired on {_time(row.expires_at)}"
    return f"was replaced by a new one, and ended on {_time(row.old_until)}" if is_old and row.old_until else ""


def _time(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


class Program(AnonymousUser):
    """Who holds a key: no person, and known all the same."""

    def __init__(self, key: ApiKey) -> None:
        super().__init__()
        self.key = key

    def __str__(self) -> str:
        return str(self.key)

    def read_scope(self) -> Scope:
        return self.key.read_scope()

    @property
    def is_anonymous(self) -> Any:
        return False

    @property
    def is_authenticated(self) -> Any:
        return True


class KeyAuthentication(BaseAuthentication):
    """`Authorization: Bearer dnbmon_…`"""

    def authenticate(self, request: Request) -> tuple[Program, ApiKey] | None:
        if presented_key(request) is None:
            return None
        key = key_of(request._request)
        if key is None:
            raise AuthenticationFailed(why_refused(presented_key(request) or ""))
        return Program(key), key

    def authenticate_header(self, request: Request) -> str:
        return REALM


class ScopeMissing(PermissionDenied):
    """403 with the missing scope, as a sentence and as RFC 6750 has it for clients."""

    def __init__(self, scope: str, key: ApiKey, *, page: str = "") -> None:
        super().__init__(scope_missing(scope, key.scopes, page=page))
        self.auth_header = f'{REALM}, error="insufficient_scope", scope="{scope}"'


def scope_missing(scope: str, scopes: str, *, page: str = "") -> str:
    """`page` is where a user does what no key may."""
    if not scope:
        return " ".join(["API keys cannot do this. A user has to sign in.", *([f"The page is {page}"] if page else [])])
    has = ", ".join(split_scopes(scopes)) or "none"
    return (
        f"This API key needs the scope “{scope}”. Its scopes are: {has}. An administrator can add it under “API keys”."
    )


class IsKnown(BasePermission):
    """Any valid key, and people who are signed in as staff."""

    message = "You have no role. Ask an administrator to assign one to you under “Users”."

    def has_permission(self, request: Request, view: APIView) -> bool:
        return isinstance(request.auth, ApiKey) or bool(request.user and request.user.is_staff)


class MayUse(IsKnown):
    """Keys by their scopes; people who are signed in as staff by their rights on what the view shows or changes."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        if not super().has_permission(request, view):
            return False
        # What the address does not take at all is answered with 405.
        if hasattr(view, str(request.method).lower()):
            method = "GET" if request.method in SAFE_METHODS else str(request.method)
            _check(request, view, method)
            _check_units(request, view, method)
        return True


def _check(request: Request, view: APIView, method: str) -> None:
    if isinstance(request.auth, ApiKey):
        if not request.auth.allows(scope := scope_of(view, method)):
            raise ScopeMissing(scope, request.auth, page=_page_of(view))
        return
    right = getattr(view, "permissions", {}).get(method)
    if right is not None and not request.user.has_perm(right):
        raise PermissionDenied(f"Your roles do not include the permission “{right}”. Ask an administrator.")


def _page_of(view: APIView) -> str:
    """Of what the address names, where only users may do it."""
    name = getattr(view, "page_for_users", "")
    return link(name, view.kwargs["id"]) if name else ""


def _check_units(request: Request, view: APIView, method: str) -> None:
    """A view that does not state that it answers by business unit is for those who see everything."""
    if method not in getattr(view, "by_unit", ()) and is_restricted(request.auth or request.user):
        raise PermissionDenied(ALL_UNITS)


def scope_of(view: APIView, method: str) -> str:
    """The view's word; else reading for reads, and none for writes: those no key may do."""
    scopes: dict[str, str] = getattr(view, "scopes", {})
    return scopes.get(method, READ if method == "GET" else "")
