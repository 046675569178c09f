"""The sandbox's own clock: real time plus an offset that tests and people move."""

from __future__ import annotations

import time

from direct_plus.sandbox.http.dates import SECOND
from direct_plus.sandbox.state.store import Store


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
