"""Who may use the API: programs by key, and people who are signed in as staff."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import AnonymousUser
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import SAFE_METHODS, BasePermission

from dnbmon_site.models import ApiKey

if TYPE_CHECKING:
    # DRF's views load this module by their settings, so it cannot load them.
    from rest_framework.request import Request
    from rest_framework.views import APIView

READ, WRITE = "read", "write"


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
        scheme, _, plain = get_authorization_header(request).decode("latin-1").partition(" ")
        if scheme.lower() != "bearer":
            return None
        plain = plain.strip()
        key = ApiKey.authenticate(plain) if plain.isascii() and plain.isprintable() else None
        if key is None:
            raise AuthenticationFailed("This key is unknown, expired or revoked.")
        return Program(key), key

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="api"'


class MayUse(BasePermission):
    """Keys by their scopes; people who are signed in as staff."""

    message = "The key lacks the scope for this, or you are not staff."

    def has_permission(self, request: Request, view: APIView) -> bool:
        if isinstance(request.auth, ApiKey):
            return request.auth.allows(READ if request.method in SAFE_METHODS else WRITE)
        return bool(request.user and request.user.is_staff)
