"""Which faults wait for which calls, kept in the sandbox's store."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from direct_plus.sandbox.http.faults import KINDS, BadFault, Fault
from direct_plus.sandbox.state.store import Store

COMMON: dict[str, Any] = {"on": "pull", "reference": None, "times": None, "after": 0, "probability": 1.0}

STORM: tuple[tuple[str, dict[str, Any]], ...] = (
    ("server_error", {"on": "any"}),
    ("server_error", {"status": 500, "code": "00002", "shape": "fault", "dequeue": True}),
    ("server_error", {"status": 502, "shape": "html", "dequeue": True}),
    ("too_many", {"on": "any", "retry_after": 1}),
    ("too_many", {"on": "any", "code": "00046"}),
    ("expired_token", {"on": "any"}),
    ("redirect", {}),
    ("gateway_html", {"on": "notifications"}),
    ("delay", {"on": "any", "seconds": 0.1}),
    ("late_dequeue", {"seconds": 0.5, "hold": 3.0}),
    ("duplicate", {"on": "notifications", "count": 3}),
    ("serve_again", {"count": 3}),
    ("reorder", {"on": "notifications"}),
    ("one_stamp", {}),
    ("equal_stamps", {}),
    ("garbage", {"on": "notifications"}),
    ("nul", {"on": "notifications"}),
    ("drop", {"on": "any"}),
    ("drop", {"on": "notifications", "reset": True}),
    ("tear", {"on": "any"}),
    ("tear", {"on": "notifications", "at": 0.9, "reset": True}),
    ("tear_unsized", {"on": "any"}),
    ("drip", {"on": "any", "seconds": 0.2, "pieces": 5}),
)


class Faults:
    """The faults that are set; kept in the store, so a restart does not mend anything."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._faults = [Fault(**fault) for fault in store.recall("faults", [])]
        self.random = random.Random(store.recall("fault_seed", 0))

    def set(self, name: str, **params: Any) -> int:
        with self._store.lock:
            fault = _fault(max((known.number for known in self._faults), default=0) + 1, name, params)
            self._faults.append(fault)
            self._keep()
            return fault.number

    def storm(self, *, seed: int, probability: float, but: tuple[str, ...] = ()) -> None:
        self.seed(seed)
        for name, params in STORM:
            if name not in but:
                self.set(name, **{"probability": probability, **params})

    def seed(self, seed: int) -> None:
        self._store.remember("fault_seed", seed)
        self.random = random.Random(seed)

    def clear(self, name: str | None = None) -> None:
        with self._store.lock:
            self._faults = [fault for fault in self._faults if name is not None and fault.name != name]
            self._keep()

    def all(self) -> list[dict[str, Any]]:
        return [asdict(fault) for fault in self._faults]

    def draw(self, kind: str, reference: str | None) -> dict[str, Fault]:
        """What strikes this call: at most one fault a stage, the first set goes first."""
        with self._store.lock:
            drawn = dict(self._strikes(kind, reference))
            if any(fault.times is not None or fault.after for fault in self._faults):
                self._keep()
            return drawn

    def _strikes(self, kind: str, reference: str | None) -> Iterator[tuple[str, Fault]]:
        struck: set[str] = set()
        for fault in self._faults:
            if fault.stage not in struck and fault.meets(kind, reference) and self._falls(fault):
                struck.add(fault.stage)
                yield fault.stage, fault

    def _falls(self, fault: Fault) -> bool:
        if fault.after > 0:
            fault.after -= 1
            return False
        if fault.probability < 1 and self.random.random() >= fault.probability:
            return False
        if fault.times is not None:
            fault.times -= 1
        return True

    def _keep(self) -> None:
        self._faults = [fault for fault in self._faults if fault.times != 0]
        self._store.remember("faults", self.all())


def _fault(number: int, name: str, params: dict[str, Any]) -> Fault:
    kind = KINDS.get(name)
    if kind is None or not params.keys() <= COMMON.keys() | kind.defaults.keys():
        raise BadFault(f"{name}: {sorted(params)}")
    common = {**COMMON, **({"on": "replay"} if name == "replay_refused" else {})}
    common.update((key, value) for key, value in params.items() if key in COMMON)
    own = {**kind.defaults, **{key: value for key, value in params.items() if key in kind.defaults}}
    return Fault(number=number, name=name, params=own, **common)
