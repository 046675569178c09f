"""Delivered files of seeds and notifications → deliveries of at most 4 MB of whole lines, read like any other.

A part is known by its file's hash and its number: importing a file again changes nothing, and what was broken off goes
on where it stopped (docs/develop/direct_plus.md#files).
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from django.utils import timezone
from django.utils.translation import gettext

from core.blobs import store_bytes
from core.db import insert_new
from core.ids import make_uuid
from direct_plus.delivered_files import FileKind, FileName, parse_file_name, read_lines, sha256_of
from monitoring.models import Delivery, DeliveryState, Source
from monitoring.pipeline.ingest import ingest
from monitoring.story_order import next_turn
from portfolio.models import Registration

KINDS = (FileKind.SEED, FileKind.NOTIFICATION)
PART_BITS, HASH_BITS = 24, 50
PART_SIZE = 4_000_000


class NotForUs(ValueError):
    """A file whose name does not say whose it is, or that holds something else."""


@dataclass(slots=True)
class Imported:
    """What a file brought."""

    parts: int = 0
    known: int = 0  # parts that were read before
    notifications: int = 0
    new: int = 0
    unreadable: int = 0


def import_file(
    registration: Registration, path: Path, *, report: Callable[[Imported], None] = lambda so_far: None
) -> Imported:
    """Store and read a file, part by part. Raises UnreadableFile where the file is damaged; what was read stays."""
    name = parse_file_name(path.name)
    if name is None or name.kind not in KINDS or name.reference != registration.reference:
        raise NotForUs(
            gettext(
                "%(name)s is not a notification or seed file of %(reference)s. Choose a file that D&B delivered for it."
            )
            % {"name": path.name, "reference": registration.reference}
        )
    sha256, result = sha256_of(path), Imported()
    for number, lines in enumerate(cut(path)):
        _import_part(registration, name, sha256, number, lines, result)
        report(result)
    return result


def cut(path: Path, size: int = PART_SIZE) -> Iterator[list[bytes]]:
    """Whole lines up to a size; equal lines one after the other stay together, because how many there are counts."""
    part: list[bytes] = []
    held = 0
    for line in read_lines(path):
        if part and held + len(line) + 1 > size and line != part[-1]:
            yield part
            part, held = [], 0
        part.append(line)
        held += len(line) + 1
    if part:
        yield part


def part_key(registration: Registration, name: FileName, sha256: str, number: int) -> uuid.UUID:
    """Sorts by the file's time, then by part; the same whenever the same file is imported."""
    milliseconds = int(name.written_at.timestamp() * 1000)
    digest = hashlib.sha256(f"{registration.pk}\n{sha256}\n{number}".encode()).digest()
    tail = number << HASH_BITS | int.from_bytes(digest, "big") >> (256 - HASH_BITS)
    return make_uuid(8, milliseconds, tail)


def _import_part(
    registration: Registration, name: FileName, sha256: str, number: int, lines: list[bytes], result: Imported
) -> None:
    key = part_key(registration, name, sha256, number)
    delivery = Delivery.objects.filter(pk=key).first() or _store(registration, name, key, lines)
    if delivery.state == DeliveryState.RECEIVED:
        delivery.registration = registration
        ingest(delivery)
        delivery.refresh_from_db()
        result.new += delivery.new_count or 0
        result.unreadable += delivery.unreadable_count
    else:
        result.known += 1
    result.parts += 1
    result.notifications += delivery.notification_count or 0


def _store(registration: Registration, name: FileName, key: uuid.UUID, lines: list[bytes]) -> Delivery:
    """The bytes first, then the row that says that they are there."""
    content = b"\n".join(lines) + b"\n"
    store_bytes(key, content)
    now, turn = timezone.now(), next_turn(registration)
    row = Delivery(
        id=key,
        registration=registration,
        source=Source.FILE,
        state=DeliveryState.RECEIVED,
        turn=turn,
        stands_for=turn,
        called_at=now,
        ended_at=now,
        received_at=now,
        sha256=hashlib.sha256(content).hexdigest(),
        byte_count=len(content),
        answer_stamp=name.written_at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        notification_count=len(lines),
    )
    insert_new(Delivery, [row])
    return Delivery.objects.get(pk=key)
