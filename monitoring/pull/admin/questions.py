"""What is asked before a registration is pulled for the first time, or paused."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.admin.row_actions import confirmation
from monitoring.pull.admin.actions import is_first_start
from portfolio.models import Registration, RegistrationState

WHAT_START_DOES = _(
    "Pulling a notification removes it from D&B's queue. This cannot be undone. Only one installation may pull a "
    "registration: stop every other system that pulls it first."
)


class PauseForm(forms.Form):
    until = forms.DateTimeField(
        required=False,
        widget=forms.DateTimeInput({"type": "datetime-local", "class": "dm-input"}, format="%Y-%m-%dT%H:%M"),
        label=_("Pause until"),
        help_text=_("In your time zone. Leave empty to pause until you resume it."),
    )

    def clean_until(self) -> Any:
        until = self.cleaned_data["until"]
        if until and until <= timezone.now():
            raise ValidationError(
                gettext("This time is in the past. Choose a time in the future, or leave the field empty.")
            )
        return until


def ask_before_first_pull(
    request: HttpRequest, rows: Sequence[Registration], button: str, back: str
) -> HttpResponse | None:
    """What was pulled cannot be given back to D&B's queue, so the first pull asks; None once confirmed."""
    first = [row for row in rows if is_first_start(row) and row.state != RegistrationState.ACTIVE]
    if not first:
        return None
    title = gettext("Pull %(names)s for the first time?") % {"names": ", ".join(row.reference for row in first)}
    return confirmation(request, title=title, warning=WHAT_START_DOES, button=button, back=back)
