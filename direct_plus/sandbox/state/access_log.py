"""The record of every call, and who is connected right now."""

import json
from collections import Counter
from time import monotonic, sleep, time
from typing import Any

from direct_plus.sandbox.http.request import Call
from direct_plus.sandbox.http.responses import Answer
from direct_plus.sandbox.state.item import Item
from direct_plus.sandbox.state.store import Store

BEGIN = (
    "INSERT INTO call (kind, method, path, params, reference, request_size, sandbox_time, received_wall,"
    " received_monotonic) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
END = (
    "UPDATE call SET sent_wall = ?, sent_monotonic = ?, status = ?, code = ?, faults = ?, items = ?, dequeued = ?,"
    " complete = ?, gone = ?, consumer = ? WHERE number = ?"
)


class Traffic:
    def __init__(self, store: Store) -> None:
        self._store = store
        self._live: Counter[str] = Counter()
        self._working: set[int] = set()
        self._ending: set[int] = set()
        self._claims: dict[str, dict[int, list[Item]]] = {}

    def begin(self, call: Call) -> None:
        params = json.dumps(call.query)
        with self._store.transaction():
            call.number = self._store.run(
                BEGIN, call.kind, call.method, call.path, params, call.reference, len(call.body),
                call.now, call.received_wall, call.received_monotonic,
            )  # fmt: skip
            self._working.add(call.number)
            if call.kind == "pull" and call.reference is not None:
                self._arrived(call, call.reference)

    def _arrived(self, call: Call, reference: str) -> None:
        call.live = True
        self._live[reference] += 1
        self._store.run(
            "UPDATE registration SET most_pulls = max(most_pulls, ?) WHERE reference = ?",
            self._live[reference],
            reference,
        )

    def left(self, call: Call) -> None:
        """The client closed its side; from now on another one may pull without being a second."""
        with self._store.lock:
            self._departed(call)
            call.gone = True

    def answered(self, call: Call) -> None:
        """Before the answer's last byte: whoever has read it may pull again at once."""
        with self._store.lock:
            self._departed(call)
            self._ending.add(call.number)

    def _departed(self, call: Call) -> None:
        if call.live and call.reference is not None:
            self._live[call.reference] -= 1
        call.live = False

    def end(self, call: Call, answer: Answer | None, complete: bool) -> None:
        outcome = (answer.status, answer.code) if answer is not None else (None, None)
        lists = [[fault.name for fault in call.faults.values()], call.items, call.dequeued]
        with self._store.lock:
            self._working.discard(call.number)
            self._ending.discard(call.number)
            self._departed(call)
            self.release(call)
            self._store.run(
                END, time(), monotonic(), *outcome, *map(json.dumps, lists), complete, call.gone, call.consumer,
                call.number,
            )  # fmt: skip

    def claim(self, call: Call, items: list[Item]) -> None:
        self._claims.setdefault(call.reference or "", {})[call.number] = items

    def release(self, call: Call) -> None:
        self._claims.get(call.reference or "", {}).pop(call.number, None)

    def claimed(self, reference: str) -> set[int]:
        """What no other pull may take as its own."""
        return {item.seq for items in self._claims.get(reference, {}).values() for item in items}

    def under_way(self, reference: str) -> list[Item]:
        """What pulls that are not answered yet are going to serve."""
        claims = self._claims.get(reference, {})
        return [item for call, items in claims.items() if call not in self._ending for item in items]

    def live(self, reference: str) -> int:
        return self._live[reference]

    def working(self) -> int:
        return len(self._working)

    def settle(self) -> None:
        """Until every call that was answered is also written down: its client may well ask before."""
        until = monotonic() + 2
        while self._ending and monotonic() < until:
            sleep(0.001)

    def calls(self, since: int, limit: int) -> list[dict[str, Any]]:
        rows = self._store.rows("SELECT * FROM call WHERE number > ? ORDER BY number LIMIT ?", since, limit)
        return [_read(dict(row)) for row in rows]


def _read(row: dict[str, Any]) -> dict[str, Any]:
    for name in ("params", "faults", "items", "dequeued"):
        row[name] = json.loads(row[name])
    for name in ("complete", "gone"):
        row[name] = bool(row[name])
    return row
