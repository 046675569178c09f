"""Whether emails leave this machine."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.utils.translation import gettext

from core.text import restart_text

# Django's backends that show or drop emails. Who has them written to files picks them up there.
NO_SERVER = ("console", "dummy")
OPERATES = "health.view_incident"


def has_mail_server() -> bool:
    return not any(f".{name}." in settings.EMAIL_BACKEND for name in NO_SERVER)


def no_server_text() -> str:
    """Why emails do not arrive while there is no server."""
    if ".console." in settings.EMAIL_BACKEND:
        return gettext(
            "No email server is set up: emails are only printed in the terminal in which D&B "
            "Monitoring runs, or in its log."
        )
    return gettext("No email server is set up, so emails do not leave this machine.")


def mail_server_context() -> dict[str, Any]:
    """For the warning above a page about emails; nothing where they leave."""
    return {"no_server": "" if has_mail_server() else no_server_text()}


def set_up_text() -> str:
    return f"{gettext('Set EMAIL_URL in the settings file (.env).')} {restart_text()}"


def set_up_text_for(user: Any) -> str:
    """The steps, for those who operate the program; others cannot take them."""
    if user.has_perm(OPERATES):
        return set_up_text()
    return gettext("Ask your administrator to set up an email server.")
