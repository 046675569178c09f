"""The control client: what tests and the demo use to steer a running sandbox and to compare with its ledger."""

import base64
import http.client
import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from time import monotonic, sleep
from typing import Any
from urllib.parse import urlsplit

from direct_plus.delivered_files import FileKind, parse_file_name, read_lines
from direct_plus.sandbox.http.dates import moment

Notification = dict[str, Any] | str | bytes
CHUNK_ITEMS, CHUNK_BYTES = 5_000, 8_000_000


class SandboxError(Exception):
    """The sandbox refused a wish of its control client."""


class SandboxControl:
    """One method a wish; every one is a call to `/sandbox/…`."""

    def __init__(self, base_url: str, *, timeout: float = 120) -> None:
        self.base_url = base_url.rstrip("/")
        self._address = urlsplit(self.base_url).netloc
        self._timeout = timeout

    def ask(self, verb: str, /, **wishes: Any) -> Any:
        """Any verb of the control API by its name."""
        connection = http.client.HTTPConnection(self._address, timeout=self._timeout)
        try:
            connection.request("POST", f"/sandbox/{verb}", json.dumps(wishes), {"Content-Type": "application/json"})
            response = connection.getresponse()
            value = json.loads(response.read())
        finally:
            connection.close()
        if response.status != 200:
            raise SandboxError(value["error"])
        return value

    # the portfolio as D&B has it

    def add_registration(self, reference: str, **fields: Any) -> None:
        """Fields as in the contract's `registration` object; also `suppressed`, `state`; None leaves a field out."""
        self.ask("add_registration", reference=reference, **fields)

    def add_companies(
        self,
        reference: str,
        companies: Iterable[str | dict[str, Any]] | None = None,
        *,
        count: int = 0,
        seed: bool = True,
    ) -> list[str]:
        """The numbers that are in now; `seed` says whether their SEEDs are emitted."""
        numbers: list[str] = []
        for chunk in _chunks(companies or ()):
            numbers += self.ask("add_companies", reference=reference, companies=chunk, seed=seed)
        if count:
            numbers += self.ask("add_companies", reference=reference, count=count, seed=seed)
        return numbers

    def remove_companies(self, reference: str, companies: Iterable[str]) -> list[str]:
        removed: list[str] = self.ask("remove_companies", reference=reference, companies=list(companies))
        return removed

    def subjects(self, reference: str) -> list[str]:
        numbers: list[str] = self.ask("subjects", reference=reference)
        return numbers

    def mark(self, duns: str | Iterable[str], kind: str, retained: str = "") -> None:
        """`invalid`, `deleted`, `transferred`, `unknown`, a code of five digits, or "" for sound."""
        self.ask("mark", duns=[duns] if isinstance(duns, str) else list(duns), kind=kind, retained=retained)

    def company(self, duns: str) -> dict[str, Any]:
        document: dict[str, Any] = self.ask("company", duns=duns)
        return document

    def suppress(self, reference: str, value: bool = True) -> None:
        self.ask("suppress", reference=reference, value=value)

    # what happens

    def emit(self, reference: str, notifications: Iterable[Notification]) -> list[int]:
        """Queue exactly these: objects, or raw texts or bytes that may be anything. Their sequence numbers."""
        seqs: list[int] = []
        for chunk in _chunks(_encoded(notifications)):
            seqs += self.ask("emit", reference=reference, raw=chunk)
        return seqs

    def happen(self, kind: str, duns: str, **details: Any) -> list[int]:
        """See `happenings()`. `change` takes `changes={path: value}`, `transfer` `retained`, `enter` `reference`,
        `type` `type`; all take `at`, the time of the change; `apart` are seconds between elements."""
        seqs: list[int] = self.ask("happen", kind=kind, duns=duns, **details)
        return seqs

    def happenings(self) -> list[str]:
        names: list[str] = self.ask("happenings")
        return names

    def deliver(self, reference: str, kind: str, *, per_file: int = 1_000_000, folder: str = "") -> list[str]:
        """Write `SEEDFILE`, `NOTIFICATION` or `DunsExport` files into the out folder; their paths. Where a folder is
        named, they are sent there as well."""
        paths: list[str] = self.ask("deliver", reference=reference, kind=kind, per_file=per_file, folder=folder)
        return paths

    def files(self) -> list[str]:
        paths: list[str] = self.ask("files")
        return paths

    def seed_lines(self, reference: str) -> Iterator[tuple[datetime, bytes]]:
        """Each line of a registration's seed files with the time of its file: with the ledger, all that was given."""
        for path in map(Path, self.files()):
            name = parse_file_name(path.name)
            if name and (name.reference, name.kind) == (reference, FileKind.SEED):
                yield from ((name.written_at, line) for line in read_lines(path))

    def out_folder(self) -> str:
        return str(self.ask("out_folder"))

    # time, readings and faults

    def clock(self) -> datetime:
        return moment(self.ask("clock_now"))

    def move_clock(self, seconds: float) -> datetime:
        return moment(self.ask("move_clock", seconds=seconds))

    def tick(self) -> int:
        """Carry out what is due now; how many errands that were."""
        return int(self.ask("tick"))

    def switch(self, name: str, value: Any) -> None:
        self.ask("switch", name=name, value=value)

    def switches(self) -> dict[str, Any]:
        values: dict[str, Any] = self.ask("switch_values")
        return values

    def set_fault(self, name: str, **params: Any) -> int:
        """`times`, `after`, `probability`, `on`, `reference`, and the fault's own; see `fault_kinds()`."""
        return int(self.ask("set_fault", name=name, **params))

    def clear_faults(self, name: str | None = None) -> None:
        self.ask("clear_faults", name=name)

    def faults(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.ask("fault_list")
        return found

    def fault_kinds(self) -> dict[str, Any]:
        kinds: dict[str, Any] = self.ask("fault_kinds")
        return kinds

    def every_fault(self, *, seed: int = 0, probability: float = 0.02, but: Iterable[str] = ()) -> None:
        """Every fault on, drawn at random from this seed."""
        self.ask("storm", seed=seed, probability=probability, but=list(but))

    def set_credentials(self, key: str, secret: str, *, alone: bool = True) -> None:
        self.ask("set_credentials", key=key, secret=secret, alone=alone)

    def expire_tokens(self) -> int:
        return int(self.ask("expire_tokens"))

    # what was

    def ledger(self, reference: str | None = None, since: int = 0) -> list[dict[str, Any]]:
        """All that was emitted, in order; `raw.encode("utf-8", "surrogateescape")` are the bytes as served."""
        entries: list[dict[str, Any]] = []
        more = True
        while more:
            page = self.ask("ledger", reference=reference, since=entries[-1]["seq"] if entries else since)
            entries += page["entries"]
            more = page["more"]
        return entries

    def calls(self, since: int = 0) -> list[dict[str, Any]]:
        """Every call after this number."""
        found: list[dict[str, Any]] = []
        while page := self.ask("calls", since=found[-1]["number"] if found else since):
            found += page
        return found

    def live_clients(self, reference: str) -> int:
        return int(self.ask("live_clients", reference=reference)["now"])

    def most_clients(self, reference: str) -> int:
        """The most pulls of this registration that were ever under way at once."""
        return int(self.ask("live_clients", reference=reference)["most"])

    def wait_idle(self, timeout: float = 30) -> None:
        """Until no call is being worked on, late dequeues included, and no errand is due."""
        until = monotonic() + timeout
        while any(self.ask("activity").values()):
            if monotonic() > until:
                raise TimeoutError("the sandbox is still busy")
            sleep(0.01)

    def reset(self) -> None:
        """A new world; credentials and tokens stay."""
        self.ask("reset")

    def stop(self) -> None:
        self.ask("stop")


def _encoded(notifications: Iterable[Notification]) -> Iterator[str]:
    for one in notifications:
        text = json.dumps(one, ensure_ascii=False) if isinstance(one, dict) else one
        raw = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
        yield base64.b64encode(raw).decode("ascii")


def _chunks(items: Iterable[Any]) -> Iterator[list[Any]]:
    """Pieces that fit into one call each."""
    chunk: list[Any] = []
    size = 0
    for item in items:
        chunk.append(item)
        size += len(item) if isinstance(item, str) else 1_000
        if len(chunk) >= CHUNK_ITEMS or size >= CHUNK_BYTES:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk
