"""Exact bytes, compressed, in parts that fit a row on every engine."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from operator import itemgetter

import zstandard

from core.bulk import select_values
from core.db import insert_new
from core.models import Blob

PART_SIZE = 4_000_000


def store_bytes(owner: uuid.UUID, data: bytes) -> None:
    """Keep `data` for `owner`; the same call again changes nothing."""
    parts = range(0, max(len(data), 1), PART_SIZE)
    insert_new(Blob, [_part(owner, number, data[start : start + PART_SIZE]) for number, start in enumerate(parts)])


def _part(owner: uuid.UUID, number: int, data: bytes) -> Blob:
    packed = zstandard.compress(data, 3)
    return Blob(key=f"{owner.hex}/{number:06d}", owner=owner, part=number, data=packed)


def load_bytes(owner: uuid.UUID) -> bytes:
    """What was stored for `owner`; b"" when nothing was."""
    return load_all([owner])[owner]


def load_all(owners: Iterable[uuid.UUID]) -> dict[uuid.UUID, bytes]:
    """The same for each."""
    parts: dict[uuid.UUID, list[bytes]] = {owner: [] for owner in owners}
    rows = select_values(Blob, ("key", "owner", "data"), owner__in=list(parts))
    for _, owner, data in sorted(rows, key=itemgetter(0)):
        parts[owner].append(zstandard.decompress(bytes(data), max_output_size=2 * PART_SIZE))
    return {owner: b"".join(found) for owner, found in parts.items()}


def delete_bytes(owner: uuid.UUID) -> None:
    Blob.objects.filter(owner=owner).delete()
