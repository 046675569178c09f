"""How a registration stands, in words: what a person sees first, and what they have to know about losing data."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.formats import date_format, number_format

from portfolio.models import Cadence, Registration, RegistrationState

DROPPED_AFTER = timedelta(days=4)
LATE_AFTER = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Standing:
    """A word for the badge, its tone (good, calm, warn, bad), and a sentence."""

    word: str
    tone: str
    sentence: str = ""


def standing(registration: Registration, now: datetime | None = None) -> Standing:
    """The registration's state as a person should take it."""
    now = now or timezone.now()
    if registration.state == RegistrationState.STOPPED:
        return Standing("Stopped by D&B", "bad", registration.stopped_reason)
    if registration.state == RegistrationState.PAUSED:
        return _paused(registration, now)
    if registration.failures:
        return Standing("In trouble", "warn", registration.trouble)
    if is_late(registration, now):
        return Standing("Late", "warn", "It was due and nobody has pulled it: does the worker run?")
    return Standing("Active", "good", registration.trouble)


def _paused(registration: Registration, now: datetime) -> Standing:
    until = registration.paused_until
    if until is None:
        words = "Until somebody starts it." if registration.last_pulled_at else "Not started yet."
        return Standing("Paused", "calm", words)
    return Standing("Paused", "calm", f"Until {moment_text(until)}.")


def is_late(registration: Registration, now: datetime) -> bool:
    due = registration.next_pull_at
    return registration.state == RegistrationState.ACTIVE and due is not None and due < now - LATE_AFTER


def lost_at(registration: Registration) -> datetime | None:
    """When D&B begins to drop what waits; None before the first pull."""
    pulled = registration.last_pulled_at
    return pulled + DROPPED_AFTER if pulled else None


def countdown(registration: Registration, now: datetime | None = None) -> str:
    """ "in 2 d 4 h" where what waits at D&B is in danger: pulling has stopped, waits or is late."""
    now = now or timezone.now()
    end = lost_at(registration)
    if end is None or standing(registration, now).word == "Active":
        return ""
    return f"in {days_and_hours(end - now)}" if end > now else "now"


def loss_sentence(registration: Registration, now: datetime | None = None) -> str:
    now = now or timezone.now()
    end = lost_at(registration)
    if end is None:
        return "It was never pulled. D&B drops what nobody pulls for 4 days."
    if end <= now:
        return f"D&B has been dropping what waits since {moment_text(end)}. Start it now."
    return f"D&B drops what waits in {days_and_hours(end - now)}: from {moment_text(end)} on."


def days_and_hours(span: timedelta) -> str:
    """ "2 d 4 h", "3 h 10 min", "5 min"."""
    minutes = max(int(span.total_seconds() // 60), 0)
    days, hours, rest = minutes // 1440, minutes // 60 % 24, minutes % 60
    if days:
        return f"{days} d {hours} h"
    return f"{hours} h {rest} min" if hours else f"{rest} min"


def moment_text(moment: datetime) -> str:
    return str(date_format(timezone.localtime(moment), "SHORT_DATETIME_FORMAT"))


def day_text(day: date) -> str:
    return str(date_format(day, "SHORT_DATE_FORMAT"))


def cadence_words(registration: Registration) -> str:
    """ "every 5 minutes", "daily at 06:00 (Europe/Berlin)"."""
    every = registration.cadence_every
    if registration.cadence == Cadence.DAILY:
        at = f"{registration.cadence_time:%H:%M}" if registration.cadence_time else "06:00"
        return f"daily at {at} ({registration.cadence_zone})"
    unit = "hour" if registration.cadence == Cadence.HOURS else "minute"
    return f"every {unit}" if every == 1 else f"every {every} {unit}s"


def told_by_dnb(registration: Registration) -> dict[str, Any]:
    """The `registration` of D&B's answer (contract §2); empty where there is none."""
    try:
        answer: Any = json.loads(registration.detail or "{}")
    except ValueError:
        return {}
    for name in ("messages", "registration"):
        answer = answer.get(name) if isinstance(answer, dict) else None
    return answer if isinstance(answer, dict) else {}


TOLD_WORDS = {
    "UPDATE": "what changed",
    "FULL_PRODUCT": "everything, at each change",
    "API_PULL": "pull, by this program",
    "PUSH": "files",
    "DAILY": "daily",
    "WEEKLY": "weekly",
    "MONTHLY": "monthly",
}


def description(registration: Registration) -> str:
    text = told_by_dnb(registration).get("description")
    return text if isinstance(text, str) else ""


def ago(moment: datetime, now: datetime | None = None) -> str:
    """ "2 hours ago", "in 3 days", "just now"."""
    seconds = ((now or timezone.now()) - moment).total_seconds()
    text = span(abs(seconds))
    if text == "a moment":
        return "just now"
    return f"{text} ago" if seconds > 0 else f"in {text}"


def span(seconds: float) -> str:
    """The largest unit that fits, in words."""
    for name, size in (("year", 31_557_600), ("month", 2_629_800), ("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= size:
            count = int(seconds // size)
            return f"{count} {name}{'' if count == 1 else 's'}"
    return "a moment"


def plural(count: int, one: str, many: str | None = None) -> str:
    """ "1 change", "2,000 changes"."""
    return f"{counted(count)} {one if count == 1 else many or one + 's'}"


def counted(number: int) -> str:
    """ "1,234,567", with the separator of the reader's language."""
    return str(number_format(number, force_grouping=True))
