"""What is in a file of seeds or notifications: stored in parts, and counted by type on the way."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
from django.utils.translation import gettext

from core.db import clean_text
from direct_plus.delivered_files import UnreadableFile
from direct_plus.exact_json import REFUSALS, parse_json
from monitoring.file_intake.parts import cut, store_part
from monitoring.file_intake.rows import save, save_part
from monitoring.models import DeliveredFile, DeliveredKind

# How lines are counted that are no JSON objects.
UNREADABLE = "unreadable"
SEED = "SEED"
MOST_TYPES = 50
# Of fewer lines it says nothing that half of them cannot be read.
LEAST_LINES = 20
_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])


def store_contents(row: DeliveredFile, path: Path, has_time: Callable[[bool], bool]) -> bool:
    """Store what is not stored yet; False where time was over before the end. Raises UnreadableFile.

    `has_time` is asked before each part, and told whether something was done since it was asked first.
    """
    counts = Counter(row.counts_by_type)
    is_at_work = False
    for number, lines in enumerate(cut(path)):
        if number < row.parts:
            has_time(is_at_work)
            continue
        if is_at_work and not has_time(is_at_work):
            return False
        is_at_work = True
        store_part(row, number, lines)
        _count(row, lines, counts)
        save_part(row, number, records=row.records + len(lines), counts=json.dumps(counts))
    if row.records >= LEAST_LINES and counts[UNREADABLE] > row.records / 2:
        text = gettext("More than half of the lines in %(name)s are not JSON objects. Ask D&B for a correct file.")
        raise UnreadableFile(text % {"name": path.name})
    save(row, is_stored=True)
    return True


def _count(row: DeliveredFile, lines: list[bytes], counts: Counter[str]) -> None:
    for line in lines:
        kind = type_of(line) if row.kind == DeliveredKind.NOTIFICATION or line[:1] != b"{" else SEED
        counts[kind if kind in counts or len(counts) < MOST_TYPES else "other"] += 1


def type_of(line: bytes) -> str:
    """Read as little of it as possible: whoever imports it reads all."""
    try:
        found: Any = _OBJECT.decode(line).get("type")
        value = msgspec.json.decode(found) if found is not None else None
    except REFUSALS:
        value = _read_slowly(line)
    return clean_text(value, 40) if isinstance(value, str) else "" if value is None else UNREADABLE


def _read_slowly(line: bytes) -> Any:
    """What msgspec refuses may be read all the same."""
    try:
        document = parse_json(line)
    except ValueError:
        return False
    return document.get("type") if isinstance(document, dict) else False
