"""The forms of a webhook: what it subscribes to, where it begins, and the period that is sent again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import TextChoices
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from core.admin.boxes import TextBoxes
from direct_plus.duns import InvalidDuns
from monitoring.models import Kind, WebhookEndpoint
from monitoring.webhooks.event_types import GROUPS, name_of, split, without_covered
from portfolio.companies.duns_lists import entries_of, read_listed

FIELDS = (
    *("name", "url", "event_types", "unit", "kinds", "severity", "element", "registration", "countries", "companies"),
)


class Begin(TextChoices):
    """Where a new webhook begins to hear of changes."""

    NOW = "now", _("From now on")
    TIME = "time", _("From a date and time")
    ALL = "all", _("From the earliest stored change")


def event_choices(kept: Sequence[str]) -> list[tuple[str, list[tuple[str, SafeString]]]]:
    """In groups; with the patterns that an endpoint has beside these, as the API takes others too."""
    groups = [(str(group), list(patterns)) for group, patterns in GROUPS]
    known = {pattern for _group, patterns in groups for pattern in patterns}
    if others := [pattern for pattern in kept if pattern not in known]:
        groups.append((gettext("Others"), others))
    return [(group, [(pattern, _event_label(pattern)) for pattern in patterns]) for group, patterns in groups]


def _event_label(pattern: str) -> SafeString:
    return format_html("{} <code>{}</code>", name_of(pattern), pattern)


class WebhookForm(forms.ModelForm):  # type: ignore[type-arg]  # Django's takes no parameter when it runs
    url = forms.URLField(
        label=_("Address"), max_length=500, assume_scheme="https",
        # Not the admin's own, which shows what was entered as “Currently”, also before it is saved.
        widget=UnfoldAdminTextInputWidget({"type": "url"}),
        help_text=_("Events are sent to this address by POST. Redirects are not followed."),
    )  # fmt: skip

    event_types = TextBoxes(
        label=_("Events"),
        error_messages={
            "required": _("Select at least one event."),
            "invalid_choice": _("“%(value)s” is not an event. Select events from the list."),
        },
    )

    kinds = TextBoxes(
        label=_("Change types"),
        required=False,
        choices=Kind.choices,
        help_text=_("Leave empty to include all types."),
        error_messages={"invalid_choice": _("“%(value)s” is not a change type. Select types from the list.")},
    )

    class Meta:
        model = WebhookEndpoint
        fields = FIELDS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        chosen = split(self.initial.get("event_types") or self.instance.event_types)
        events: Any = self.fields["event_types"]
        events.choices = event_choices(split(self.instance.event_types))
        self.initial["event_types"] = chosen
        self.initial["kinds"] = split(self.instance.kinds)
        for name in {"countries", "companies"} & self.fields.keys():
            self.fields[name].widget.attrs["rows"] = 2

    def full_clean(self) -> None:
        super().full_clean()
        for name in [name for name in self.fields if name in self.errors][:1]:
            self.fields[name].widget.attrs["autofocus"] = True

    def clean_event_types(self) -> str:
        return ", ".join(without_covered(split(self.cleaned_data["event_types"])))

    def clean_kinds(self) -> str:
        return ", ".join(split(self.cleaned_data["kinds"]))

    def clean_countries(self) -> str:
        found = [code.upper() for code in split(self.cleaned_data["countries"])]
        if any(len(code) != 2 for code in found):
            raise ValidationError(gettext("Enter two-letter country codes, such as DE, separated by commas."))
        return ", ".join(found)

    def clean_companies(self) -> str:
        try:
            return ", ".join(map(read_listed, entries_of(self.cleaned_data["companies"])))
        except InvalidDuns as error:
            raise ValidationError(
                gettext("One entry is not a D-U-N-S number: %(reason)s.") % {"reason": error.reason}
            ) from error


class NewWebhookForm(WebhookForm):
    """Its beginning is chosen once: later it is where its cursor stands."""

    begin = forms.ChoiceField(
        label=_("Send changes"), choices=Begin.choices, initial=Begin.NOW, required=False,
        widget=UnfoldAdminSelectWidget,
        help_text=_("This setting applies to changes only. Other events are sent from the time the webhook "
                    "is created."),
    )  # fmt: skip
    begin_at = forms.DateTimeField(
        label=_("Start date and time"), required=False,
        help_text=_("Only for “From a date and time”, in your time zone."),
        widget=UnfoldAdminTextInputWidget({"type": "datetime-local"}),
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Without the model's default, which is for the API: here a person chooses the events."""
        super().__init__(*args, **kwargs)
        self.initial["event_types"] = split((kwargs.get("initial") or {}).get("event_types", ""))

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if cleaned.get("begin") == Begin.TIME and not cleaned.get("begin_at") and "begin_at" not in self.errors:
            self.add_error("begin_at", gettext("Enter the date and time from which to send changes."))
        return cleaned

    def beginning(self) -> datetime | None:
        """None stands for now."""
        if self.cleaned_data.get("begin") == Begin.ALL:
            return datetime.fromtimestamp(0, UTC)
        chosen: datetime | None = self.cleaned_data["begin_at"]
        return chosen if self.cleaned_data["begin"] == Begin.TIME else None


class RangeForm(forms.Form):
    """From when to when messages are sent again; read in the reader's zone."""

    since, until = (
        forms.DateTimeField(
            label=label,
            error_messages={
                "required": _("Enter a start and an end."),
                "invalid": _("Enter a date and a time."),
            },
            widget=forms.DateTimeInput({"type": "datetime-local", "class": "dm-input"}, format="%Y-%m-%dT%H:%M"),
        )
        for label in (_("From"), _("To"))
    )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if not self.errors and cleaned["since"] > cleaned["until"]:
            raise ValidationError(gettext("The end must be later than the start."))
        return cleaned
