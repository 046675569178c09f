"""A company taken out of blobs: of answers that hold others as well, of uploads, lists and exports."""

from __future__ import annotations

import hashlib
import io
import re
import uuid
import zipfile
from collections.abc import Iterator

import zstandard
from django.utils import timezone

from core.blobs import PART_SIZE, delete_bytes, load_bytes, store_bytes
from core.db import clean_text
from core.exports.files import delete_file
from core.models import Blob, Export
from direct_plus.payloads import UnreadableItem, read_item
from monitoring.ingest.parser import FORGOTTEN, items_of
from monitoring.models import DeadLetter, Delivery

# A number that nobody has: what held the company's keeps its form.
NOBODY = b"000000000"
ZIP = b"PK\x03\x04"
AT_ONCE = 50


def traces_of(duns: str) -> Iterator[tuple[uuid.UUID, bytes]]:
    """Owners of blobs in which the number stands, and the bytes. Reads everything that is stored."""
    looked_for = re.compile(written(duns))
    for owner in owners():
        content = load_bytes(owner)
        if holds(content, looked_for):
            yield owner, content


def written(duns: str) -> bytes:
    """As people and programs write it: with or without dashes, and not as a part of a longer number."""
    digits = duns.encode()
    dashed = b"-?".join((digits[:2], digits[2:5], digits[5:]))
    return rb"(?<![0-9])" + dashed + rb"(?![0-9])"


def owners() -> Iterator[uuid.UUID]:
    rows, last = Blob.objects.order_by("key"), ""
    before: uuid.UUID | None = None
    while batch := list(rows.filter(key__gt=last).values_list("key", "owner")[:AT_ONCE]):
        last = batch[-1][0]
        for _, owner in batch:
            if owner != before:
                yield owner
            before = owner


def holds(content: bytes, looked_for: re.Pattern[bytes]) -> bool:
    if not content.startswith(ZIP):
        return bool(looked_for.search(content))
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return any(looked_for.search(archive.read(name)) for name in archive.namelist())
    except (zipfile.BadZipFile, RuntimeError):
        return False


def take_out(duns: str, owner: uuid.UUID, content: bytes) -> str:
    """Remove the company from these bytes; what was done, in words."""
    delivery = Delivery.objects.filter(pk=owner).first()
    if delivery:
        return take_out_of_delivery(duns, delivery, content)
    if DeadLetter.objects.filter(pk=owner).exists():
        delete_bytes(owner)
        DeadLetter.objects.filter(pk=owner).delete()
        return "parsing errors removed"
    if content.startswith(ZIP):
        delete_bytes(owner)
        return "uploaded spreadsheets removed"
    blank_out(duns, owner)
    return "uploads and lists rewritten"


def take_out_of_delivery(duns: str, delivery: Delivery, content: bytes) -> str:
    """Only its own items go; others may name it (as their parent, say), and that is about them."""
    try:
        items = {item for item in items_of(delivery, content) if is_about(duns, item)}
    except ValueError:
        delete_bytes(delivery.pk)
        note(delivery, "its data, which could not be parsed, was removed")
        return "responses removed"
    if not items:
        return "responses about other companies kept, which mention it"
    # From the longest, in case one is a part of another.
    for item in sorted(items, key=len, reverse=True):
        content = content.replace(item, FORGOTTEN)
    delete_bytes(delivery.pk)
    store_bytes(delivery.pk, content)
    fields = {"sha256": hashlib.sha256(content).hexdigest(), "byte_count": len(content)}
    Delivery.objects.filter(pk=delivery.pk).update(**fields)
    note(delivery, "items about an erased company were removed from its data")
    return "responses rewritten"


def is_about(duns: str, item: bytes) -> bool:
    try:
        return read_item(item, default_type="SEED").duns == duns
    except (UnreadableItem, ValueError):
        return bool(re.search(written(duns), item))


def note(delivery: Delivery, words: str) -> None:
    text = f"{timezone.now():%Y-%m-%d}: {words}."
    Delivery.objects.filter(pk=delivery.pk).update(error=clean_text(f"{delivery.error} {text}".strip()))


def blank_out(duns: str, owner: uuid.UUID) -> None:
    """Row by row, because chunks of an import have keys of their own."""
    for row in Blob.objects.filter(owner=owner):
        text = zstandard.decompress(bytes(row.data), max_output_size=2 * PART_SIZE)
        blank = re.sub(written(duns), NOBODY, text)
        if blank != text:
            Blob.objects.filter(pk=row.pk).update(data=zstandard.compress(blank, 3))


def remove_exports() -> int:
    """Files that people can have made again, all of them: a company may stand in any."""
    rows = list(Export.objects.all())
    for row in rows:
        delete_file(row)
        row.delete()
    return len(rows)
