"""What a user is sent: changes of what they follow, or a text that mentions them, as it is at that moment."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from django.contrib.auth import get_user_model
from django.utils import timezone
from django.utils.translation import gettext, ngettext

from core.actors import names_of
from core.text import counted, moment_text
from core.urls import link
from monitoring.alerts.channel_messages import SPACING
from monitoring.alerts.facts.seen import as_seen_by
from monitoring.alerts.message_templates import MOST_ENTRIES, subject_of
from monitoring.company_page.timeline import lines_of, sentence
from monitoring.follows.already_sent import channels_of, sent_by_alerts
from monitoring.follows.entries import DIGEST, take
from monitoring.follows.matches import OWNER, visible_changes
from monitoring.follows.mentions import may_read, text_of
from monitoring.follows.preferences import channel_for, note_delivery, note_error, stored_preference_of
from monitoring.follows.subjects import subjects_of
from monitoring.models import (
    AlertComment,
    Change,
    Channel,
    Follow,
    NotificationPreference,
    OutboxMessage,
    PersonalEvent,
    Severity,
    TargetKind,
)
from monitoring.outbox.addresses import zone_of
from monitoring.outbox.channels import send
from monitoring.outbox.message import Entry, Message
from monitoring.outbox.queue import ROUTES, Answer, NotSent, Route
from portfolio.companies.search import with_companies


def send_personal(row: OutboxMessage) -> Answer:
    """Send a user what a message is about, as it is now; raises NotSent."""
    person = get_user_model().objects.filter(pk=row.target, is_active=True).first()
    if person is None:
        raise NotSent(gettext("The user was deactivated or deleted."), cancels=True)
    preference = stored_preference_of(person)
    if preference.paused_at:
        raise NotSent(gettext("The notifications of this user are paused."), cancels=True)
    message = message_for(person, row)
    if message is None:
        raise NotSent(gettext("There is nothing left to send to this user."), cancels=True)
    return _send(preference, message, row)


def _send(preference: NotificationPreference, message: Message, row: OutboxMessage) -> Answer:
    try:
        channel = channel_for(preference)
        if channel is None:
            raise NotSent(gettext("The user has no email address. Add one under “Users”."), final=True)
        answer = send(channel, message, row.pk)
    except NotSent as error:
        note_error(preference, str(error), is_last=error.final or row.attempts >= len(SPACING))
        raise
    note_delivery(preference.pk)
    return answer


def message_for(person: Any, row: OutboxMessage) -> Message | None:
    payload: dict[str, str] = json.loads(row.payload)
    with timezone.override(zone_of(Channel(person=person))):
        if payload:
            return _mention_message(person, payload)
        return _changes_message(person, take(person.pk, row.event), row)


# Followed changes


def _changes_message(person: Any, entries: Collection[PersonalEvent], row: OutboxMessage) -> Message | None:
    changes = _still_to_report(person, entries)
    if not changes:
        return None
    shown = _entries_of(changes[:MOST_ENTRIES])
    first = gettext("[%(severity)s] %(text)s") % {"severity": shown[0].severity, "text": shown[0].text}
    return Message(
        subject=subject_of(_digest_title(changes) if row.event_type == DIGEST else _with_more(first, len(changes) - 1)),
        entries=shown,
        more=len(changes) - len(shown),
        why=_why(person, {entry.because for entry in entries}),
        url=link("my_notifications"),
        url_words=gettext("My notifications"),
    )


def _still_to_report(person: Any, entries: Collection[PersonalEvent]) -> list[Change]:
    """Those that hold, that the user may see, and that no alert has brought since; the most severe first."""
    if not entries:
        return []
    since: datetime = min(entry.created_at for entry in entries)
    sent = sent_by_alerts(channels_of([person]), since).get(person.pk, set())
    changes = visible_changes(person, {entry.change for entry in entries} - sent)
    return sorted(changes.values(), key=lambda one: (-one.severity, one.changed_at, one.place, one.pk))


def _entries_of(changes: Collection[Change]) -> list[Entry]:
    rows = list(changes)
    with_companies(rows)
    return [_entry(line.change, sentence(line)) for line in lines_of(rows)]


def _entry(change: Change, text: str) -> Entry:
    severity = Severity(change.severity)
    url = link("admin:portfolio_company_change", change.company_id)
    return Entry(text, str(severity.label), severity.name.lower(), url, moment_text(change.changed_at))


def _digest_title(changes: Collection[Change]) -> str:
    companies = len({one.company_id for one in changes})
    words = ngettext(
        "%(count)s change to items that you follow", "%(count)s changes to items that you follow", len(changes)
    ) % {"count": counted(len(changes))}
    more = ngettext("%(count)s company", "%(count)s companies", companies) % {"count": counted(companies)}
    return f"{words}, {more}"


def _with_more(text: str, more: int) -> str:
    words = ngettext("%(text)s, and %(count)s more change", "%(text)s, and %(count)s more changes", more)
    return words % {"text": text, "count": counted(more)} if more > 0 else text


def _why(person: Any, because: Iterable[str]) -> str:
    follows = list(Follow.objects.filter(person=person).order_by("id"))
    chosen = [row for row in follows if str(row) in set(because)]
    names = [one.name for one in subjects_of(person, chosen).values()]
    if OWNER in because:
        names.append(gettext("companies you own"))
    return gettext("You follow: %(names)s.") % {"names": ", ".join(names)} if names else ""


# Mentions


def _mention_message(person: Any, payload: dict[str, str]) -> Message | None:
    text = text_of(payload)
    if text is None or not may_read(person, text):
        return None
    by = names_of([text.by]).get(text.by, text.by)
    if isinstance(text, AlertComment):
        as_seen_by(person, [text.alert])
        about, url = text.alert.title, link("admin:monitoring_alert_change", text.alert_id)
        url_words = gettext("View alert")
    else:
        about, url = str(text.company), link("admin:portfolio_company_change", text.company_id)
        url_words = gettext("View company")
    subject = gettext("%(person)s mentioned you: %(about)s") % {"person": by, "about": about}
    return Message(subject_of(subject), lead=text.text, url=url, url_words=url_words)


ROUTES[TargetKind.PERSON] = Route(send_personal, SPACING)
