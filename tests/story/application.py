"""The application's side: a world's deliveries as stored rows, read by its own ingest, and what it then knows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone

from core.blobs import store_bytes
from monitoring.history.checkpoints import profile
from monitoring.history.state import events_of, states_after
from monitoring.models import Change, Delivery, DeliveryState, Observation, Verb
from monitoring.pipeline.ingest import ingest
from portfolio.models import Registration
from tests.builders.deliveries import an_answer, as_json
from tests.builders.registrations import a_registration
from tests.builders.times import stamp
from tests.story.facts import Observers, Token, state_of
from tests.story.model import Item, StoredDelivery
from tests.story.values import canon, parse
from tests.story.worlds import REGISTRATIONS


@dataclass
class Found:
    """What the application knows of a company."""

    # As it makes the state, which differences of documents do not take part in.
    order: list[tuple[datetime, Token]]
    # As lists and the feed's `order` sort it.
    listed: list[tuple[datetime, Token]]
    state: dict[str, str]
    observed: Observers


def registrations() -> dict[str, Registration]:
    made = {name: a_registration(name, full_product=is_full) for name, is_full in REGISTRATIONS.items()}
    # Or it would matter which of the two sorts equal stamps of two registrations.
    assert sorted(made, key=lambda name: made[name].pk) == sorted(made)
    return made


def read(deliveries: Iterable[StoredDelivery], numbers: dict[str, str], made: dict[str, Registration]) -> None:
    """Store and ingest one after the other; `numbers` holds the D-U-N-S number of each company."""
    for delivery in deliveries:
        ingest(store(delivery, numbers, made[delivery.registration]))


def store(delivery: StoredDelivery, numbers: dict[str, str], registration: Registration) -> Delivery:
    is_file = delivery.source == "file"
    items = [item_json(item, numbers[item.company], is_file=is_file) for item in delivery.items]
    row = Delivery(
        registration=registration,
        source=delivery.source,
        turn=delivery.turn,
        stands_for=delivery.stands_for,
        state=DeliveryState.RECEIVED,
        called_at=timezone.now(),
        ended_at=timezone.now(),
        received_at=timezone.now(),
        answer_stamp=stamp(delivery.stamp),
        notification_count=len(items),
        http_status=None if is_file else 200,
    )
    lines = b"\n".join(map(as_json, items)) + b"\n"
    store_bytes(row.pk, lines if is_file else an_answer(*items, at=stamp(delivery.stamp)))
    row.save(force_insert=True)
    return row


def item_json(item: Item, duns: str, *, is_file: bool) -> dict[str, Any]:
    organization: dict[str, Any] = {"duns": duns, **(item.document or {})}
    if item.retained:
        organization["dunsControlStatus"] = {"dunsTransfers": [{"retainedDUNS": item.retained}]}
    members: dict[str, Any] = {"type": item.type, "organization": organization}
    if item.elements:
        members["elements"] = [
            {
                "element": one.path,
                **({"previous": one.previous} if one.names_previous else {}),
                "current": one.current,
                "timestamp": stamp(one.at),
            }
            for one in item.elements
        ]
    return members if is_file else {**members, "deliveryTimeStamp": stamp(item.stamp)}


def found(duns: str) -> Found:
    live = [row for row in Change.objects.filter(company=duns).select_related("registration") if not row.superseded]
    # A SEED goes into the story with its document, by the notification's id.
    rows = {row.notification_id if row.kind == "baseline" else row.pk: row for row in live}
    told = [rows[event.id] for event, _ in states_after(events_of([duns])[duns]) if event.id in rows]
    assert {row.pk for row in live if not row.derived_from} == {row.pk for row in told}
    listed = sorted(live, key=lambda row: (row.changed_at, row.place, row.pk))
    return Found(entries(told), entries(listed), state_of(profile(duns).document), observed(live))


def entries(rows: Iterable[Change]) -> list[tuple[datetime, Token]]:
    return [(row.changed_at, token_of(row)) for row in rows]


def token_of(row: Change) -> Token:
    is_own = row.kind != "element" or bool(row.derived_from)
    values = ("", "null", "null")
    if row.kind == "element":
        values = (row.element.removeprefix("organization."), canon(parse(row.previous)), canon(parse(row.current)))
    moment = row.changed_at.isoformat(timespec="milliseconds")
    return row.kind, moment, *values, row.registration.reference if is_own else ""


def observed(live: Iterable[Change]) -> Observers:
    """By registration: the first in the change's own columns, others as observations or as changes it replaced."""
    by_token: dict[Token, set[str]] = {}
    for row in live:
        reported = Observation.objects.filter(change=row, verb=Verb.OBSERVED).select_related("registration")
        replaced = Change.objects.filter(replaced_by=row.pk).select_related("registration")
        found = by_token.setdefault(token_of(row), {row.registration.reference})
        found.update(one.registration.reference for one in reported)
        found.update(one.registration.reference for one in replaced)
    return {token: frozenset(who) for token, who in by_token.items()}
