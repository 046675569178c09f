"""Users who are mentioned in comments on alerts and in notes on companies: `@username`."""

from __future__ import annotations

import json
import re
import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext

from core.actors import person_text
from core.admin.filters import key_at
from core.db import existing_keys, in_batches
from core.visibility import visible_to
from monitoring.follows.entries import message_of
from monitoring.follows.preferences import can_be_reached, due_time, preferences_of
from monitoring.follows.subjects import visible
from monitoring.follows.unread import count_unread
from monitoring.models import (
    Alert,
    AlertComment,
    Frequency,
    MessageState,
    NotificationPreference,
    OutboxMessage,
    content_key,
)
from monitoring.outbox.queue import enqueue
from portfolio.models import Company, CompanyNote

# As Django writes usernames; an email address has something before its “@”.
MENTION = re.compile(r"(?<![\w.@+/-])@([\w.@+-]+)")
AT_THE_END = ".+-@"
MENTIONS_FROM = timedelta(days=1)
MAY_COMMENT = "monitoring.acknowledge_alert"
TEXTS, MOST_IN_ONE = 500, 20
Text = AlertComment | CompanyNote


def names_in(text: str) -> list[str]:
    """Each once, in order; a full stop behind one ends the sentence."""
    found = (name.rstrip(AT_THE_END) for name in MENTION.findall(text))
    return list(dict.fromkeys(name for name in found if name))[:MOST_IN_ONE]


def mentioned_in(text: str) -> list[Any]:
    """The active users."""
    people = _people_by_name(names_in(text))
    return list({person.pk: person for person in people.values()}.values())


def _people_by_name(names: Collection[str]) -> dict[str, Any]:
    """By the name as it was written; usernames are mostly in lower case."""
    spellings = {spelling for name in names for spelling in (name, name.lower())}
    people = get_user_model().objects.filter(username__in=spellings, is_active=True) if names else ()
    known = {person.get_username(): person for person in people}
    return {name: person for name in names if (person := known.get(name) or known.get(name.lower()))}


def readable(person: Any, texts: Collection[Text]) -> list[Text]:
    """Those that the user may see, with the alert or company that they are about."""
    alerts = {text.alert_id for text in texts if isinstance(text, AlertComment)}
    notes = [text for text in texts if isinstance(text, CompanyNote)]
    seen_alerts = _seen(visible(person, Alert), alerts)
    companies = _seen(visible(person, Company), {note.company_id for note in notes})
    # Notes are of business units, also where both see the company.
    seen_notes = _seen(visible_to(person, CompanyNote.objects.all()), {note.pk for note in notes})
    return [
        text
        for text in texts
        if (
            text.alert_id in seen_alerts
            if isinstance(text, AlertComment)
            else text.company_id in companies and text.pk in seen_notes
        )
    ]


def _seen(rows: QuerySet[Any], keys: Collection[Any]) -> set[Any]:
    found: set[Any] = set()
    for batch in in_batches(sorted(keys)):
        found.update(rows.filter(pk__in=batch).values_list("pk", flat=True))
    return found


def may_read(person: Any, text: Text) -> bool:
    return bool(readable(person, [text]))


def not_notified_text(texts: Sequence[Text]) -> str:
    """For the author of one text, written once or on many alerts: who is mentioned and gets no message."""
    names = names_in(texts[0].text)
    people = _people_by_name(names)
    unknown = [f"@{name}" for name in names if name not in people]
    readers = {name: person for name, person in people.items() if readable(person, texts)}
    barred = [f"@{name}" for name in people if name not in readers]
    parts = []
    if unknown:
        words = gettext("No active user has the name %(names)s. Check the username.")
        parts.append(words % {"names": ", ".join(unknown)})
    if barred:
        words = gettext("%(names)s may not view this text and is not notified.")
        parts.append(words % {"names": ", ".join(barred)})
    others = {person.pk: person for person in readers.values() if person.get_username() != texts[0].by}
    return " ".join([*parts, *_cannot_answer(others.values(), texts[0]), *_not_reached(list(others.values()))])


def _cannot_answer(people: Iterable[Any], text: Text) -> Iterator[str]:
    """Notes state facts; only a comment asks for an answer on its page."""
    if not isinstance(text, AlertComment):
        return
    if names := [f"@{person.get_username()}" for person in people if not person.has_perm(MAY_COMMENT)]:
        words = gettext(
            "%(names)s can view this alert but cannot comment on it. Ask them directly, or have an administrator give "
            "them a role that can acknowledge alerts."
        )
        yield words % {"names": ", ".join(names)}


def _not_reached(people: Sequence[Any]) -> Iterator[str]:
    preferences = preferences_of(people).values() if people else ()
    for row in preferences:
        if not can_be_reached(row):
            no_address = gettext("%(person)s has no email address, so only their Overview shows the mention.")
            paused = gettext("%(person)s has paused notifications, so only their Overview shows the mention.")
            yield (paused if row.paused_at else no_address) % {"person": person_text(row.person)}


# Messages


def notify_mentioned() -> int:
    """Notify users of the comments and notes that mention them; returns how many messages are new.

    Whoever is killed between saving a text and notifying of it leaves it to this.
    """
    since = key_at(timezone.now() - MENTIONS_FROM)
    comments = AlertComment.objects.filter(pk__gte=since, text__contains="@")
    notes = CompanyNote.objects.filter(pk__gte=since, text__contains="@")
    return sum(notify_of_texts(batch) for rows in (comments, notes) for batch in _batches(rows))


def _batches(rows: QuerySet[Any]) -> Iterator[list[Text]]:
    batch = list(rows.order_by("pk")[:TEXTS])
    while batch:
        yield batch
        batch = list(rows.filter(pk__gt=batch[-1].pk).order_by("pk")[:TEXTS])


def notify_of_texts(texts: Collection[Text]) -> int:
    """One message a user for each text, however many alerts it was written on, and however many do this at once: user,
    author, moment and text are its key. One for a user whom nothing reaches is not sent: their own page shows it.
    Returns how many messages are new and will be sent."""
    wanted = _without_known(_mentions(texts))
    preferences = preferences_of(list({person.pk: person for person, _ in wanted}.values())) if wanted else {}
    rows: list[OutboxMessage] = []
    for key, preference in preferences.items():
        its = {event: found for (person, event), found in wanted.items() if person.pk == key}
        rows += _messages(preference, its)
    new = enqueue(rows)
    count_unread({row.target for row in new})
    return sum(row.state == MessageState.WAITING for row in new)


# A user, and the event of a text that mentions them.
Mentions = dict[tuple[Any, str], list[Text]]


def _mentions(texts: Collection[Text]) -> Mentions:
    people = _people_by_name({name for text in texts for name in names_in(text.text)})
    found: Mentions = defaultdict(list)
    for text in texts:
        for name in names_in(text.text):
            if name in people and people[name].get_username() != text.by:
                found[people[name], event_of(text)].append(text)
    return found


def _without_known(mentions: Mentions) -> Mentions:
    keys = {OutboxMessage.key(person.pk, event): (person, event) for person, event in mentions}
    known = existing_keys(OutboxMessage, list(keys))
    return {at: mentions[at] for key, at in keys.items() if key not in known}


def event_of(text: Text) -> str:
    moment = int(text.at.timestamp() * 1000)
    return f"mention:{content_key('mention', text.by, moment, text.text)}"


def _messages(preference: NotificationPreference, mentions: Mapping[str, Sequence[Text]]) -> Iterator[OutboxMessage]:
    """Each names the first text that the user may read."""
    person = preference.person
    seen = {text.pk for text in readable(person, [text for its in mentions.values() for text in its])}
    due = due_time(preference, Frequency.AT_ONCE, timezone.now())
    for event, its in mentions.items():
        if first := next((text for text in its if text.pk in seen), None):
            kind = "comment" if isinstance(first, AlertComment) else "note"
            message = message_of(person.pk, event, due, json.dumps({kind: str(first.pk)}))
            if not can_be_reached(preference):
                message.state, message.next_try_at = MessageState.CANCELLED, None
                message.last_error = _not_sent_text(preference)
            yield message


def _not_sent_text(preference: NotificationPreference) -> str:
    """Without names or titles: what is erased stays in no message. Lists show 120 characters."""
    if preference.paused_at:
        return gettext("The user has paused notifications. Their Overview shows the mention.")
    return gettext("The user has no email address. Their Overview shows the mention. Add an address under “Users”.")


def texts_of(payloads: Collection[dict[str, str]]) -> dict[str, Text]:
    """What messages are about, by the keys of the texts that are still there."""
    comments = [payload["comment"] for payload in payloads if "comment" in payload]
    notes = [payload["note"] for payload in payloads if "note" in payload]
    found: list[Text] = []
    if comments:
        found += AlertComment.objects.select_related("alert").filter(pk__in=comments)
    if notes:
        found += CompanyNote.objects.select_related("company").filter(pk__in=notes)
    return {str(text.pk): text for text in found}


def text_of(payload: dict[str, str]) -> Text | None:
    return next(iter(texts_of([payload]).values()), None)


def comments_since(alerts: Sequence[uuid.UUID], by: str, moment: datetime) -> list[AlertComment]:
    """What a user wrote on these alerts from a moment on, where it may mention somebody."""
    written = AlertComment.objects.filter(pk__gte=key_at(moment), by=by, text__contains="@").order_by("pk")
    return [row for batch in in_batches(alerts) for row in written.filter(alert__in=batch)]


# As pages show them


def with_names(texts: Collection[str]) -> list[SafeString]:
    """HTML, in which each mention is the user's full name; one query for all, and none without a mention."""
    people = _people_by_name([name for text in texts for name in names_in(text)])
    return [mark_safe("".join(_pieces(text, people))) for text in texts]  # noqa: S308  each piece is escaped


def _pieces(text: str, people: dict[str, Any]) -> Iterator[str]:
    end = 0
    for match in MENTION.finditer(text):
        name = match[1].rstrip(AT_THE_END)
        if name in people:
            yield conditional_escape(text[end : match.start()])
            yield format_html('<strong title="@{}">{}</strong>', name, person_text(people[name]))
            end = match.start() + 1 + len(name)
    yield conditional_escape(text[end:])
