"""Everything a running sandbox holds: its memory, clock, switches, faults, traffic and the folder it delivers to."""

import tempfile
from pathlib import Path
from threading import Event

from direct_plus.sandbox.http.request import Call
from direct_plus.sandbox.state.access_log import Traffic
from direct_plus.sandbox.state.clock import Clock
from direct_plus.sandbox.state.faults import Faults
from direct_plus.sandbox.state.options import Switches
from direct_plus.sandbox.state.rate_limit import Limiter
from direct_plus.sandbox.state.store import TABLES, Store

KEY, SECRET = "sandbox-key", "sandbox-secret"


class World:
    def __init__(self, state: Path | None = None, out: Path | None = None) -> None:
        self.store = Store(state)
        self.stopping = Event()
        self.era = 0
        self._temporary: tempfile.TemporaryDirectory[str] | None = None
        self._out = out if out is not None or state is None else state.with_name(state.name + ".out")
        self._wake()

    def _wake(self) -> None:
        self.clock = Clock(self.store)
        self.switches = Switches(self.store)
        self.faults = Faults(self.store)
        self.limiter = Limiter()
        self.traffic = Traffic(self.store)

    @property
    def out(self) -> Path:
        """Where files are delivered; a temporary folder when there is no state to lie beside."""
        if self._out is None:
            self._temporary = tempfile.TemporaryDirectory(prefix="sandbox-")
            self._out = Path(self._temporary.name)
        self._out.mkdir(parents=True, exist_ok=True)
        return self._out

    @property
    def credentials(self) -> dict[str, str]:
        known: dict[str, str] = self.store.recall("credentials", {KEY: SECRET})
        return known

    def reset(self) -> None:
        """A new world for the same clients: credentials and tokens stay."""
        self.traffic.settle()
        with self.store.transaction():
            self.era += 1
            credentials = self.credentials
            self.store.empty(table for table in TABLES if table != "token")
            self.store.remember("credentials", credentials)
            self._wake()
        for path in self.out.iterdir():
            path.unlink()

    def pause(self, call: Call) -> None:
        """Latency and the `delay` fault; ends early when the client gives up."""
        if call.paused:
            return
        call.paused = True
        fault = call.fault("delay")
        seconds = float(self.switches["latency_seconds"]) + (fault.params["seconds"] if fault else 0)
        if seconds > 0:
            self.stay(call, seconds)

    def stay(self, call: Call, seconds: float) -> bool:
        stayed = call.wire.wait(seconds, self.stopping)
        if not stayed:
            self.traffic.left(call)
        return stayed

    def close(self) -> None:
        self.stopping.set()
        self.store.close()
        if self._temporary is not None:
            self._temporary.cleanup()
