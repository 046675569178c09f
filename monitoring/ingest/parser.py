"""A delivery's bytes → what they say, without touching the database: items, their ids and the facts in them."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b
from typing import Any

import msgspec
from django.utils.translation import gettext

from direct_plus.exact_json import parse_json
from direct_plus.payloads import ElementChange, Item, UnreadableItem, parse_stamp, read_item, split_answer
from monitoring import content_ids
from monitoring.elements.json_paths import stored_value
from monitoring.models import Delivery, Kind, Source

KIND_OF_TYPE = {
    "SEED": Kind.BASELINE.value,
    "DELETE": Kind.DELETED.value,
    "UNDELETE": Kind.RESTORED.value,
    "TRANSFER": Kind.TRANSFERRED.value,
    "UNDER_REVIEW": Kind.UNDER_REVIEW.value,
    "REVIEWED": Kind.REVIEWED.value,
    "EXIT": Kind.LEFT.value,
    "ENTER": Kind.ENTERED.value,
    "REMOVED": Kind.REMOVED.value,
}
ELEMENT = Kind.ELEMENT.value
# Stands in stored bytes where the item of a company was that is forgotten; the others keep their places.
FORGOTTEN = b'{"type":"FORGOTTEN"}'


class Fact(msgspec.Struct, frozen=True, gc=False):
    """One change: of an element, or the notice itself (`path` empty). Its `value` is what `current` says, or the whole
    document."""

    id: uuid.UUID
    kind: str
    path: str
    previous: str | None
    current: str | None
    value: Any
    moment: datetime | None


class Reading(msgspec.Struct, frozen=True, gc=False):
    """One notification as read: its id, its facts, and D&B's stamp."""

    position: int
    id: uuid.UUID
    item: Item
    organization: str
    delivered_at: datetime | None
    facts: tuple[Fact, ...]


class Unreadable(msgspec.Struct, frozen=True, gc=False):
    position: int
    raw: bytes
    reason: str


@dataclass(slots=True)
class Reader:
    """Reads the items of one answer, file part or retry in their order; counts identical ones.

    A whole document that returns after another one of the same company and stamp is a state that the company came back
    to; the same document twice without another in between is one, said twice.
    """

    source: str
    fallback_stamp: str | None
    default_type: str | None = None
    seen: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    last_documents: dict[tuple[str, str], str] = field(default_factory=dict)

    def read(self, items: Iterable[bytes]) -> Iterator[Reading | Unreadable]:
        for position, raw in enumerate(items):
            if raw == FORGOTTEN:
                continue
            try:
                yield self._reading(position, raw)
            except (UnreadableItem, ValueError) as error:
                yield Unreadable(position, raw, str(error))

    def _reading(self, position: int, raw: bytes) -> Reading:
        item = read_item(raw, default_type=self.default_type)
        stamp = item.delivery_stamp or self.fallback_stamp
        delivered_at = parse_stamp(stamp) if stamp else None
        organization = _text(item.organization) or "" if item.type == "SEED" else ""
        document = parse_json(organization) if organization else None
        if item.type == "UPDATE" and item.elements:
            return self._update(position, item, item.elements, stamp, delivered_at)
        notification = self._notice_id(item, document, stamp, delivered_at)
        fact = _notice(item, notification, document, delivered_at)
        return Reading(position, notification, item, organization, delivered_at, (fact,))

    def _update(
        self,
        position: int,
        item: Item,
        elements: tuple[ElementChange, ...],
        stamp: str | None,
        delivered_at: datetime | None,
    ) -> Reading:
        pairs = [_element(item.duns, element) for element in elements]
        facts = tuple(fact for _, fact in pairs)
        moments = [fact.moment for fact in facts]
        if all(element.timestamp for element in elements):
            latest = max((moment for moment in moments if moment), default=None)
            notification = content_ids.update_id(self.source, item.duns, (content for content, _ in pairs), latest)
        else:
            notification = self._notice_id(item, None, stamp, delivered_at)
        return Reading(position, notification, item, "", delivered_at, facts)

    def _notice_id(self, item: Item, document: Any, stamp: str | None, delivered_at: datetime | None) -> uuid.UUID:
        if document is not None:
            organization = content_ids.canonical(document)
            returned = self._returned(item.duns, organization, content_ids.canonical_stamp(stamp))
            return content_ids.seed_id(self.source, item.duns, organization, stamp, delivered_at, returned)
        body = parse_json(item.body)
        body.pop("deliveryTimeStamp", None)
        text = content_ids.canonical(body)
        same = (item.duns, text, content_ids.canonical_stamp(stamp))
        occurrence = self.seen[same]
        self.seen[same] += 1
        return content_ids.notice_id(self.source, item.duns, text, stamp, occurrence, delivered_at)

    def _returned(self, duns: str, document: str, stamp: str) -> int:
        """How often this document has come back to a company that had become another one in between."""
        document = blake2b(document.encode()).hexdigest()
        last = self.last_documents.get((duns, stamp))
        self.last_documents[duns, stamp] = document
        same = (duns, document, stamp)
        if last is None or (last != document and same not in self.seen):
            self.seen[same] = 0
        elif last != document:
            self.seen[same] += 1
        return self.seen[same]


def _element(duns: str, element: ElementChange) -> tuple[str, Fact]:
    """The canonical content of an element's change, and the change."""
    previous, current = _text(element.previous), _text(element.current)
    value = stored_value(current)
    moment = parse_stamp(element.timestamp) if element.timestamp else None
    content = content_ids.element_fact(
        element.element, content_ids.canonical(stored_value(previous)), content_ids.canonical(value), element.timestamp
    )
    return content, Fact(
        id=content_ids.change_id(duns, content, moment),
        kind=ELEMENT,
        path=element.element,
        previous=previous,
        current=current,
        value=value,
        moment=moment,
    )


def _notice(item: Item, notification: uuid.UUID, document: Any, moment: datetime | None) -> Fact:
    kind = KIND_OF_TYPE.get(item.type, Kind.UNKNOWN.value)
    retained = content_ids.canonical(item.retained_duns) if item.retained_duns else None
    return Fact(content_ids.lifecycle_change_id(notification, moment), kind, "", None, retained, document, moment)


def _text(raw: bytes | None) -> str | None:
    """JSON as sent, as text that every engine can hold."""
    if raw is None:
        return None
    text = raw.decode()
    if "\0" in text:
        raise UnreadableItem(gettext("The item contains a NUL character, which JSON does not allow."))
    return text


def items_of(delivery: Delivery, content: bytes) -> list[bytes]:
    """The items that a delivery's bytes hold."""
    if delivery.source in (Source.RETRY, Source.FETCH):
        return [content] if content else []
    if delivery.source == Source.FILE:
        return [line for line in content.splitlines() if line.strip()]
    split = split_answer(content)
    if split is None:
        raise ValueError(gettext("The stored data of delivery %(pk)s is not a valid response.") % {"pk": delivery.pk})
    return split.items
