"""A file of seeds or notifications as parts of at most 4 MB of whole lines: stored first, then deliveries like others.

A part is known by its file's hash and its number: storing a file again changes nothing, and what was broken off goes
on where it stopped (docs/develop/direct_plus.md#files).
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterator
from pathlib import Path

from django.utils import timezone
from django.utils.translation import gettext

from core.blobs import load_bytes, store_bytes
from core.db import insert_new
from core.ids import make_uuid
from core.models import Blob
from core.text import counted
from direct_plus.delivered_files import UnreadableFile, read_lines
from monitoring.models import DeliveredFile, Delivery, DeliveryState, FileState, Source
from monitoring.story_order import next_turn

PART_BITS, HASH_BITS = 24, 50
PART_SIZE = 4_000_000
# Of short lines fewer bytes are a part: what becomes of it is held in memory.
PART_LINES = 50_000


def cut(path: Path) -> Iterator[list[bytes]]:
    """Whole lines up to a size; equal lines one after the other stay together, because how many there are counts."""
    part: list[bytes] = []
    held = 0
    for line in read_lines(path):
        is_full = held + len(line) + 1 > PART_SIZE or len(part) >= PART_LINES
        if part and is_full and line != part[-1]:
            yield part
            part, held = [], 0
        elif is_full and (len(part) >= 2 * PART_LINES or held > 20 * PART_SIZE):
            text = gettext("%(name)s repeats one line %(count)s times. Ask D&B for a correct file.")
            raise UnreadableFile(text % {"name": path.name, "count": counted(len(part))})
        part.append(line)
        held += len(line) + 1
    if part:
        yield part


def part_key(row: DeliveredFile, number: int) -> uuid.UUID:
    """Sorts by the file's time, then by part; the same whenever the same file is imported."""
    milliseconds = max(int(row.written_at.timestamp() * 1000), 0)
    digest = hashlib.sha256(f"{row.registration_id}\n{row.sha256}\n{number}".encode()).digest()
    tail = number << HASH_BITS | int.from_bytes(digest, "big") >> (256 - HASH_BITS)
    return make_uuid(8, milliseconds, tail)


def part_keys(row: DeliveredFile) -> list[uuid.UUID]:
    return [part_key(row, number) for number in range(row.parts)]


def store_part(row: DeliveredFile, number: int, lines: list[bytes]) -> None:
    store_bytes(part_key(row, number), b"\n".join(lines) + b"\n")


class PartLost(Exception):
    """A part that was stored is not there any more."""


def drop_parts(row: DeliveredFile) -> None:
    """Of a file that is refused: nothing has read them, and no other file has the same content."""
    same = DeliveredFile.objects.filter(registration=row.registration_id, sha256=row.sha256).exclude(pk=row.pk)
    if same.exclude(state=FileState.REFUSED).exists():
        return
    for number in range(row.parts + 1):
        key = part_key(row, number)
        if not Delivery.objects.filter(pk=key).exists():
            Blob.objects.filter(owner=key).delete()


def deliver_part(row: DeliveredFile, number: int) -> Delivery:
    """A stored part as a delivery, which was received now unless it was before. Raises PartLost."""
    assert row.registration is not None, "only files of known registrations are imported"
    key = part_key(row, number)
    known = Delivery.objects.select_related("registration").filter(pk=key).first()
    if known:
        return known
    content = load_bytes(key)
    if not content:
        raise PartLost
    now, turn = timezone.now(), next_turn(row.registration)
    delivery = Delivery(
        id=key,
        registration=row.registration,
        source=Source.FILE,
        state=DeliveryState.RECEIVED,
        turn=turn,
        stands_for=turn,
        called_at=now,
        ended_at=now,
        received_at=now,
        sha256=hashlib.sha256(content).hexdigest(),
        byte_count=len(content),
        answer_stamp=row.written_at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        notification_count=content.count(b"\n"),
    )
    insert_new(Delivery, [delivery])
    return Delivery.objects.select_related("registration").get(pk=key)
