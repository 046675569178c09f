"""The button that starts a registration, in the list too: it must not be found only among other actions."""

from __future__ import annotations

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from monitoring.pull.admin.actions import is_first_start
from portfolio.models import Registration, RegistrationState


def is_start_needed() -> bool:
    return Registration.objects.exclude(state=RegistrationState.ACTIVE).exists()


def start_button(row: Registration) -> SafeString | str:
    """Within the list's own form, which it sends to another address."""
    if row.state == RegistrationState.ACTIVE:
        return ""
    return format_html(
        '<button class="dm-button dm-primary" formaction="{}" formnovalidate>{}</button>',
        reverse("admin:portfolio_registration_do", args=[row.pk, "start"]),
        gettext("Start") if is_first_start(row) else gettext("Resume"),
    )
