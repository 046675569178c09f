"""A request that may be sent again with the same `Idempotency-Key`, and the row that it becomes."""

from __future__ import annotations

import uuid

from rest_framework.request import Request

NAME = "repeat_key"


def repeat_key(request: Request) -> uuid.UUID | None:
    """The key of the row that it makes, the same for each repetition: what a process that died has paid is found
    again. None without an Idempotency-Key."""
    found: uuid.UUID | None = getattr(request, NAME, None)
    return found
