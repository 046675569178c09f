"""Places among publications, as pages name them: to those who see some registrations by a delivery of theirs, as the
numbers would show how much all others receive."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from core.visibility import scope_of, visible_to
from monitoring.models import Publication


@dataclass(frozen=True, slots=True)
class Place:
    """Behind a publication; before the first by default."""

    sequence: int = 0
    delivery: uuid.UUID | None = None

    def shown_to(self, actor: Any) -> str:
        return self.delivery.hex if self.delivery and not scope_of(actor).sees_all else str(self.sequence)


def last_place(actor: Any, up_to: int | None = None) -> Place:
    """Behind the last publication of what this actor sees."""
    rows = visible_to(actor, Publication.objects.order_by("-sequence"))
    rows = rows if up_to is None else rows.filter(sequence__lte=up_to)
    found = rows.values_list("sequence", "delivery_id").first()
    return Place(*found) if found else Place()


def newest_for(actor: Any) -> str:
    """Changes when something is published that this actor sees."""
    return last_place(actor).shown_to(actor)


def read_place(actor: Any, text: str) -> int | None:
    """The number of a place that was shown to this actor; None for any other text."""
    if text == "0" or scope_of(actor).sees_all:
        return int(text) if text.isdecimal() and len(text) < 19 else None
    try:
        key = uuid.UUID(text)
    except ValueError:
        return None
    rows = visible_to(actor, Publication.objects.filter(delivery=key))
    return rows.values_list("sequence", flat=True).first()
