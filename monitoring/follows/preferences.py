"""How a user is notified: where, when, and whether at all."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext

from core.db import clean_text, insert_new
from core.notices import notify
from monitoring.alerts.digests import next_digest
from monitoring.alerts.routing import after_quiet_hours
from monitoring.models import Channel, Frequency, NotificationPreference
from monitoring.outbox.addresses import set_address

# Messages that were not delivered however often they were tried, one after the other.
FAILURES = 3


def preference_of(person: Any) -> NotificationPreference:
    """The user's own, or the defaults."""
    return preferences_of([person])[person.pk]


def preferences_of(people: Collection[Any]) -> dict[UUID, NotificationPreference]:
    keys = [person.pk for person in people]
    known = {row.pk: row for row in NotificationPreference.objects.filter(pk__in=keys).select_related("channel")}
    found = {}
    for person in people:
        row = known.get(person.pk) or NotificationPreference(id=person.pk)
        row.person = person
        found[person.pk] = row
    return found


def stored_preference_of(person: Any) -> NotificationPreference:
    insert_new(NotificationPreference, [NotificationPreference(id=person.pk, person=person)])
    return preference_of(person)


# Where


def channel_for(preference: NotificationPreference) -> Channel | None:
    """The channel that the user has chosen, as long as it is open, else their own address; None for neither."""
    if _uses_channel(preference):
        return preference.channel
    return _own_mail(preference.person) if preference.person.email else None


def _uses_channel(preference: NotificationPreference) -> bool:
    chosen = preference.channel
    return bool(chosen and chosen.is_open and chosen.person_id == preference.person.pk)


def _own_mail(person: Any) -> Channel | None:
    """No row: alerts do not go there. Its unsubscribe link carries the user's key."""
    channel = Channel(id=person.pk, name=gettext("Email to %(person)s") % {"person": person}, person=person)
    try:
        set_address(channel, person.email)
    except ValidationError:
        return None
    return channel


def can_be_reached(preference: NotificationPreference) -> bool:
    return preference.paused_at is None and (_uses_channel(preference) or bool(preference.person.email))


# When


def due_time(preference: NotificationPreference, frequency: str, moment: datetime, *, passes: bool = False) -> datetime:
    """When something of this moment may be sent; what `passes` is not held up by quiet hours."""
    timing = Channel(
        frequency=frequency,
        digest_time=preference.digest_time,
        digest_day=preference.digest_day,
        zone=preference.quiet_zone,
    )
    due = next_digest(timing, moment) or moment
    is_now = frequency == Frequency.AT_ONCE
    return due if is_now and passes else after_quiet_hours(preference, due)


def end_of_hour(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)


# Whether


def note_delivery(person: UUID) -> None:
    NotificationPreference.objects.filter(pk=person).update(failures=0, last_error="")


def note_error(preference: NotificationPreference, error: str, *, is_last: bool) -> None:
    """The user's page shows it; where messages fail one after the other, no more are sent until the user resumes."""
    row = NotificationPreference.objects.filter(pk=preference.pk)
    row.update(last_error=clean_text(error))
    if is_last and row.update(failures=F("failures") + 1) and preference.failures + 1 >= FAILURES:
        words = gettext("%(count)s messages in a row were not delivered. Last error: %(error)s")
        _pause_with_notice(preference, words % {"count": FAILURES, "error": error})


def _pause_with_notice(preference: NotificationPreference, reason: str) -> None:
    if pause(preference.person, reason):
        subject = gettext("Notifications of %(person)s are paused") % {"person": preference.person}
        text = gettext("%(reason)s %(person)s can resume them under “My notifications”.")
        text %= {"reason": reason, "person": preference.person}
        notify(kind="paused", subject=subject, text=text, key=f"{preference.pk}|{timezone.now().isoformat()}")


def pause(person: Any, reason: str) -> bool:
    """False where they were paused already."""
    row = stored_preference_of(person)
    active = NotificationPreference.objects.filter(pk=row.pk, paused_at=None)
    return bool(active.update(paused_at=timezone.now(), paused_because=clean_text(reason)))


def resume(person: Any) -> bool:
    """What happened since is not sent later."""
    row = NotificationPreference.objects.filter(pk=person.pk).exclude(paused_at=None)
    return bool(row.update(paused_at=None, paused_because="", failures=0, last_error=""))
