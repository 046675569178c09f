"""What the settings say about signing in, read and checked; no Django app may be loaded here."""

from __future__ import annotations

from django.core.exceptions import ImproperlyConfigured

SINGLE_SIGN_ON = "dnbmon_site.accounts.oidc.SingleSignOn"
PASSWORDS = "django.contrib.auth.backends.ModelBackend"


def backends(*, issuer: str, local_login: bool) -> list[str]:
    ways = [*([PASSWORDS] if local_login else []), *([SINGLE_SIGN_ON] if issuer else [])]
    return ["axes.backends.AxesStandaloneBackend", *ways]


def read_roles(text: str) -> dict[str, str]:
    """`credit-team=Analyst, it=Operator`: which group of the sign-in service stands for which role."""
    pairs = [part.partition("=") for part in text.split(",") if part.strip()]
    return {group.strip(): role.strip() for group, _, role in pairs}


def refuse_half_made(
    *, issuer: str, client_id: str, secret: str, roles: dict[str, str], local_login: bool, development: bool
) -> None:
    """A sign-in that cannot work, or is not safe, is said at the start and not to the first person who tries."""
    if not issuer:
        if not local_login:
            raise ImproperlyConfigured("LOCAL_LOGIN=no without OIDC_ISSUER: nobody could come in.")
        return
    missing = [name for name, value in (("OIDC_CLIENT_ID", client_id), ("OIDC_CLIENT_SECRET", secret)) if not value]
    if missing:
        raise ImproperlyConfigured(f"OIDC_ISSUER is set; {' and '.join(missing)} must be set too.")
    if not roles or not all(roles.values()):
        raise ImproperlyConfigured("OIDC_ROLES must say which groups stand for which roles: credit-team=Analyst, …")
    if not issuer.startswith("https://") and not development:
        raise ImproperlyConfigured("OIDC_ISSUER must begin with https://: whoever is between could let anybody in.")
