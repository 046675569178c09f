"""Amounts of an import as one array in blobs: four bytes for a company, eight for cents, and where each belongs."""

from __future__ import annotations

import secrets
import uuid
from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from typing import TYPE_CHECKING, Any

import msgspec
from django.db import models, transaction

from core.blobs import delete_bytes, load_all, store_bytes
from core.models import Blob
from portfolio.exposure.books import book_key
from portfolio.exposure.currencies import code_of, number_of
from portfolio.imports.states import move
from portfolio.models import ExposureImport

if TYPE_CHECKING:
    from numpy.typing import NDArray

# `part` is a place in the import's list of books and days.
POSITION = [("duns", "<u4"), ("cents", "<i8"), ("currency", "<u2"), ("part", "<u2")]
# An amount that ends here: the company has none in the book from that day on.
GONE = -1
MOST_PARTS = 10_000


class Position(msgspec.Struct, frozen=True):
    """What is at stake with a company in a book from a day on; no amount where that ends."""

    duns: str
    cents: int
    currency: str
    book: str
    day: date


class Part(msgspec.Struct, frozen=True):
    """A book at a day: its companies, and sums by currency."""

    book: str
    day: date
    companies: int
    amounts: dict[str, int]


class TooManyParts(ValueError):
    """A file with a book or day for nearly each row."""


class AmountsGone(LookupError):
    """Somebody has replaced the amounts since their owner was read."""


def pack(positions: Iterable[Position], kept: Iterable[Part] = ()) -> tuple[list[Part], bytes]:
    """The books and days, and the amounts in their order; of several for one key the last counts. Parts that are
    `kept` are there even if nothing is left in them: an empty book replaces what was before it."""
    names = {(book_key(part.book), part.day): part.book for part in kept}
    by_part: dict[tuple[str, date], dict[str, Position]] = {key: {} for key in names}
    for one in positions:
        key = book_key(one.book), one.day
        names.setdefault(key, one.book)
        by_part.setdefault(key, {})[one.duns] = one
    if len(by_part) > MOST_PARTS:
        raise TooManyParts
    keys = sorted(by_part)
    rows = [
        (int(duns), one.cents, number_of(one.currency), place)
        for place, key in enumerate(keys)
        for duns, one in sorted(by_part[key].items())
    ]
    return [_part(names[key], key[1], list(by_part[key].values())) for key in keys], _array(rows).tobytes()


def _part(book: str, day: date, positions: list[Position]) -> Part:
    amounts: dict[str, int] = defaultdict(int)
    for one in positions:
        amounts[one.currency] += max(one.cents, 0)
    return Part(book, day, len(positions), dict(amounts))


def _array(rows: list[tuple[int, int, int, int]]) -> NDArray[Any]:
    import numpy as np

    return np.array(rows, POSITION)


def replace(upload: ExposureImport, positions: Iterable[Position], kept: Iterable[Part] = (), **fields: object) -> bool:
    """Keep these amounts instead of those before; False, and nothing is kept, where somebody has moved the import."""
    parts, data = pack(positions, kept)
    before, owner = upload.positions, new_owner(upload)
    with transaction.atomic():
        store_bytes(owner, data)
        is_kept = move(upload, positions=owner, parts=msgspec.json.encode(parts).decode(), **fields)
        obsolete = before if is_kept else owner
        if obsolete:
            delete_bytes(obsolete)
    return is_kept


def remove_left_over(upload: ExposureImport) -> bool:
    """Amounts that killed processes left beside those of the import; False where somebody has moved it meanwhile."""
    left_over = _stored_for(upload)
    if upload.positions:
        left_over = left_over.exclude(owner=upload.positions)
    if left_over.exists() and not move(upload):
        return False
    # Whoever stored them behind an earlier version cannot make them count any more.
    left_over.filter(key__lt=_label(upload)).delete()
    return ExposureImport.objects.filter(pk=upload.pk, version=upload.version).exists()


def new_owner(upload: ExposureImport) -> uuid.UUID:
    """Of its own for everyone who tries; it begins with the import, and the version that the amounts follow."""
    return uuid.UUID(f"{_label(upload)}{secrets.token_hex(4)}")


def _label(upload: ExposureImport) -> str:
    return f"{_prefix(upload)}{upload.version:08x}"


def _prefix(upload: ExposureImport) -> str:
    return uuid.uuid5(upload.pk, "positions").hex[:16]


def _stored_for(upload: ExposureImport) -> models.QuerySet[Blob]:
    prefix = _prefix(upload)
    # Behind all digits.
    return Blob.objects.filter(key__gte=prefix, key__lt=f"{prefix}g")


def parts_of(upload: ExposureImport) -> list[Part]:
    return msgspec.json.decode(upload.parts, type=list[Part])


def positions_of(upload: ExposureImport) -> list[Position]:
    """All of an import, one by one; raises AmountsGone."""
    if upload.positions is None:
        return []
    parts, rows = parts_of(upload), load([upload.positions])[upload.positions]
    if len(rows) != sum(part.companies for part in parts):
        raise AmountsGone
    return [
        Position(f"{duns:09d}", cents, code_of(currency), parts[place].book, parts[place].day)
        for duns, cents, currency, place in rows.tolist()
    ]


def load(owners: Iterable[uuid.UUID]) -> dict[uuid.UUID, NDArray[Any]]:
    import numpy as np

    return {owner: np.frombuffer(data, POSITION) for owner, data in load_all(owners).items()}
