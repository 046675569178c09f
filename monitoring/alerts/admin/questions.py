"""What is asked before alerts are closed, snoozed or assigned, of one alert as of many; what was typed is kept."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Self

from django import forms
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.functional import Promise, cached_property
from django.utils.translation import gettext_lazy as _

from core.actors import person_text
from core.admin.filters import start_of
from core.admin.row_actions import CSRF_FIELD
from monitoring.alerts.actions import LONGEST
from monitoring.alerts.admin.filters import MOST_PEOPLE, ONLY_SOME, not_assignable_text, people
from monitoring.alerts.workflow.assignees import assignable, why_not
from monitoring.alerts.workflow.snooze import CannotSnooze, end_of_snooze
from monitoring.models import CloseReason

HINTS: Mapping[str, Promise] = {
    CloseReason.ACTED: _("You or others have done what was necessary."),
    CloseReason.KNOWN: _("The facts were known before the alert was raised."),
    CloseReason.NOISE: _("The change does not matter. Consider a narrower rule."),
    CloseReason.WRONG_DATA: _("D&B reported incorrect data."),
}


class Question(forms.Form):
    """Nothing but whether it is meant so."""

    # The field that an answer has, and a page with a button to the question has not.
    answer = ""

    def __init__(self, *args: Any, actor: Any = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.actor = actor

    def objection(self, alerts: Sequence[uuid.UUID]) -> str:
        """Why what was answered cannot be done with these alerts."""
        return ""

    @classmethod
    def answered(cls, request: HttpRequest) -> Self | None:
        """None where nothing was asked yet."""
        return cls(request.POST) if cls.answer in request.POST else None


class CloseQuestion(Question):
    answer = "reason"
    reason = forms.ChoiceField(choices=CloseReason.choices, error_messages={"required": _("Select a reason.")})
    text = forms.CharField(
        label=_("Findings or actions"),
        max_length=LONGEST,
        error_messages={"required": _("Enter a sentence about the findings or actions.")},
    )

    @property
    def choices(self) -> Sequence[tuple[str, str | Promise, str | Promise]]:
        return [(one.value, one.label, HINTS[one]) for one in CloseReason]


class SnoozeQuestion(Question):
    answer = "until"
    until = forms.DateField(required=False)
    worse = forms.BooleanField(required=False, initial=True)
    text = forms.CharField(label=_("Reason (optional)"), required=False, max_length=LONGEST)

    @property
    def quick(self) -> list[tuple[str | Promise, str]]:
        """Days that a button chooses."""
        today = timezone.localdate()
        days = (_("Until tomorrow"), 1), (_("Until next Monday"), 7 - today.weekday()), (_("For a week"), 7)
        return [(label, (today + timedelta(days=count)).isoformat()) for label, count in days]

    @property
    def in_a_week(self) -> str:
        """What is selected at first: few mean to put an alert off for a year."""
        return self.quick[-1][1]

    def clean(self) -> dict[str, Any]:
        """The alert returns at the beginning of the day in the reader's zone."""
        found = {**super().clean(), "end": None}  # type: ignore[dict-item]
        if found.get("until"):
            found["end"] = start_of(found["until"].isoformat())
        try:
            if not self.errors:
                end_of_snooze(found["end"], wakes_if_worse=found["worse"])
        except CannotSnooze as error:
            raise ValidationError(str(error)) from error
        return found


class AssignQuestion(Question):
    answer = "person"
    person = forms.ModelChoiceField(get_user_model().objects.none(), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["person"]
        field.queryset = assignable(self.actor)

    @cached_property
    def people(self) -> list[tuple[Any, str]]:
        return [(one.pk, person_text(one)) for one in people(self.actor)]

    @property
    def only_some(self) -> str | Promise:
        return ONLY_SOME if len(self.people) >= MOST_PEOPLE else not_assignable_text(self.actor)

    def objection(self, alerts: Sequence[uuid.UUID]) -> str:
        person = self.cleaned_data["person"]
        return why_not(person, alerts) if person else ""


def ask(
    request: HttpRequest,
    question: Question,
    *,
    title: str,
    button: str | Promise,
    back: str,
    notes: Sequence[str] = (),
    fields: Mapping[str, str] | None = None,
) -> HttpResponse:
    """The same form again, with the question; what was typed already stands in it."""
    own = {*question.fields, *(fields or {}), CSRF_FIELD}
    kept = [(name, value) for name, values in request.POST.lists() for value in values if name not in own]
    shown: dict[str, Any] = {
        "title": title,
        "button": button,
        "back": back,
        "notes": notes,
        "question": question,
        "errors": [text for texts in question.errors.values() for text in texts],
        "text": request.POST.get("text", ""),
        "longest": LONGEST,
        "hidden": [*kept, *(fields or {}).items()],
    }
    request.current_app = admin.site.name
    return TemplateResponse(request, "monitoring/alerts/question.html", {**admin.site.each_context(request), **shown})
