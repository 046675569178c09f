"""Users who are mentioned in comments on alerts and in notes on companies: `@username`."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Collection, Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.contrib.auth import get_user_model
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext

from core.actors import person_text
from core.admin.filters import key_at
from monitoring.follows.entries import message_of
from monitoring.follows.preferences import can_be_reached, due_time, preferences_of
from monitoring.follows.subjects import visible
from monitoring.models import Alert, AlertComment, Frequency, OutboxMessage
from monitoring.outbox.queue import enqueue
from portfolio.models import Company, CompanyNote

# As Django writes usernames; an email address has something before its “@”.
MENTION = re.compile(r"(?<![\w.@+/-])@([\w.@+-]+)")
AT_THE_END = ".+-@"
MENTIONS_FROM = timedelta(days=1)
MOST_TEXTS, MOST_IN_ONE = 500, 20
Text = AlertComment | CompanyNote
Row = TypeVar("Row", AlertComment, CompanyNote)


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


def may_read(person: Any, text: Text) -> bool:
    """Whether the user sees the alert or company that it is about."""
    if isinstance(text, AlertComment):
        return visible(person, Alert).filter(pk=text.alert_id).exists()
    return visible(person, Company).filter(pk=text.company_id).exists()


def not_notified_text(text: Text) -> str:
    """For the author: who is mentioned and gets no message; nothing where all do."""
    names = names_in(text.text)
    people = _people_by_name(names)
    unknown = [f"@{name}" for name in names if name not in people]
    barred = [f"@{name}" for name, person in people.items() if not may_read(person, text)]
    parts = []
    if unknown:
        words = gettext("No active user has the name %(names)s. Check the username.")
        parts.append(words % {"names": ", ".join(unknown)})
    if barred:
        words = gettext("%(names)s may not view this and is not notified.")
        parts.append(words % {"names": ", ".join(barred)})
    return " ".join(parts)


# Messages


def notify_mentioned() -> int:
    """Notify users of the comments and notes that mention them; returns how many messages are new.

    The message's key is made of the user and the text, so however many do this, one is sent. Whoever is killed between
    saving a text and this leaves it to the next run.
    """
    since = key_at(timezone.now() - MENTIONS_FROM)
    comments = AlertComment.objects.filter(pk__gte=since, text__contains="@")
    notes = CompanyNote.objects.filter(pk__gte=since, text__contains="@")
    texts: list[Text] = [*_latest(comments), *_latest(notes)]
    return len(enqueue([message for text in texts for message in _messages(text)]))


def _latest(rows: QuerySet[Row]) -> Iterable[Row]:
    return rows.order_by("-pk")[:MOST_TEXTS]


def _messages(text: Text) -> Iterator[OutboxMessage]:
    people = [person for person in mentioned_in(text.text) if person.get_username() != text.by]
    for preference in preferences_of(people).values() if people else ():
        if can_be_reached(preference) and may_read(preference.person, text):
            yield _message(text, preference.person.pk, due_time(preference, Frequency.AT_ONCE, timezone.now()))


def _message(text: Text, person: uuid.UUID, due: datetime) -> OutboxMessage:
    kind = "comment" if isinstance(text, AlertComment) else "note"
    return message_of(person, f"mention:{text.pk}", due, json.dumps({kind: str(text.pk)}))


def text_of(payload: dict[str, str]) -> Text | None:
    """What a message is about, if it is still there."""
    if "comment" in payload:
        return AlertComment.objects.select_related("alert").filter(pk=payload["comment"]).first()
    return CompanyNote.objects.select_related("company").filter(pk=payload["note"]).first()


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
