"""Who may use the API: programs by key, and people who are signed in as staff."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import SAFE_METHODS, BasePermission

from dnbmon_site.models import ApiKey

if TYPE_CHECKING:
    # DRF's views load this module by their settings, so it cannot load them.
    from rest_framework.request import Request
    from rest_framework.views import APIView

READ, WRITE = "read", "write"


def presented_key(request: HttpRequest | Request) -> str | None:
    """The key of an `Authorization: Bearer …`, valid or not; None where there is no such header."""
    header = request.META.get("HTTP_AUTHORIZATION", "")
    scheme, _, plain = str(header).partition(" ")
    if scheme.lower() != "bearer":
        return None
    plain = plain.strip()
    return plain if plain.isascii() and plain.isprintable() else ""


class Program(AnonymousUser):
    """Who holds a key: no person, and known all the same."""

    def __init__(self, key: ApiKey) -> None:
        super().__init__()
        self.key = key

    def __str__(self) -> str:
        return str(self.key)

    @property
    def is_anonymous(self) -> Any:
        return False

    @property
    def is_authenticated(self) -> Any:
        return True


class KeyAuthentication(BaseAuthentication):
    """`Authorization: Bearer dnbmon_…`"""

    def authenticate(self, request: Request) -> tuple[Program, ApiKey] | None:
        plain = presented_key(request)
        if plain is None:
            return None
        key = ApiKey.authenticate(plain)
        if key is None:
            raise AuthenticationFailed("This key is unknown, expired or revoked.")
        return Program(key), key

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="api"'


class MayUse(BasePermission):
    """Keys by their scopes; people who are signed in as staff by their rights on what the view shows or changes."""

    message = "The key lacks the scope for this, or your role the right."

    def has_permission(self, request: Request, view: APIView) -> bool:
        method = "GET" if request.method in SAFE_METHODS else str(request.method)
        if isinstance(request.auth, ApiKey):
            return request.auth.allows(scope_of(view, method))
        right = getattr(view, "permissions", {}).get(method)
        is_staff = bool(request.user and request.user.is_staff)
        return is_staff and (right is None or request.user.has_perm(right))


def scope_of(view: APIView, method: str) -> str:
    """The view's word; else reading for reads, and for writes one that no view of ours is opened by."""
    scopes: dict[str, str] = getattr(view, "scopes", {})
    return scopes.get(method, READ if method == "GET" else WRITE)
