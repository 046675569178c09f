"""The settings for signing in, read and checked; no Django app may be loaded here."""

from __future__ import annotations

from django.core.exceptions import ImproperlyConfigured

SINGLE_SIGN_ON = "dnbmon_site.accounts.oidc.SingleSignOn"
PASSWORDS = "dnbmon_site.accounts.rights.Passwords"


def backends(*, issuer: str, local_login: bool) -> list[str]:
    ways = [*([PASSWORDS] if local_login else []), *([SINGLE_SIGN_ON] if issuer else [])]
    return ["axes.backends.AxesStandaloneBackend", *ways]


def read_roles(text: str) -> dict[str, str]:
    """`credit-team=Analyst, it=Operator`: the role of each group at the identity provider."""
    pairs = [part.partition("=") for part in text.split(",") if part.strip()]
    return {group.strip(): role.strip() for group, _, role in pairs}


def refuse_half_made(
    *, issuer: str, client_id: str, secret: str, roles: dict[str, str], local_login: bool, development: bool
) -> None:
    """A configuration that cannot work, or is not safe, is refused at the start and not at the first login."""
    if not issuer:
        if not local_login:
            raise ImproperlyConfigured("LOCAL_LOGIN=no requires OIDC_ISSUER. Without it, no one can sign in.")
        return
    missing = [name for name, value in (("OIDC_CLIENT_ID", client_id), ("OIDC_CLIENT_SECRET", secret)) if not value]
    if missing:
        raise ImproperlyConfigured(f"OIDC_ISSUER is set, so set {' and '.join(missing)} as well.")
    if not roles or not all(roles.values()):
        raise ImproperlyConfigured(
            "Set OIDC_ROLES to the role of each group, such as credit-team=Analyst, it=Operator."
        )
    if not issuer.startswith("https://") and not development:
        raise ImproperlyConfigured("OIDC_ISSUER must start with https://. Without encryption, logins could be forged.")
