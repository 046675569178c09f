"""Times as D&B and HTTP write them, in milliseconds since 1970."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import formatdate

SECOND = 1_000
DAY = 86_400 * SECOND

_STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)")


def moment(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1_000, UTC)


def stamp(ms: int) -> str:
    """`2026-01-08T11:06:48.292Z`, as in `deliveryTimeStamp` and `transactionTimestamp`."""
    return f"{second_stamp(ms)[:-1]}.{ms % 1_000:03d}Z"


def second_stamp(ms: int) -> str:
    """`2026-01-07T01:23:13Z`, as on elements."""
    return moment(ms).strftime("%Y-%m-%dT%H:%M:%SZ")


def blank_stamp(ms: int) -> str:
    """`2026-01-05 07:52:18`: the other date format of registration details."""
    return moment(ms).strftime("%Y-%m-%d %H:%M:%S")


def file_stamp(ms: int) -> str:
    """`20260105080000`, as in the names of delivered files."""
    return moment(ms).strftime("%Y%m%d%H%M%S")


def http_date(ms: int) -> str:
    return formatdate(ms / 1_000, usegmt=True)


def read_stamp(text: str) -> int | None:
    """Milliseconds of a time with zone, or None where the text is no such time."""
    if not _STAMP.fullmatch(text):
        return None
    try:
        return round(datetime.fromisoformat(text).timestamp() * 1_000)
    except ValueError:
        return None
