"""Whether emails leave this machine."""

from __future__ import annotations

from django.conf import settings

# Django's backends that show or drop emails.
NO_SERVER = ("console", "dummy", "filebased")


def has_mail_server() -> bool:
    return not any(f".{name}." in settings.EMAIL_BACKEND for name in NO_SERVER)
