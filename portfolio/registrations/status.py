"""How a registration stands, in words: what a person sees first, and what they have to know about losing data."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.text import days_and_hours, interval_text, moment_text
from portfolio.models import Cadence, Registration, RegistrationState

DROPPED_AFTER = timedelta(days=4)
LATE_AFTER = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Status:
    """A word for the badge, its tone (good, calm, warn, bad), and a sentence."""

    word: str
    tone: str
    sentence: str = ""


def status(registration: Registration, now: datetime | None = None, *, pulls_paused: bool = False) -> Status:
    """The registration's state as a person should take it; `pulls_paused`: the job that pulls all does not run."""
    now = now or timezone.now()
    if registration.state == RegistrationState.STOPPED:
        return Status(gettext("Stopped by D&B"), "bad", registration.stopped_reason)
    if registration.state == RegistrationState.PAUSED:
        return _paused(registration, now)
    if pulls_paused:
        return Status(
            gettext("Pulls paused"),
            "warn",
            gettext("No registration is pulled until the job “Pull due registrations” is resumed."),
        )
    if is_failing(registration):
        return Status(gettext("Retrying"), "warn", registration.last_error)
    if is_late(registration, now):
        return Status(gettext("Late"), "warn", gettext("The pull is overdue. Check that the worker is running."))
    return Status(gettext("Active"), "good", registration.last_error)


def _paused(registration: Registration, now: datetime) -> Status:
    until = registration.paused_until
    if until is None and registration.last_pulled_at is None:
        return Status(
            gettext("Not started"), "calm", gettext("No notifications are pulled until the registration is started.")
        )
    if until is None:
        return Status(
            gettext("Paused"), "calm", gettext("No notifications are pulled until you resume the registration.")
        )
    return Status(gettext("Paused until %(until)s") % {"until": moment_text(until)}, "calm", _kept(registration))


def _kept(registration: Registration) -> str:
    """What a pause that ends in time costs: nothing."""
    end = lost_at(registration)
    if end is None or not ends_in_time(registration):
        return ""
    words = gettext("D&B keeps new notifications for 4 days; nothing is lost if pulling resumes by %(end)s.")
    return words % {"end": moment_text(end)}


def ends_in_time(registration: Registration) -> bool:
    """Its pause has a planned end, before D&B deletes anything."""
    until, end = registration.paused_until, lost_at(registration)
    is_paused = registration.state == RegistrationState.PAUSED
    return is_paused and until is not None and end is not None and until < end


def is_failing(registration: Registration) -> bool:
    """Its last pulls have failed, one or several."""
    return registration.state == RegistrationState.ACTIVE and registration.consecutive_failures > 0


def is_late(registration: Registration, now: datetime) -> bool:
    due = registration.next_pull_at
    return registration.state == RegistrationState.ACTIVE and due is not None and due < now - LATE_AFTER


def lost_at(registration: Registration) -> datetime | None:
    """When D&B begins to drop what waits; None before the first pull."""
    pulled = registration.last_pulled_at
    return pulled + DROPPED_AFTER if pulled else None


def countdown(registration: Registration, now: datetime | None = None, *, pulls_paused: bool = False) -> str:
    """ "in 2 d 4 h" where what waits at D&B is in danger: pulling has stopped, waits or is late."""
    now = now or timezone.now()
    end = lost_at(registration)
    if end is None or (ends_in_time(registration) and not pulls_paused):
        return ""
    if status(registration, now, pulls_paused=pulls_paused).tone == "good":
        return ""
    return gettext("in %(span)s") % {"span": days_and_hours(end - now)} if end > now else gettext("now")


def loss_tone(registration: Registration, now: datetime | None = None) -> str:
    """Of the warning about data loss: bad once D&B deletes, until then a warning."""
    end = lost_at(registration)
    return "bad" if end is not None and end <= (now or timezone.now()) else "warn"


def loss_sentence(registration: Registration, now: datetime | None = None) -> str:
    now = now or timezone.now()
    end = lost_at(registration)
    if end is None:
        return gettext("Never pulled yet. D&B deletes notifications that are not pulled within 4 days.")
    if end <= now:
        return gettext("D&B has been deleting waiting notifications since %(end)s. Start pulling now.") % {
            "end": moment_text(end)
        }
    return gettext("D&B deletes notifications that are not pulled by %(end)s, in %(span)s.") % {
        "span": days_and_hours(end - now),
        "end": moment_text(end),
    }


def first_loss(registrations: Iterable[Registration]) -> str:
    """Of those that should be pulled, the one that D&B deletes from first."""
    active = [row for row in registrations if row.state == RegistrationState.ACTIVE and row.last_pulled_at]
    if not active:
        return gettext("D&B deletes notifications that are not pulled within 4 days.")
    return loss_sentence(min(active, key=lambda row: row.last_pulled_at or timezone.now()))


def cadence_words(registration: Registration) -> str:
    """ "every 5 minutes", "daily at 06:00 (Europe/Berlin)"."""
    every = registration.cadence_every
    if registration.cadence == Cadence.DAILY:
        at = f"{registration.cadence_time:%H:%M}" if registration.cadence_time else "06:00"
        return gettext("daily at %(time)s (%(zone)s)") % {"time": at, "zone": registration.cadence_zone}
    return interval_text(every * 60 if registration.cadence == Cadence.HOURS else every)


def reported_by_dnb(registration: Registration) -> dict[str, Any]:
    """The `registration` of D&B's answer; empty where there is none."""
    try:
        answer: Any = json.loads(registration.detail or "{}")
    except ValueError:
        return {}
    for name in ("messages", "registration"):
        answer = answer.get(name) if isinstance(answer, dict) else None
    return answer if isinstance(answer, dict) else {}


TOLD_WORDS = {
    "UPDATE": _("Changes only"),
    "FULL_PRODUCT": _("Full data at every change"),
    "API_PULL": _("Pull by D&B Monitoring"),
    "PUSH": _("Files"),
    "DAILY": _("Daily"),
    "WEEKLY": _("Weekly"),
    "MONTHLY": _("Monthly"),
}


def description(registration: Registration) -> str:
    text = reported_by_dnb(registration).get("description")
    return text if isinstance(text, str) else ""
