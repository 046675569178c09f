"""Users who follow something, and the messages that they get."""

from __future__ import annotations

from typing import Any

from django.core import mail
from django.utils import timezone

from dnbmon_site.accounts.models import User
from monitoring.follows.consumer import notify_followers
from monitoring.follows.preferences import stored_preference_of
from monitoring.models import Follow, FollowKind, NotificationPreference, OutboxMessage, TargetKind
from monitoring.outbox.queue import send_due_messages
from tests.builders.alerts import raised
from tests.builders.companies import DUNS
from tests.builders.people import a_person
from tests.builders.times import MOMENT, soon


def a_follower(username: str = "bob", **fields: Any) -> User:
    """Somebody who may see all, with an email address."""
    person = a_person(username=username, role="Viewer")
    User.objects.filter(pk=person.pk).update(**{"email": f"{username}@example.com", **fields})
    return User.objects.get(pk=person.pk)


def a_follow(person: User, kind: str = FollowKind.COMPANY, subject: str = DUNS, **fields: Any) -> Follow:
    key = Follow.key(person.pk, kind, subject)
    values = {"created_at": MOMENT, **fields}
    return Follow.objects.create(id=key, person=person, kind=kind, subject=subject, **values)


def prefers(person: User, **fields: Any) -> NotificationPreference:
    row = stored_preference_of(person)
    NotificationPreference.objects.filter(pk=row.pk).update(**fields)
    return NotificationPreference.objects.select_related("person").get(pk=row.pk)


def followed() -> int:
    """Alerts first, as jobs do it."""
    raised()
    return notify_followers(soon())


def sent_mails() -> list[tuple[str, str]]:
    """To whom, and under which subject."""
    followed()
    send_due_messages(soon(), at_once=1)
    return [(one.to[0], str(one.subject)) for one in mail.outbox]


def personal_messages() -> list[OutboxMessage]:
    return list(OutboxMessage.objects.filter(kind=TargetKind.PERSON).order_by("created_at", "event"))


def is_waiting(row: OutboxMessage) -> bool:
    return row.next_try_at is not None and row.next_try_at > timezone.now()
