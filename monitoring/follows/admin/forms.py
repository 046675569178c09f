"""The forms of “My notifications”: what to follow, how to be notified, and at which address."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django_countries import countries

from core.admin.pickers import TimePicker
from core.cached_counts import recent_count
from core.visibility import is_restricted
from monitoring.follows.subjects import filters_for, visible
from monitoring.models import Channel, Follow, Frequency, NotificationPreference, Severity
from portfolio.companies.filters import occurring
from portfolio.models import Registration

Choices = list[tuple[str, str]]
INPUT = {"class": "dm-input"}
MOST = 500


def choices_of(person: Any) -> list[tuple[str, str | Choices]]:
    """What a user can choose here; companies and groups are followed from their pages."""
    tags = [(f"tag:{tag}", tag) for tag, _label in occurring("tag", person)]
    here = _countries_here(person)
    places = [(code, (f"country:{code}", str(name))) for code, name in countries]
    rows = visible(person, Registration).order_by("reference").values_list("pk", "reference")[:MOST]
    registrations = [(f"registration:{key}", reference) for key, reference in rows]
    filters = [(f"filter:{row.pk}", row.name) for row in filters_for(person).order_by("name", "id")[:MOST]]
    groups = (
        (gettext("Registrations"), registrations),
        (gettext("Saved filters"), filters),
        (gettext("Tags"), tags),
        (gettext("Countries of the companies"), [place for code, place in places if code in here]),
        (gettext("Other countries") if here else gettext("Countries"), [p for code, p in places if code not in here]),
    )
    return [("", gettext("Select…")), *((name, its) for name, its in groups if its)]


def _countries_here(person: Any) -> set[str]:
    """Those of the companies that a user may see."""
    if is_restricted(person):
        return {code for code, _label in occurring("country", person)}
    return set(recent_count("countries").get("codes", ()))


class HowForm(forms.Form):
    """From which severity on, and how often; beside each followed item, and behind the button “Follow”."""

    min_severity = forms.TypedChoiceField(
        label=_("Minimum severity"),
        coerce=int,
        choices=Severity.choices,
        initial=Severity.HIGH,
        widget=forms.Select(INPUT),
    )
    frequency = forms.ChoiceField(
        label=_("Frequency"), choices=Frequency.choices, initial=Frequency.AT_ONCE, widget=forms.Select(INPUT)
    )


def how_form(row: Follow, name: str) -> HowForm:
    """Of one of many rows: what it is about is said to those who do not see where it stands."""
    initial = {"min_severity": row.min_severity, "frequency": row.frequency}
    form = HowForm(initial=initial, auto_id=f"id_{row.pk}_%s")
    for field in form.fields.values():
        field.widget.attrs["aria-label"] = f"{field.label}: {name}"
    return form


class FollowForm(HowForm):
    what = forms.ChoiceField(label=_("Follow"), widget=forms.Select(INPUT))
    field_order = ("what",)

    def __init__(self, person: Any, *args: Any, asked: tuple[str, str] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        what: Any = self.fields["what"]
        known = choices_of(person)
        what.choices = [*known, asked] if asked else known

    @property
    def kind(self) -> str:
        return str(self.cleaned_data["what"]).partition(":")[0]

    @property
    def subject(self) -> str:
        return str(self.cleaned_data["what"]).partition(":")[2]


class AddressForm(forms.Form):
    """For a user without an email address who may edit users: their own."""

    email = forms.EmailField(
        label=_("Email address"), max_length=254, widget=forms.EmailInput({**INPUT, "autocomplete": "email"})
    )

    def clean_email(self) -> str:
        email = str(self.cleaned_data["email"])
        if get_user_model().objects.filter(email__iexact=email).exists():
            raise ValidationError(gettext("A user with this email address already exists."))
        return email


class PreferenceForm(forms.ModelForm):  # type: ignore[type-arg]  # Django's takes no parameter when it runs
    class Meta:
        model = NotificationPreference
        fields = (
            *("channel", "own_companies", "own_severity", "own_frequency", "digest_time", "digest_day"),
            *("quiet_from", "quiet_until", "critical_passes"),
        )
        widgets = {
            **dict.fromkeys(("digest_time", "quiet_from", "quiet_until"), TimePicker),
            **dict.fromkeys(("channel", "own_severity", "own_frequency", "digest_day"), forms.Select(INPUT)),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        channel: Any = self.fields["channel"]
        channel.queryset = Channel.objects.filter(person=self.instance.person.pk).order_by("name", "id")
        channel.empty_label = gettext("Email to %(address)s") % {
            "address": self.instance.person.email or gettext("(no address)")
        }

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        start, end = cleaned.get("quiet_from"), cleaned.get("quiet_until")
        if (start is None) != (end is None):
            wrong = "quiet_until" if end is None else "quiet_from"
            self.add_error(wrong, gettext("Enter both the start and the end of the quiet hours."))
        elif start is not None and start == end:
            self.add_error("quiet_until", gettext("Quiet hours cannot start and end at the same time."))
        return cleaned
