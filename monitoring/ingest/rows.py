"""What is inserted: tuples of all columns, since a model instance costs more than all the rest of a row."""

from __future__ import annotations

import uuid
from datetime import date, datetime
from typing import NamedTuple

from core.db import clean_text
from monitoring.elements.formatting import from_json
from monitoring.elements.registry import SeverityTable, element_key
from monitoring.ingest.batch import Batch, place_at
from monitoring.ingest.parser import Fact, Reading
from monitoring.models import Entry, Severity
from monitoring.story_order import place_of


class CompanyRow(NamedTuple):
    duns: str
    name: str = ""
    search_name: str = ""
    country: str = ""
    city: str = ""
    operating_status: str = ""
    changed_at: datetime | None = None
    merged_into: str = ""
    global_ultimate: str = ""
    projection: str = ""
    sources: str = ""
    version: int = 0
    failure_percentile: int | None = None
    failure_class: int | None = None
    failure_incidence: int | None = None
    delinquency_percentile: int | None = None
    delinquency_class: int | None = None
    delinquency_incidence: int | None = None
    rating: str = ""
    limit_amount: int | None = None
    limit_currency: str = ""
    payment_index: int | None = None
    industry_code: str = ""
    industry_scheme: str = ""
    industry: str = ""
    legal_form: str = ""
    start_year: int | None = None
    employees: int | None = None
    revenue: int | None = None
    revenue_currency: str = ""
    size: str = ""
    flags: int | None = None
    parent: str = ""
    domestic_ultimate: str = ""
    last_critical_at: datetime | None = None
    exposure: int | None = None
    exposure_unconverted: bool = False
    tier: str = ""
    tier_set_by: str = ""
    tier_set_on: date | None = None
    next_review_on: date | None = None
    kept_review_on: date | None = None
    kept_review_at: datetime | None = None


class NotificationRow(NamedTuple):
    id: uuid.UUID
    registration_id: uuid.UUID
    company_id: str
    type: str
    delivered_at: datetime | None
    recorded_at: datetime
    delivery_id: uuid.UUID
    position: int
    place: str
    retained_duns: str
    organization: str


class ChangeRow(NamedTuple):
    id: uuid.UUID
    company_id: str
    kind: str
    element: str
    previous: str | None
    current: str | None
    changed_at: datetime
    delivered_at: datetime | None
    position: int
    place: str
    recorded_at: datetime
    severity: int
    notification_id: uuid.UUID
    registration_id: uuid.UUID
    delivery_id: uuid.UUID
    derived_from: str = ""
    superseded: bool = False
    replaced_by: uuid.UUID | None = None
    entry: int = Entry.CHANGE.value
    audience: uuid.UUID | None = None


def notification_row(batch: Batch, reading: Reading) -> NotificationRow:
    delivery, item = batch.delivery, reading.item
    return NotificationRow(
        id=reading.id,
        registration_id=delivery.registration_id,
        company_id=item.duns,
        type=clean_text(item.type, 64),
        delivered_at=reading.delivered_at,
        recorded_at=batch.now,
        delivery_id=delivery.pk,
        position=reading.position,
        place=place_of(delivery, reading.position),
        retained_duns=clean_text(item.retained_duns, 32) if item.retained_duns else "",
        organization=reading.organization,
    )


def change_rows(batch: Batch, severities: SeverityTable) -> list[ChangeRow]:
    rows: list[ChangeRow] = []
    for reading in batch.readings:
        place = place_of(batch.delivery, reading.position)
        for order, fact in enumerate(reading.facts):
            rows.append(_change(batch, reading, order, fact, place, severities))
    return rows


def _severity(fact: Fact, severities: SeverityTable) -> Severity:
    if not fact.path:
        return severities.of_kind(fact.kind)
    constant = severities.constant(fact.path)
    if constant is not None:
        return constant
    return severities.of_element(fact.path, fact.value, from_json(fact.previous))


def _change(batch: Batch, reading: Reading, order: int, fact: Fact, place: str, severities: SeverityTable) -> ChangeRow:
    """By position: names would cost half as much again."""
    path, delivered_at, delivery = fact.path, reading.delivered_at, batch.delivery
    return ChangeRow(
        fact.id,
        reading.item.duns,
        fact.kind,
        element_key(path),
        fact.previous,
        fact.current,
        fact.moment or delivered_at or batch.stamp or batch.now,
        delivered_at,
        reading.position * 1000 + min(order, 999),
        place_at(batch, reading, order, fact, place),
        batch.now,
        int(_severity(fact, severities)),
        reading.id,
        delivery.registration_id,
        delivery.pk,
    )
