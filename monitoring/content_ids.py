"""The ids that make repetition harmless: made from content, sorted by time.

A content id is a UUID of version 8: 48 bits of the time in milliseconds, then a hash of the canonical form. What is
known by the same content gets the same id however often, in whatever order and over whichever way it arrives. The
golden vectors in `tests/monitoring/test_content_ids.py` may never change: they are the keys of rows that exist.

docs/develop/invariants.md#ids-from-content says why.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from hashlib import blake2b
from json.encoder import encode_basestring_ascii
from typing import Any

from core.ids import make_uuid
from direct_plus.payloads import parse_stamp

MILLISECONDS = (1 << 48) - 1
# Of larger numbers Python writes no text at some point.
LARGEST_PLAIN = 10**18
CONSTANTS = {None: "null", True: "true", False: "false"}


def canonical(value: Any) -> str:
    """The text that equal JSON values share: keys sorted, null members dropped, numbers exact, array order kept."""
    if isinstance(value, str):
        return encode_basestring_ascii(value)
    if value is None or isinstance(value, bool):
        return CONSTANTS[value]
    if isinstance(value, dict):
        members = []
        for name in sorted(value):
            member = value[name]
            if isinstance(member, str):
                # Most are: not by another call.
                members.append(f"{encode_basestring_ascii(name)}:{encode_basestring_ascii(member)}")
            elif member is not None:
                members.append(f"{encode_basestring_ascii(name)}:{canonical(member)}")
        return "{" + ",".join(members) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(canonical, value)) + "]"
    if isinstance(value, int) and -LARGEST_PLAIN < value < LARGEST_PLAIN:
        return _canonical_integer(str(value))
    return _canonical_number(Decimal(value))


def _canonical_integer(text: str) -> str:
    kept = text.rstrip("0")
    return f"{kept}E{len(text) - len(kept)}" if kept else "0"


def _canonical_number(number: Decimal) -> str:
    """1, 1.0 and 1E0 alike, and nothing rounded (Decimal.normalize would round)."""
    sign, digits, exponent = number.as_tuple()
    kept = len(digits)
    while kept > 1 and digits[kept - 1] == 0:
        kept -= 1
    if digits[:kept] == (0,):
        return "0"
    text = "".join(map(str, digits[:kept]))
    return f"{'-' if sign else ''}{text}E{int(exponent) + len(digits) - kept}"


@lru_cache(maxsize=4096)
def canonical_stamp(text: str | None) -> str:
    """A stamp cut to the millisecond, or its text where it cannot be read."""
    moment = parse_stamp(text) if text else None
    return encode_basestring_ascii(moment.isoformat(timespec="milliseconds") if moment else text or "")


def content_id(moment: datetime | None, *parts: str) -> uuid.UUID:
    """An id from the time and canonical parts, each free of line breaks."""
    digest = int.from_bytes(blake2b("\n".join(parts).encode(), digest_size=10).digest(), "big")
    return make_uuid(8, milliseconds(moment), digest)


@lru_cache(maxsize=4096)
def milliseconds(moment: datetime | None) -> int:
    """Milliseconds since 1970, clipped to what an id holds; 0 when unknown."""
    return min(max(int(moment.timestamp() * 1000), 0), MILLISECONDS) if moment else 0


def element_fact(path: str, previous: str, current: str, stamp: str | None) -> str:
    """What happened to one element: canonical `previous` and `current`, the stamp as sent."""
    return "\n".join([encode_basestring_ascii(path), previous, current, canonical_stamp(stamp)])


def change_id(duns: str, fact: str, moment: datetime | None) -> uuid.UUID:
    """Of an element's change: the same fact from two registrations is one."""
    return content_id(moment, "change", duns, fact)


def derived_change_id(earlier: uuid.UUID, later: uuid.UUID, path: str, moment: datetime | None) -> uuid.UUID:
    return content_id(moment, "derived", earlier.hex, later.hex, encode_basestring_ascii(path))


def lifecycle_change_id(notification: uuid.UUID, moment: datetime | None) -> uuid.UUID:
    """Of a change that is its whole notification."""
    return content_id(moment, "notice", notification.hex)


def observation_id(moment: datetime | None, change: uuid.UUID, verb: str, *parts: str) -> uuid.UUID:
    """Sorts with the change: both begin with its time."""
    return content_id(moment, "observation", change.hex, verb, *parts)


def update_id(source: str, duns: str, facts: Iterable[str], moment: datetime | None) -> uuid.UUID:
    """Of an UPDATE whose elements all carry timestamps: by what happened, not by when it was delivered."""
    return content_id(moment, "update", source, duns, *sorted(set(facts)))


def seed_id(
    source: str, duns: str, organization: str, stamp: str | None, moment: datetime | None, returned: int = 0
) -> uuid.UUID:
    """`returned` counts how often the document came again in one answer with another of the same stamp in between."""
    again = (str(returned),) if returned else ()
    return content_id(moment, "seed", source, duns, organization, canonical_stamp(stamp), *again)


def notice_id(
    source: str, duns: str, body: str, stamp: str | None, occurrence: int, moment: datetime | None
) -> uuid.UUID:
    """Of any other notification; `occurrence` counts identical ones in one answer, file or replay page from 0."""
    return content_id(moment, "notice", source, duns, body, canonical_stamp(stamp), str(occurrence))


def source_of(contract: str, reference: str) -> str:
    return f"{encode_basestring_ascii(contract)}/{encode_basestring_ascii(reference)}"


def dead_letter_id(source: str, raw: bytes) -> uuid.UUID:
    digest = int.from_bytes(blake2b(source.encode() + b"\n" + raw, digest_size=10).digest(), "big")
    return make_uuid(8, 0, digest)


def moment_of(key: uuid.UUID) -> datetime:
    """The time that a content id begins with."""
    return datetime.fromtimestamp((key.int >> 80) / 1000, UTC)
