"""What is asked before a registration is pulled for the first time, or paused."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.admin.row_actions import confirmation
from monitoring.pull.admin.actions import is_first_start
from portfolio.models import Registration, RegistrationState

WHAT_START_DOES = _(
    "Pulling a notification removes it from D&B's queue. This cannot be undone. Only one installation may pull a "
    "registration: stop every other system that pulls it first."
)


DURATIONS = (
    ("", _("Until you resume it")),
    ("1", _("1 hour")),
    ("2", _("2 hours")),
    ("8", _("8 hours")),
    ("until", _("Until the time below")),
)
LONGEST_REASON = 200


class PauseForm(forms.Form):
    duration = forms.ChoiceField(
        required=False,
        choices=DURATIONS,
        label=_("Duration"),
        widget=forms.Select({"class": "dm-input"}),
    )
    until = forms.DateTimeField(
        required=False,
        widget=forms.DateTimeInput({"type": "datetime-local", "class": "dm-input"}, format="%Y-%m-%dT%H:%M"),
        label=_("Pause until"),
    )
    reason = forms.CharField(
        required=False,
        max_length=LONGEST_REASON,
        widget=forms.TextInput({"class": "dm-input"}),
        label=_("Reason (optional)"),
        help_text=_("Other users see it with your name while the registration is paused."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        now = timezone.localtime()
        text = gettext("Time zone: %(zone)s, where it is now %(time)s.")
        zone = timezone.get_current_timezone_name()
        self.fields["until"].help_text = text % {"zone": zone, "time": date_format(now, "TIME_FORMAT")}

    def clean(self) -> dict[str, Any]:
        """A duration becomes the time at which it ends."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        duration = cleaned.get("duration", "")
        if duration.isdigit():
            cleaned["until"] = timezone.now() + timedelta(hours=int(duration))
        elif duration and not cleaned.get("until") and not self.has_error("until"):
            self.add_error("until", gettext("Enter the time at which pulling resumes."))
        return cleaned

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
