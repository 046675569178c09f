"""Signing in with the company's identity provider (OpenID Connect, through mozilla-django-oidc).

Only the provider's address, a client and its secret are configured; the rest is read where the standard has it. What
the library leaves to its users is checked here: that a token is from this provider and for this client, that it has
not expired, and that both answers are about the same user. A user is known by the provider's own ID (`sub`), which no
one else can get; by an email address only once, only if the provider has verified it, and only if the account has no
permissions beyond those that the user's groups grant.
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
from django.contrib.auth.models import Group, Permission
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
from dnbmon_site.accounts.rights import InOneQuery, rights_of
from dnbmon_site.accounts.roles import ADMINISTRATOR

logger = logging.getLogger(__name__)
ACTOR = "single sign-on"
ANEW_AFTER = 3600
MANY = 100
NO_ANSWER = (NotReached, requests.RequestException)
# What comes of answers that are not as the standard has them: a list for an object, a number for a text, half a key.
MALFORMED = (SuspiciousOperation, jwt.PyJWTError, TypeError, AttributeError, LookupError, ValueError, ArithmeticError)
LONGEST_SUBJECT = 500
# The library asks the provider through the guarded place; nothing else of `requests` is there for it.
auth.requests = SimpleNamespace(get=partial(ask, "GET"), post=partial(ask, "POST"))


class Refused(Exception):
    """The provider did its part, and the user may not sign in; the message is for the user."""


def provider() -> Mapping[str, Any]:
    """The provider's own description, read again each hour."""
    return _provider(settings.OIDC_ISSUER, int(time.time() // ANEW_AFTER))


@lru_cache(maxsize=2)
def _provider(issuer: str, hour: int) -> Mapping[str, Any]:
    answer = ask("GET", f"{issuer.rstrip('/')}/.well-known/openid-configuration", timeout=settings.OIDC_TIMEOUT)
    answer.raise_for_status()
    found: dict[str, Any] = answer.json()
    if found.get("issuer") != issuer:
        raise SuspiciousOperation(f"OIDC_ISSUER is {issuer}, but the provider's issuer is {found.get('issuer')}.")
    return found


class SingleSignOn(InOneQuery, OIDCAuthenticationBackend):
    def __init__(self) -> None:
        """Asks nothing of the provider: a backend is made for each request of a signed-in user."""
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
        """The library's lets users continue who were deactivated."""
        user = User.objects.filter(pk=user_id).first()
        return user if user and self.user_can_authenticate(user) else None

    def authenticate(self, request: HttpRequest | None, **kwargs: Any) -> User | None:
        try:
            user: User | None = super().authenticate(request, **kwargs)
        except Refused as refusal:
            self.request.sign_in_refusal = str(refusal)
            return None
        except (*NO_ANSWER, *MALFORMED) as error:
            # Not the message: it may hold what the provider answered.
            logger.warning("login through %s failed: %s", settings.OIDC_ISSUER, type(error).__name__)
            return None
        return user

    def verify_token(self, token: str, **kwargs: Any) -> Mapping[str, Any]:
        """The library checks the signature and the nonce, PyJWT the expiry."""
        payload: dict[str, Any] = super().verify_token(token, **kwargs)
        audience = payload.get("aud")
        if self.OIDC_RP_CLIENT_ID not in ([audience] if isinstance(audience, str) else audience or []):
            raise SuspiciousOperation("The token is for another client.")
        if payload.get("iss") != settings.OIDC_ISSUER or "exp" not in payload or not payload.get("sub"):
            raise SuspiciousOperation("The token has another issuer, no expiry or no subject.")
        return payload

    def get_userinfo(self, access_token: str, id_token: str, payload: Mapping[str, Any]) -> dict[str, Any]:
        """Groups are in either answer, depending on the provider."""
        if not provider().get("userinfo_endpoint"):
            return dict(payload)
        found: dict[str, Any] = super().get_userinfo(access_token, id_token, payload)
        if found.get("sub") != payload["sub"]:
            raise SuspiciousOperation("The provider's two answers are about two users.")
        return {**payload, **found}

    def get_or_create_user(self, access_token: str, id_token: str, payload: Mapping[str, Any]) -> User | None:
        claims = self.get_userinfo(access_token, id_token, payload)
        names = roles_of(claims)
        user = known_person(claims, names) or (new_person(claims) if names else None)
        if user:
            give_roles(user, names)
        if not user or not (user.is_superuser or user.groups.exists()):
            raise Refused(NO_ROLE)
        return user


NO_ROLE = _("You have no role in D&B Monitoring. Ask your administrator to assign one to you.")
TOO_LONG = _("Your ID at the identity provider is too long for D&B Monitoring. Contact your administrator.")
DEACTIVATED = _("Your account is deactivated. Contact your administrator.")
STRONGER = _(
    "An account with your email address exists, but it has more permissions than your groups grant. Ask your"
    " administrator to adjust its roles or your groups."
)


def subject_of(claims: Mapping[str, Any]) -> str:
    subject = f"{settings.OIDC_ISSUER} {claims['sub']}"
    if len(subject) > LONGEST_SUBJECT:
        raise Refused(TOO_LONG)
    return subject


def known_person(claims: Mapping[str, Any], names: set[str]) -> User | None:
    user = User.objects.filter(oidc_subject=subject_of(claims)).first()
    return user or person_by_mail(claims, names)


def person_by_mail(claims: Mapping[str, Any], names: set[str]) -> User | None:
    """Who had an account before single sign-on: once, by a verified address that belongs to one user only."""
    address = claims.get("email")
    may_link = names and claims.get("email_verified") is True
    if not may_link or not address or not isinstance(address, str):
        return None
    found = list(User.objects.filter(email__iexact=address, oidc_subject=None)[:2])
    if len(found) != 1:
        return None
    [user] = found
    refuse_to_link(user, names)
    user.oidc_subject = subject_of(claims)
    user.save(update_fields=["oidc_subject"])
    summary = gettext("%(user)s linked to the identity provider") % {"user": user}
    record(actor=ACTOR, action="person.linked", thing=user, summary=summary)
    return user


def refuse_to_link(user: User, names: set[str]) -> None:
    """An email address opens no account that is deactivated, or stronger than the roles that the groups grant."""
    if not user.is_active:
        raise Refused(DEACTIVATED)
    granted = set(Permission.objects.filter(group__name__in=names).values_list("pk", flat=True))
    if not rights_of(user) <= granted or (user.is_superuser and ADMINISTRATOR not in names):
        raise Refused(STRONGER)


def new_person(claims: Mapping[str, Any]) -> User:
    user = User.objects.create_user(
        free_name(str(claims.get("preferred_username") or claims.get("email") or claims["sub"])),
        str(claims.get("email") or "")[:254],
        oidc_subject=subject_of(claims),
        first_name=str(claims.get("given_name") or "")[:150],
        last_name=str(claims.get("family_name") or "")[:150],
    )
    summary = gettext("%(user)s signed in for the first time") % {"user": user}
    record(actor=ACTOR, action="person.added", thing=user, summary=summary)
    return user


def free_name(preferred: str) -> str:
    names = [preferred[:140], *(f"{preferred[:140]}-{number}" for number in range(2, MANY))]
    taken = set(User.objects.filter(username__in=names).values_list("username", flat=True))
    return next(name for name in names if name not in taken)


def roles_of(claims: Mapping[str, Any]) -> set[str]:
    """The roles that are mapped to the user's groups."""
    told = claims.get(settings.OIDC_GROUPS_CLAIM) or []
    groups: Iterable[Any] = [told] if isinstance(told, str) else told
    return {settings.OIDC_ROLES[group] for group in groups if isinstance(group, str) and group in settings.OIDC_ROLES}


def give_roles(user: User, names: set[str]) -> None:
    """Exactly these of the roles that are mapped to groups; others, assigned by hand, stay."""
    before = set(user.groups.values_list("name", flat=True))
    after = (before - set(settings.OIDC_ROLES.values())) | names
    if before != after:
        user.groups.set(Group.objects.filter(name__in=after))
        summary = gettext("Roles of %(user)s set from groups at the identity provider: %(roles)s")
        summary %= {"user": user, "roles": ", ".join(sorted(after)) or gettext("none")}
        lists = {"before": {"roles": sorted(before)}, "after": {"roles": sorted(after)}}
        record(actor=ACTOR, action="person.roles", thing=user, summary=summary, **lists)
    is_staff = user.is_superuser or bool(after)
    if user.is_staff != is_staff:
        user.is_staff = is_staff
        user.save(update_fields=["is_staff"])
