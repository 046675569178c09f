"""Signing in with the company's own sign-in service (OpenID Connect, through mozilla-django-oidc).

Only the service's address, a client and its secret are configured; the rest is read where the standard says that it
stands. What the library leaves to its users is checked here: that a token is from this service and for this program,
that it has not expired, and that both of its answers speak of the same person. A person is known by the service's own
word for her (`sub`), which nobody else can get; by a mail address only once, and only if the service has verified it.
"""

# mypy: allow-subclassing-any

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Mapping
from functools import lru_cache, partial
from types import SimpleNamespace
from typing import Any

import jwt
import requests
from django.conf import settings
from django.contrib.auth.models import Group
from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from mozilla_django_oidc import auth
from mozilla_django_oidc.auth import OIDCAuthenticationBackend

from core.audit import record
from core.outbound.connections import NotReached
from core.outbound.http import ask
from dnbmon_site.accounts.models import User

logger = logging.getLogger(__name__)
ACTOR = "single sign-on"
ANEW_AFTER = 3600
MANY = 100
NO_ANSWER = (NotReached, requests.RequestException)
# The library asks the service through the guarded place; whatever else of `requests` it wanted would not be there.
auth.requests = SimpleNamespace(get=partial(ask, "GET"), post=partial(ask, "POST"))


class Refused(SuspiciousOperation):
    """The service did its part, and the person may not come in; the message is for her."""


def provider() -> Mapping[str, Any]:
    """What the service says of itself, read again each hour."""
    return _provider(settings.OIDC_ISSUER, int(time.time() // ANEW_AFTER))


@lru_cache(maxsize=2)
def _provider(issuer: str, hour: int) -> Mapping[str, Any]:
    answer = ask("GET", f"{issuer.rstrip('/')}/.well-known/openid-configuration", timeout=settings.OIDC_TIMEOUT)
    answer.raise_for_status()
    found: dict[str, Any] = answer.json()
    if found.get("issuer") != issuer:
        raise SuspiciousOperation(f"OIDC_ISSUER is {issuer}, and the service calls itself {found.get('issuer')}.")
    return found


class SingleSignOn(OIDCAuthenticationBackend):
    def __init__(self) -> None:
        """Asks nothing of the service: a backend is made for each request of whoever is signed in."""
        self.UserModel = User
        self.OIDC_RP_CLIENT_ID = settings.OIDC_RP_CLIENT_ID
        self.OIDC_RP_CLIENT_SECRET = settings.OIDC_RP_CLIENT_SECRET
        self.OIDC_RP_SIGN_ALGO = settings.OIDC_RP_SIGN_ALGO
        self.OIDC_RP_IDP_SIGN_KEY = None

    @property
    def OIDC_OP_TOKEN_ENDPOINT(self) -> str:
        return str(provider()["token_endpoint"])

    @property
    def OIDC_OP_USER_ENDPOINT(self) -> str:
        return str(provider()["userinfo_endpoint"])

    @property
    def OIDC_OP_JWKS_ENDPOINT(self) -> str:
        return str(provider()["jwks_uri"])

    def get_user(self, user_id: Any) -> User | None:
        """The library's lets people go on who were made inactive."""
        user = User.objects.filter(pk=user_id).first()
        return user if user and self.user_can_authenticate(user) else None

    def authenticate(self, request: HttpRequest | None, **kwargs: Any) -> User | None:
        try:
            user: User | None = super().authenticate(request, **kwargs)
        except (*NO_ANSWER, SuspiciousOperation, jwt.PyJWTError, KeyError, ValueError) as error:
            # Not the message: it may hold what the service answered.
            logger.warning("sign-in at %s failed: %s", settings.OIDC_ISSUER, type(error).__name__)
            return None
        return user

    def verify_token(self, token: str, **kwargs: Any) -> Mapping[str, Any]:
        """The signature and the nonce are looked at by the library, the end of its time by PyJWT."""
        payload: dict[str, Any] = super().verify_token(token, **kwargs)
        audience = payload.get("aud")
        if self.OIDC_RP_CLIENT_ID not in ([audience] if isinstance(audience, str) else audience or []):
            raise SuspiciousOperation("The token is for another program.")
        if payload.get("iss") != settings.OIDC_ISSUER or "exp" not in payload or not payload.get("sub"):
            raise SuspiciousOperation("The token is from elsewhere, for ever or for nobody.")
        return payload

    def get_userinfo(self, access_token: str, id_token: str, payload: Mapping[str, Any]) -> dict[str, Any]:
        """Groups stand in either answer, depending on the service."""
        if not provider().get("userinfo_endpoint"):
            return dict(payload)
        found: dict[str, Any] = super().get_userinfo(access_token, id_token, payload)
        if found.get("sub") != payload["sub"]:
            raise SuspiciousOperation("The service's two answers speak of two people.")
        return {**payload, **found}

    def get_or_create_user(self, access_token: str, id_token: str, payload: Mapping[str, Any]) -> User | None:
        claims = self.get_userinfo(access_token, id_token, payload)
        names = roles_of(claims)
        user = known_person(claims) or (new_person(claims) if names else None)
        if user:
            give_roles(user, names)
        if not user or not (user.is_superuser or user.groups.exists()):
            self.request.sign_in_trouble = NO_ROLE
            return None
        return user


NO_ROLE = _("You are known to the sign-in service, but have no role here. Ask whoever looks after the roles for one.")


def subject_of(claims: Mapping[str, Any]) -> str:
    return f"{settings.OIDC_ISSUER} {claims['sub']}"


def known_person(claims: Mapping[str, Any]) -> User | None:
    user = User.objects.filter(oidc_subject=subject_of(claims)).first()
    return user or person_by_mail(claims)


def person_by_mail(claims: Mapping[str, Any]) -> User | None:
    """Who was here before signing in elsewhere became possible: once, by an address that belongs to one person."""
    if claims.get("email_verified") is not True or not claims.get("email"):
        return None
    found = list(User.objects.filter(email__iexact=claims["email"], oidc_subject=None)[:2])
    if len(found) != 1:
        return None
    [user] = found
    user.oidc_subject = subject_of(claims)
    user.save(update_fields=["oidc_subject"])
    summary = gettext("%(user)s signs in with the sign-in service") % {"user": user}
    record(actor=ACTOR, action="person.linked", thing=user, summary=summary)
    return user


def new_person(claims: Mapping[str, Any]) -> User:
    user = User.objects.create_user(
        free_name(str(claims.get("preferred_username") or claims.get("email") or claims["sub"])),
        str(claims.get("email") or "")[:254],
        oidc_subject=subject_of(claims),
        first_name=str(claims.get("given_name") or "")[:150],
        last_name=str(claims.get("family_name") or "")[:150],
    )
    summary = gettext("%(user)s came in for the first time") % {"user": user}
    record(actor=ACTOR, action="person.added", thing=user, summary=summary)
    return user


def free_name(preferred: str) -> str:
    names = [preferred[:140], *(f"{preferred[:140]}-{number}" for number in range(2, MANY))]
    taken = set(User.objects.filter(username__in=names).values_list("username", flat=True))
    return next(name for name in names if name not in taken)


def roles_of(claims: Mapping[str, Any]) -> set[str]:
    """The roles that the person's groups stand for."""
    told = claims.get(settings.OIDC_GROUPS_CLAIM) or []
    groups: Iterable[Any] = [told] if isinstance(told, str) else told
    return {settings.OIDC_ROLES[group] for group in groups if group in settings.OIDC_ROLES}


def give_roles(user: User, names: set[str]) -> None:
    """Exactly these of the roles that groups stand for; others, given by hand, stay."""
    before = set(user.groups.values_list("name", flat=True))
    after = (before - set(settings.OIDC_ROLES.values())) | names
    if before != after:
        user.groups.set(Group.objects.filter(name__in=after))
        summary = gettext("Roles of %(user)s by the groups of the sign-in service: %(roles)s")
        summary %= {"user": user, "roles": ", ".join(sorted(after)) or gettext("none")}
        lists = {"before": {"roles": sorted(before)}, "after": {"roles": sorted(after)}}
        record(actor=ACTOR, action="person.roles", thing=user, summary=summary, **lists)
    is_staff = user.is_superuser or bool(after)
    if user.is_staff != is_staff:
        user.is_staff = is_staff
        user.save(update_fields=["is_staff"])
