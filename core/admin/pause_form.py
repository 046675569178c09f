"""How long something is paused, and why, as pages ask for it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

TODAY, UNTIL = "today", "until"
DURATIONS = (
    ("", _("Until you resume it")),
    ("1", _("1 hour")),
    ("2", _("2 hours")),
    ("8", _("8 hours")),
    (TODAY, _("Until the end of today")),
    (UNTIL, _("Until the time below")),
)
LONGEST_REASON = 200
# Later times are slips of the pen, and those at the end of the calendar cannot be shown in every time zone.
LONGEST_PAUSE = timedelta(days=366)


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
        help_text=_("Other users see the reason with your name while the pause lasts."),
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
        elif duration == TODAY:
            cleaned["until"] = timezone.localtime().replace(hour=23, minute=59, second=59, microsecond=0)
        elif duration == UNTIL and not cleaned.get("until") and not self.has_error("until"):
            self.add_error("until", gettext("Enter the time at which the pause ends."))
        return cleaned

    def clean_until(self) -> Any:
        """Only with the duration that asks for it: the page hides the field with all others."""
        if self.cleaned_data.get("duration") != UNTIL:
            return None
        until = self.cleaned_data["until"]
        if until and until <= timezone.now():
            raise ValidationError(gettext("This time is in the past. Choose a time in the future."))
        if until and until > timezone.now() + LONGEST_PAUSE:
            raise ValidationError(gettext("A pause can last one year at most. Choose an earlier time."))
        return until
