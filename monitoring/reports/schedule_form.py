"""The form of a report schedule: its registrations and its recipients, with those who receive nothing."""

from __future__ import annotations

import uuid
from typing import Any

from django import forms
from django.contrib.auth import get_user_model
from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from core.actors import person_text
from monitoring.alerts.rules import few
from monitoring.models import ReportRecipient, ReportRegistration, ReportSchedule
from portfolio.models import Registration

RECIPIENTS = _(
    "Recipients are users with an email address. They need no role, because the email contains the whole report; only "
    "decisions are left out for users who may not view them. To send it to someone else, invite them under “Users”, or "
    "download the PDF under “Reports” and forward it."
)


class RecipientsField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]  # Django's takes no parameter when it runs
    def label_from_instance(self, person: Any) -> str:
        if not person.is_active:
            return gettext("%(person)s: deactivated, receives nothing.") % {"person": with_address(person)}
        if not person.email:
            words = gettext("%(person)s: no email address, receives nothing. Add one under “Users”.")
            return words % {"person": with_address(person)}
        return with_address(person)


def with_address(person: Any) -> str:
    """By the name that colleagues know, with the address that the report goes to."""
    name = person_text(person)
    return f"{name} ({person.email})" if person.email and person.email != name else name


class ReportScheduleForm(forms.ModelForm):  # type: ignore[type-arg]  # as above
    # Shown above the form, before somebody fills it in without being able to save it.
    warning: SafeString | str = ""
    people = RecipientsField(
        get_user_model().objects.none(),
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        label=_("Users"),
    )
    chosen = forms.ModelMultipleChoiceField(
        Registration.objects.order_by("reference"),
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        required=False,
        label=_("Registrations"),
        help_text=_("Leave empty to include all registrations, including future ones."),
    )

    class Meta:
        model = ReportSchedule
        fields = ("name", "period", "hour", "zone", "active", "unit")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        people: Any = self.fields.get("people")
        is_new = self.instance._state.adding
        if people:
            people.initial = [] if is_new else people_of(self.instance)
            people.queryset = _possible_recipients(people.initial)
            if not people.queryset.exists():
                people.help_text = gettext("No users with an email address yet.")
                self.warning = _nobody_to_send_to()
            elif missing := _without_address():
                people.help_text = missing
        if not is_new:
            self.fields["chosen"].initial = chosen_of(self.instance)


def _possible_recipients(present: list[uuid.UUID]) -> QuerySet[Any]:
    """Who can receive email, and the present recipients: no one leaves the list without being deselected."""
    can_receive = Q(is_active=True) & ~Q(email="")
    return get_user_model().objects.filter(can_receive | Q(pk__in=present)).order_by("username")


def _without_address() -> str:
    """Users who are missing from the list, by name."""
    people = get_user_model().objects.filter(is_active=True, email="").order_by("username")
    names = [person_text(person) for person in people]
    words = gettext("Not listed, because they have no email address: %(names)s.")
    return words % {"names": few(names)} if names else ""


def _nobody_to_send_to() -> SafeString:
    words = gettext("No user has an email address, so no one can receive the report yet. Add an address under {}.")
    link = format_html('<a href="{}">{}</a>', reverse("admin:accounts_user_changelist"), gettext("Users"))
    return format_html(words, link)


def people_of(schedule: ReportSchedule) -> list[uuid.UUID]:
    return list(ReportRecipient.objects.filter(schedule=schedule).values_list("person_id", flat=True))


def chosen_of(schedule: ReportSchedule) -> list[uuid.UUID]:
    return list(ReportRegistration.objects.filter(schedule=schedule).values_list("registration_id", flat=True))
