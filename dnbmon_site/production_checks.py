"""What production will not start with."""

from collections.abc import Iterator, Sequence
from urllib.parse import SplitResult, urlsplit

from django.core.exceptions import ImproperlyConfigured

from dnbmon_site.environment import readable

SHORTEST_KEY = 50
HERE = ("localhost", "127.0.0.1", "::1")


def refuse_unsafe(
    *,
    debug: bool,
    demo: bool,
    secret_key: str,
    allowed_hosts: Sequence[str],
    site_url: str,
    database_url: str,
    email_url: str,
    dnb_base_url: str,
    redis_url: str,
    redirects: bool,
    hsts_seconds: int,
    behind_proxy: bool,
) -> None:
    reasons = [
        *flags(debug=debug, demo=demo),
        *keys(secret_key),
        *hosts(allowed_hosts, site_url),
        *places(database_url, email_url, dnb_base_url),
        *ways(email_url, redis_url),
        *encryption(redirects, hsts_seconds, behind_proxy),
    ]
    if reasons:
        raise ImproperlyConfigured(
            "These settings are not safe for production:\n" + "\n".join(f"- {reason}" for reason in reasons)
        )


def flags(*, debug: bool, demo: bool) -> Iterator[str]:
    if debug:
        yield "DEBUG exposes internal details to all users. Remove it."
    if demo:
        yield "DNB_DEMO fills the database with sample companies. Remove it."


def keys(secret_key: str) -> Iterator[str]:
    if len(secret_key) < SHORTEST_KEY or len(set(secret_key)) < 10:
        yield f"SECRET_KEY must be a secret of at least {SHORTEST_KEY} random characters."


def hosts(allowed_hosts: Sequence[str], site_url: str) -> Iterator[str]:
    if not allowed_hosts:
        yield "ALLOWED_HOSTS must name the hosts that users open, such as monitoring.example.com."
    if "*" in allowed_hosts:
        yield "ALLOWED_HOSTS must not be “*”: links in emails could then lead to another host. Name your hosts."
    if not site_url and allowed_hosts and all(host.startswith(".") for host in allowed_hosts):
        yield "SITE_URL must be set for links in emails, because ALLOWED_HOSTS does not name a single host."
    if site_url and not (site_url.startswith("https://") and urlsplit(site_url).netloc):
        yield "SITE_URL must start with https:// and name a host: password reset links lead there."


def places(database_url: str, email_url: str, dnb_base_url: str) -> Iterator[str]:
    if "/demo/" in database_url:
        yield "DATABASE_URL names the demo's database, which contains sample companies. Name your own database."
    if not database_url:
        yield "DATABASE_URL must be set to a database that is backed up, such as sqlite:////data/dnbmon.sqlite3."
    if not email_url:
        yield "EMAIL_URL must be set, or password reset links appear in the log. Use dummymail:// to send no email."
    if email_url.startswith("consolemail:"):
        yield "EMAIL_URL writes emails to the log, including password reset links. Name an email server."
    if split("DNB_BASE_URL", dnb_base_url).hostname in HERE:
        yield "DNB_BASE_URL names this machine, so it is a sandbox and not D&B. Remove it."
    if not dnb_base_url.startswith("https://"):
        yield "DNB_BASE_URL must start with https://, or D&B's credentials are sent unencrypted."


def split(setting: str, url: str) -> SplitResult:
    with readable(setting):
        return urlsplit(url)


def ways(email_url: str, redis_url: str) -> Iterator[str]:
    """What goes over a network in the clear, or may be written to by anybody there."""
    mail = split("EMAIL_URL", email_url)
    if mail.scheme in ("smtp", "email") and mail.password and mail.hostname not in HERE:
        yield "EMAIL_URL sends its password unencrypted. Use smtp+tls:// or smtp+ssl://."
    queue = split("REDIS_URL", redis_url)
    if redis_url and not queue.password and queue.scheme != "unix" and queue.hostname not in HERE:
        yield "REDIS_URL has no password, so others could stop or repeat jobs. Use redis://:password@host."


def encryption(redirects: bool, hsts_seconds: int, behind_proxy: bool) -> Iterator[str]:
    if not redirects and not behind_proxy:
        yield "SECURE_SSL_REDIRECT is off, so passwords could be sent unencrypted. Enable it, or set BEHIND_PROXY=yes."
    if hsts_seconds <= 0:
        yield "SECURE_HSTS_SECONDS is 0, so browsers could connect unencrypted. Start with 300."
