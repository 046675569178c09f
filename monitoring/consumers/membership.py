"""Published notifications as evidence of which companies D&B monitors: a consumer with its own offset."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.utils import timezone

from core.bulk import select_values
from monitoring.models import Notification, Publication
from monitoring.publications.consumers import PublicationConsumer
from monitoring.story_order import is_fetched, notification_key
from portfolio.models import Registration
from portfolio.registrations.membership_evidence import GONE, apply_evidence, evidence_of

CONSUMER = PublicationConsumer("evidence")
PUBLICATIONS = 100


class Notice(NamedTuple):
    """What a notification says of who is monitored; where it came only if that is asked for."""

    registration_id: uuid.UUID
    company_id: str
    type: str
    delivered_at: datetime | None
    recorded_at: datetime
    place: str
    position: int = 0
    pk: uuid.UUID = uuid.UUID(int=0)


SAID = Notice._fields[:-2]
IN_ORDER = (*SAID, "position", "id")


def gather_evidence(until: datetime) -> int:
    """Take what publications not read yet prove; returns how many were read. A repetition changes nothing."""
    return CONSUMER.read_on(_take, PUBLICATIONS, until)


def _take(publications: Sequence[Publication]) -> None:
    for registration, notices in _notices([publication.delivery_id for publication in publications]).items():
        apply_evidence(Registration(pk=registration), evidence_of(notices))


def _notices(deliveries: list[uuid.UUID]) -> dict[uuid.UUID, list[tuple[str, str, datetime]]]:
    """What the deliveries brought first, by registration: a replay of known notifications proves nothing new. Nor does
    what was fetched: D&B has data of companies that it does not monitor for us."""
    found: dict[uuid.UUID, list[tuple[str, str, datetime]]] = defaultdict(list)
    rows: list[Any] = _read(SAID, deliveries)
    if any(row.type in GONE for row in rows):
        # Whether a company left after all else that is said of it.
        rows = sorted(_read(IN_ORDER, deliveries), key=notification_key)
    for row in rows:
        if not is_fetched(row.place):
            found[row.registration_id].append((row.company_id, row.type, row.delivered_at or row.recorded_at))
    return found


def _read(columns: tuple[str, ...], deliveries: list[uuid.UUID]) -> list[Any]:
    return [Notice(*row) for row in select_values(Notification, columns, delivery__in=deliveries)]


def gather_all() -> int:
    """The job: everything published so far, for a minute at most; returns how many publications were read."""
    return gather_evidence(timezone.now() + timedelta(seconds=55))
