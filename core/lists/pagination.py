"""Cursors that say where a list goes on, by key, never by offset."""

from __future__ import annotations

import binascii
import json
import uuid
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from operator import attrgetter
from typing import Any, TypeVar

from django.db.models import Model, Q, QuerySet
from rest_framework import serializers

from core.text import is_clean
from core.visibility import parts_of

Row = TypeVar("Row", bound=Model)
LONGEST_TOKEN = 8000
NO_CURSOR = (
    "This cursor is damaged or belongs to another endpoint. Use the last `next` value of this endpoint, or leave out"
    " `after` to start at the beginning."
)


class BadCursor(serializers.ValidationError):
    """A cursor that this list never gave."""

    def __init__(self) -> None:
        super().__init__({"after": [NO_CURSOR]})


def write_token(parts: Sequence[str]) -> str:
    """Texts as one opaque word that may stand in an address."""
    return urlsafe_b64encode(json.dumps(parts, ensure_ascii=False, separators=(",", ":")).encode()).decode().rstrip("=")


def read_token(token: str) -> list[str]:
    """The texts of such a word, free of what a database refuses; ValueError for anything else."""
    if len(token) > LONGEST_TOKEN or not token.isascii():
        raise ValueError("too long, or no such word")
    try:
        padded = token + "=" * (-len(token) % 4)
        parts = json.loads(urlsafe_b64decode(padded))
    except (binascii.Error, RecursionError) as error:
        raise ValueError("no token") from error
    if not isinstance(parts, list) or not all(isinstance(part, str) and is_clean(part) for part in parts):
        raise ValueError("no list of texts")
    if write_token(parts) != token:
        raise ValueError("not as it was given")
    return parts


def read_key(cursor: str) -> uuid.UUID:
    """The key of the last row of a page, as its cursor holds it."""
    try:
        (key,) = read_token(cursor)
        return uuid.UUID(key)
    except ValueError as error:
        raise BadCursor from error


def beyond(
    rows: QuerySet[Row], fields: Sequence[str], values: Sequence[Any], *, newest_first: bool = False
) -> QuerySet[Row]:
    """The rows after `values` in the order of the fields, the last of them unique.

    The bound on the first field alone is what lets every engine begin at the right place of its index.
    """
    at, past = ("lte", "lt") if newest_first else ("gte", "gt")
    later, same = Q(), Q()
    for name, value in zip(fields, values, strict=True):
        later |= same & Q(**{f"{name}__{past}": value})
        same &= Q(**{name: value})
    return rows.filter(later, **{f"{fields[0]}__{at}": values[0]})


def cut(rows: QuerySet[Row], limit: int) -> tuple[list[Row], bool]:
    """At most `limit` rows, and whether there are more."""
    return _cut(list(rows[: limit + 1]), limit)


def cut_in_parts(rows: QuerySet[Row], limit: int) -> tuple[list[Row], bool]:
    """The same for rows that are read in parts, of which each is in the order of an index. No field may be unknown."""
    parts = parts_of(rows)
    found = [row for part in parts for row in part[: limit + 1]]
    for name in reversed(rows.query.order_by if len(parts) > 1 else ()):
        found.sort(key=attrgetter(str(name).removeprefix("-")), reverse=str(name).startswith("-"))
    return _cut(found, limit)


def _cut(found: list[Row], limit: int) -> tuple[list[Row], bool]:
    return found[:limit], len(found) > limit
