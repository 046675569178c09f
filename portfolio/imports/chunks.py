"""The checked rows of an upload, in chunks that its row counts."""

from __future__ import annotations

import uuid
import zlib
from collections.abc import Iterator
from typing import TypeVar

import msgspec
import zstandard

from core.db import insert_new
from core.models import Blob
from portfolio.models.imports import Upload

CHUNK = 2_000
Row = TypeVar("Row", bound=msgspec.Struct)


def store_chunk(upload: Upload, number: int, rows: list[Row], kind: type[Row]) -> list[Row]:
    """Keep a chunk, and return what is kept: it may be what a process that died, or is as quick, has left."""
    return _store(upload.pk, number, _key(upload, number), rows, kind)


def load_chunk(upload: Upload, number: int, kind: type[Row]) -> list[Row]:
    return _load(_key(upload, number), kind)


def store_before(upload: Upload, number: int, rows: list[Row], kind: type[Row]) -> list[Row]:
    """How it was before the rows of a chunk are applied, to undo that: done again, what was kept first is returned."""
    owner = before_key(upload)
    return _store(owner, number, f"{owner.hex}/{number:05d}", rows, kind)


def load_before(upload: Upload, number: int, kind: type[Row]) -> list[Row]:
    return _load(f"{before_key(upload).hex}/{number:05d}", kind)


def before_key(upload: Upload) -> uuid.UUID:
    """The owner of these; the import's own id owns the validations."""
    return uuid.uuid5(upload.pk, "before")


def _store(owner: uuid.UUID, number: int, key: str, rows: list[Row], kind: type[Row]) -> list[Row]:
    data = zstandard.compress(msgspec.json.encode(rows), 3)
    chunk = Blob(key=key, owner=owner, part=number, data=data)
    return rows if insert_new(Blob, [chunk]) else _load(key, kind)


def _load(key: str, kind: type[Row]) -> list[Row]:
    data = Blob.objects.filter(pk=key).values_list("data", flat=True).get()
    return msgspec.json.decode(zstandard.decompress(bytes(data)), type=list[kind])  # type: ignore[valid-type]


def stored_rows(upload: Upload, kind: type[Row], *, start: int = 0) -> Iterator[Row]:
    """In the order of the file, from a chunk on."""
    for number in range(start, upload.chunks):
        yield from load_chunk(upload, number, kind)


def _key(upload: Upload, number: int) -> str:
    """A decision and another sheet change the validations; who still reads without may not write over them."""
    sheet = f"{zlib.crc32(upload.sheet.encode()):08x}" if upload.sheet else ""
    return f"{upload.pk.hex}/{sheet}{upload.reading}{number:05d}"
