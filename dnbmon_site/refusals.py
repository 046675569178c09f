"""What production will not start with."""

from collections.abc import Iterator, Sequence

from django.core.exceptions import ImproperlyConfigured

SHORTEST_KEY = 50


def refuse_unsafe(
    *,
    debug: bool,
    demo: bool,
    secret_key: str,
    allowed_hosts: Sequence[str],
    database_url: str,
    email_url: str,
    dnb_base_url: str,
) -> None:
    reasons = [
        *flags(debug=debug, demo=demo),
        *keys(secret_key),
        *hosts(allowed_hosts),
        *places(database_url, email_url, dnb_base_url),
    ]
    if reasons:
        raise ImproperlyConfigured("Not safe for production:\n" + "\n".join(f"- {reason}" for reason in reasons))


def flags(*, debug: bool, demo: bool) -> Iterator[str]:
    if debug:
        yield "DEBUG shows the program's inside to everybody: leave it out."
    if demo:
        yield "DNB_DEMO fills the database with made-up companies: leave it out."


def keys(secret_key: str) -> Iterator[str]:
    if len(secret_key) < SHORTEST_KEY or len(set(secret_key)) < 10:
        yield f"SECRET_KEY must be set, secret, random and of at least {SHORTEST_KEY} characters."


def hosts(allowed_hosts: Sequence[str]) -> Iterator[str]:
    if not allowed_hosts:
        yield "ALLOWED_HOSTS must name the hosts people use, such as monitoring.example.com."
    if "*" in allowed_hosts:
        yield "ALLOWED_HOSTS may not be “*”: anybody could then send people to another host by mail."


def places(database_url: str, email_url: str, dnb_base_url: str) -> Iterator[str]:
    if not database_url:
        yield "DATABASE_URL must be set: data belongs where it is backed up (sqlite:////data/dnbmon.sqlite3 is fine)."
    if not email_url:
        yield "EMAIL_URL must be set, or links for new passwords would stand in the log (dummymail:// sends nothing)."
    if not dnb_base_url.startswith("https://"):
        yield "DNB_BASE_URL must begin with https://: D&B's credentials would travel in the clear."
