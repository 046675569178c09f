"""Links that lead into the program from outside: mails, chats, webhooks."""

from __future__ import annotations

from django.conf import settings
from django.urls import reverse

# Links


def site_url() -> str:
    """Where people open the program: mails need whole addresses."""
    hosts = sorted((host for host in settings.ALLOWED_HOSTS if host.strip("*.")), key=lambda host: host.startswith("."))
    default = "http://localhost:8000" if settings.DEVELOPMENT or not hosts else f"https://{hosts[0].lstrip('.')}"
    return str(settings.ENV.str("SITE_URL", default=default)).rstrip("/")


def link(name: str, *args: object) -> str:
    return site_url() + reverse(name, args=args)
