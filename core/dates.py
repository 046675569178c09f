"""Days, spans and numbers that people and programs may name: those that every zone and engine can still count with."""

from __future__ import annotations

from datetime import date, timedelta

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils.translation import gettext

FIRST, LAST = date(1900, 1, 1), date(2999, 12, 31)
LONGEST = timedelta(days=366)
# SQLite alone takes larger ones: nothing of ours is so many, and a calendar has fewer minutes.
SMALLEST, LARGEST = -(2**31), 2**31 - 1


def read_day(text: str) -> date | None:
    """None for what is no day, or none of this age."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if is_usual(day) else None


def is_usual(day: date) -> bool:
    return FIRST.year <= day.year <= LAST.year


def validate_day(value: date) -> None:
    if not is_usual(value):
        raise ValidationError(
            gettext("Enter a date between %(first)s and %(last)s.") % {"first": FIRST.year, "last": LAST.year}
        )


def validate_span(value: timedelta) -> None:
    if not timedelta() <= value <= LONGEST:
        raise ValidationError(gettext("Enter a period of at most %(days)s days.") % {"days": LONGEST.days})


def install() -> None:
    """Every form's are held to it: one day beyond the calendar breaks whatever counts on from it."""
    forms.DateField.default_validators = [validate_day]
    forms.DateTimeField.default_validators = [validate_day]
    forms.DurationField.default_validators = [validate_span]
    forms.IntegerField.default_validators = [MinValueValidator(SMALLEST), MaxValueValidator(LARGEST)]
