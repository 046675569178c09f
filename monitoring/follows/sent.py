"""A user's latest messages, as their page shows them."""

from __future__ import annotations

import json
import uuid
from collections import defaultdict
from collections.abc import Collection
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext, ngettext

from core.actors import names_of
from core.text import counted
from monitoring.company_page.timeline import lines_of, sentence
from monitoring.follows.matches import visible_changes
from monitoring.follows.mentions import Text, readable, texts_of
from monitoring.follows.unread import MENTION
from monitoring.models import AlertComment, OutboxMessage, PersonalEvent, TargetKind
from portfolio.companies.search import with_companies

LATEST, SHOWN = 20, 3


def latest_messages(person: Any) -> list[Any]:
    """The newest first, each with what it is about as far as the user may see it."""
    rows = OutboxMessage.objects.filter(target=person.pk, kind=TargetKind.PERSON)
    messages: list[Any] = list(rows.order_by("-created_at")[:LATEST])
    sentences = _sentences(person, [row.event for row in messages])
    mentions = _mention_texts(person, messages)
    for row in messages:
        is_mention, row.link = row.payload != "{}", ""
        if is_mention:
            row.text, row.link = mentions.get(row.pk, ("", ""))
        else:
            row.text = _changes_text(sentences.get(row.event, []))
    return messages


def latest_mention(person: Any) -> tuple[str, str]:
    """The text of the latest comment or note that mentions the user, and the page that has it; no page where it is
    gone."""
    rows = OutboxMessage.objects.filter(target=person.pk, kind=TargetKind.PERSON, event_type=MENTION)
    row = rows.order_by("-created_at").first()
    return _mention_texts(person, [row]).get(row.pk, ("", "")) if row else ("", "")


def _sentences(person: Any, events: Collection[str]) -> dict[str, list[str]]:
    entries = list(PersonalEvent.objects.filter(person=person.pk, event__in=events).order_by("id")) if events else []
    by_event: dict[str, list[PersonalEvent]] = defaultdict(list)
    for entry in entries:
        by_event[entry.event].append(entry)
    first = [entry.change for its in by_event.values() for entry in its[:SHOWN]]
    changes = list(visible_changes(person, first).values()) if first else []
    with_companies(changes)
    words = {line.change.pk: sentence(line) for line in lines_of(changes)} if changes else {}
    return {
        event: [words[entry.change] for entry in its[:SHOWN] if entry.change in words] + [""] * (len(its) - SHOWN)
        for event, its in by_event.items()
    }


def _changes_text(sentences: Collection[str]) -> str:
    shown = [one for one in sentences if one]
    if not shown:
        return gettext("These changes no longer apply, or you no longer have permission to view them")
    more = len(sentences) - len(shown)
    words = ngettext("%(text)s; and %(count)s more", "%(text)s; and %(count)s more", more)
    text = "; ".join(shown)
    return words % {"text": text, "count": counted(more)} if more else text


def _mention_texts(person: Any, messages: Collection[OutboxMessage]) -> dict[uuid.UUID, tuple[str, str]]:
    """Of the texts that are still there and that the user may read, each with the page that has it."""
    payloads = {row.pk: json.loads(row.payload) for row in messages}
    texts = readable(person, list(texts_of(payloads.values()).values()))
    names = names_of(text.by for text in texts)
    words = gettext("%(by)s mentioned you: %(text)s")
    said = {
        str(text.pk): (words % {"by": names.get(text.by, text.by), "text": text.text[:200]}, _link(text))
        for text in texts
    }
    gone = (gettext("This text was deleted, or you no longer have permission to view it"), "")
    return {key: said.get(text, gone) for key, payload in payloads.items() for text in payload.values()}


def _link(text: Text) -> str:
    if isinstance(text, AlertComment):
        return reverse("admin:monitoring_alert_change", args=[text.alert_id])
    return reverse("admin:portfolio_company_change", args=[text.company_id])
