"""What has to be counted and made again once a registration's rows are gone: kept before the first of them goes, so
that whoever begins again after a kill still knows it."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from datetime import date
from itertools import count, takewhile

import msgspec

from core.blobs import delete_bytes, load_bytes, store_bytes
from monitoring.models import Change, Notification, Observation, content_key
from monitoring.stats.daily_counts import days_touched
from portfolio.models import Registration, Subject


class Touched(msgspec.Struct):
    """The companies that the registration reported or contained, and the days of what it reported."""

    companies: set[str]
    days: set[date]


def touched_by(row: Registration, deliveries: Sequence[uuid.UUID]) -> Touched:
    """By the rows that are still there."""
    companies: set[str] = set()
    for model in (Change, Observation, Notification, Subject):
        companies.update(model._default_manager.filter(registration=row).values_list("company_id", flat=True))
    return Touched(companies, days_touched(deliveries))


def remembered(row: Registration, found: Touched) -> Touched:
    """With what runs before this one have found. Each adds to it, as it may be killed while it replaces anything."""
    parts = list(_stored(row))
    known = Touched({one for part in parts for one in part.companies}, {day for part in parts for day in part.days})
    if not (found.companies <= known.companies and found.days <= known.days):
        store_bytes(_key(row, len(parts)), msgspec.json.encode(found))
    return Touched(known.companies | found.companies, known.days | found.days)


def forget_touched(row: Registration) -> None:
    """The first part last: without it, the others would not be found."""
    for number in reversed(range(len(list(_stored(row))))):
        delete_bytes(_key(row, number))


def _stored(row: Registration) -> Iterator[Touched]:
    found = (load_bytes(_key(row, number)) for number in count())
    return (msgspec.json.decode(content, type=Touched) for content in takewhile(bool, found))


def _key(row: Registration, number: int) -> uuid.UUID:
    return content_key("erase", row.pk, number)
