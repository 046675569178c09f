"""What is inserted: tuples of all columns, since a model instance costs more than all the rest of a row."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import NamedTuple

from monitoring.models import Entry


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
