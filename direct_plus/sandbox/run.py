"""Starting and stopping a sandbox: inside a test, or as a process of its own."""

import signal
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from types import FrameType, TracebackType
from typing import Any

from direct_plus.sandbox.control import commands
from direct_plus.sandbox.control.client import SandboxControl
from direct_plus.sandbox.demo.world import start_demo
from direct_plus.sandbox.server.server import Server
from direct_plus.sandbox.state.world import World

BEAT = 0.05


class Sandbox:
    """A running sandbox; stop it, or use it as a context."""

    def __init__(self, world: World, port: int, companions: Iterable[Thread] = ()) -> None:
        self.world = world
        self._server = Server(world, port)
        self.url = self._server.url
        self.control = SandboxControl(self.url)
        self._threads = [
            Thread(target=self._server.serve_forever, args=(BEAT,), daemon=True),
            self._ticker(),
            *companions,
        ]
        for thread in self._threads:
            thread.start()

    def _ticker(self) -> Thread:
        def beat() -> None:
            while not self.world.stopping.wait(BEAT):
                commands.tick(self.world)

        return Thread(target=beat, daemon=True)

    def wait(self) -> None:
        """Until somebody asks it to stop."""
        self.world.stopping.wait()

    def stop(self) -> None:
        self.world.stopping.set()
        self._server.shutdown()
        self._server.cut_connections()
        self._server.server_close()
        for thread in self._threads:
            thread.join(5)
        self.world.close()

    def __enter__(self) -> "Sandbox":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def start_sandbox(
    port: int = 0,
    state: Path | str | None = None,
    demo: bool = False,
    *,
    out: Path | str | None = None,
    key: str | None = None,
    secret: str | None = None,
    every: float = 5.0,
    switches: dict[str, Any] | None = None,
) -> Sandbox:
    """A sandbox in this process, on threads; port 0 takes a free one, no state keeps it in memory."""
    world = World(_path(state), _path(out))
    if key is not None and secret is not None:
        commands.set_credentials(world, key, secret)
    for name, value in (switches or {}).items():
        world.switches.set(name, value)
    return Sandbox(world, port, [start_demo(world, every)] if demo else ())


def _path(given: Path | str | None) -> Path | None:
    return Path(given) if given is not None else None


def serve(
    *,
    port: int = 0,
    state: Path | str | None = None,
    demo: bool = False,
    ready: Callable[[str], None] = lambda url: print(f"sandbox on {url}", flush=True),
    ready_file: Path | str | None = None,
    **more: Any,
) -> None:
    """Run until SIGTERM, SIGINT or a `stop` of the control API; `more` as in start_sandbox."""
    with _told_to_stop() as told, start_sandbox(port, state, demo, **more) as sandbox:
        if ready_file is not None:
            Path(ready_file).write_text(sandbox.url + "\n", encoding="utf-8")
        ready(sandbox.url)
        while not told.wait(BEAT) and not sandbox.world.stopping.is_set():
            pass


@contextmanager
def _told_to_stop() -> Iterator[Event]:
    """An event that SIGTERM and SIGINT set, as long as it is wanted."""
    told = Event()

    def tell(_number: int, _frame: FrameType | None) -> None:
        told.set()

    before = {number: signal.signal(number, tell) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield told
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
