"""The sandbox's own clock: real time plus an offset that tests and people move, in milliseconds since 1970."""

import re
import time
from datetime import UTC, datetime
from email.utils import formatdate

from direct_plus.sandbox.store import Store

SECOND = 1_000
DAY = 86_400 * SECOND

_STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)")


class Clock:
    """Tells sandbox time; the offset is kept in the store, so it survives a restart.

    Within a run it never goes back by itself, even where the machine's own time is set back."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._offset = int(store.recall("clock_offset", 0))
        self._start = time.time_ns() - time.monotonic_ns()

    def now(self) -> int:
        return (self._start + time.monotonic_ns()) // 1_000_000 + self._offset

    def move(self, seconds: float) -> int:
        self._offset += round(seconds * SECOND)
        self._store.remember("clock_offset", self._offset)
        return self.now()


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
