"""A set of D&B's files in a watched folder, imported by processes that are killed with SIGKILL on the way, twice.

    nice python -m benchmarks.file_kills [--records 1000000] [--kills 50] [--engine sqlite]

Seeds, notifications, exceptions and headers; afterwards the rows have to be those of the generator's own ledger. The
memory of the processes is sampled all the time.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import tempfile
import time
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks import frame, stream
from benchmarks.frame import Amount
from benchmarks.report import Report
from tests.databases import Databases

RECORDS = Amount("records", "notifications in the files", 300, 100_000, 1_000_000)
KILLS = Amount("kills", "processes killed on the way", 2, 20, 50)
REFERENCE, STAMP = "BENCH_LOD_01", "20260105080000"
PER_FILE = 25_000
COLUMNS = ("", "ledger", "found", "")
PAGE = os.sysconf("SC_PAGE_SIZE")


class Fact(NamedTuple):
    kind: str
    text: str


class Ledger:
    """How many facts of each kind there are, and a sum of their hashes that does not depend on their order."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.sums: Counter[str] = Counter()

    def add(self, facts: Iterable[Fact]) -> None:
        for fact in facts:
            self.counts[fact.kind] += 1
            digest = int.from_bytes(hashlib.sha256(fact.text.encode()).digest()[:12], "big")
            self.sums[fact.kind] = (self.sums[fact.kind] + digest) % 2**96

    def as_json(self) -> dict[str, list[str]]:
        return {kind: [f"{count:,}", f"{self.sums[kind]:024x}"] for kind, count in sorted(self.counts.items())}


def main() -> None:
    options = frame.options(__doc__, RECORDS, KILLS)
    with frame.reported(options) as report, tempfile.TemporaryDirectory(prefix="dnbmon-bench-") as folder:
        ledger = generate(Path(folder) / "dnb", options.records)
        for engine, databases in frame.engines(options, report):
            measure(report, engine, databases, Path(folder), ledger.as_json(), options.kills)


def measure(
    report: Report, engine: str, databases: Databases, folder: Path, ledger: dict[str, list[str]], kills: int
) -> None:
    with frame.fresh(databases) as url:
        for time_ in ("first", "second"):
            shutil.copytree(folder / "dnb", folder / "incoming", dirs_exist_ok=True)
            begun = time.perf_counter()
            curve = import_with_kills(url, folder / "incoming", kills if time_ == "first" else kills // 4)
            seconds = time.perf_counter() - begun
            found = frame.apart(what_is_there, url)
            rows = [[kind, *(one[0] for one in (ledger[kind], found.get(kind, ["0", ""])))] for kind in ledger]
            rows = [[*row, "equal" if ledger[row[0]] == found.get(row[0]) else "NOT EQUAL"] for row in rows]
            rows.append(["seconds", "", f"{seconds:,.0f}", ""])
            rows.append(["memory, MB, every tenth of the way", "", curve_text(curve), f"peak {max(curve):.0f}"])
            report.table(f"{engine}, the {time_} time", COLUMNS, rows)
            assert found == ledger, "the rows are not those of the ledger"
            left = [path.name for path in (folder / "incoming").iterdir() if path.name not in ("done", "refused")]
            assert left == [], left
        shutil.rmtree(folder / "incoming")


def curve_text(curve: list[float]) -> str:
    step = max(len(curve) // 10, 1)
    return " ".join(f"{max(curve[start : start + step]):.0f}" for start in range(0, len(curve), step))


def import_with_kills(url: str, folder: Path, kills: int) -> list[float]:
    """Until a process ends by itself; each that is killed is killed at a random moment of its work."""
    curve: list[float] = []
    choose = random.Random(7)
    for number in range(10_000):
        process = frame.start(take, url, folder=str(folder))
        dies_after = choose.uniform(2.0, 12.0) if number < kills else float("inf")
        begun = time.monotonic()
        while process.poll() is None and time.monotonic() - begun < dies_after:
            curve.append(resident_megabytes(process.pid))
            time.sleep(0.25)
        if process.poll() is not None and frame.result_of(process) == 0:
            return curve
        process.kill()
        process.communicate()
        frame.apart(forget_the_dead, url)
    raise AssertionError("the import does not end")


def resident_megabytes(pid: int) -> float:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE / 1e6
    except (OSError, IndexError):
        return 0.0


# The files


def generate(folder: Path, records: int) -> Ledger:
    """A tenth of the records are seeds; a twentieth of the notifications says that a company entered."""
    folder.mkdir()
    ledger = Ledger()
    seeds = (stream.Item(n, stream.duns_of(50_000_000 + n), document=a_document(n)) for n in range(records // 10))
    notifications = with_entries(stream.a_feed(range(records)))
    for kind, header, items in (
        ("SEEDFILE", "SEEDFILE_HEADER", ({"organization": one.as_json()["organization"]} for one in seeds)),
        ("NOTIFICATION", "NOTIFICATION_HEADER", notifications),
    ):
        parts, counts = write_parts(folder, kind, items, ledger)
        write_header(folder, header, parts, counts)
    lines = [f"{stream.duns_of(n)}\t10001\tNot found" for n in range(1000)]
    write_zip(folder, f"{REFERENCE}_{STAMP}_Exceptions", "\n".join(["DUNS\tCode\tInformation", *lines]))
    return ledger


def a_document(number: int) -> dict[str, Any]:
    return {"primaryName": f"Seed {number} Ltd", "registeredName": f"Seed {number} Limited"}


def with_entries(items: Iterator[stream.Item]) -> Iterator[dict[str, Any]]:
    for item in items:
        document = item.as_json()
        del document["deliveryTimeStamp"]
        yield document
        if item.number % 20 == 0:
            yield {"type": "ENTER", "organization": {"duns": item.duns}}


def write_parts(
    folder: Path, kind: str, items: Iterator[dict[str, Any]], ledger: Ledger
) -> tuple[list[Path], Counter[str]]:
    paths: list[Path] = []
    counts: Counter[str] = Counter()
    while part := list(islice(items, PER_FILE)):
        ledger.add(fact for item in part for fact in facts_of(item))
        counts.update(item.get("type", "SEED") for item in part)
        name = f"{REFERENCE}_{STAMP}_{kind}_{len(paths) + 1}"
        paths.append(write_zip(folder, name, "\n".join(json.dumps(item) for item in part)))
    return paths, counts


def facts_of(item: dict[str, Any]) -> Iterator[Fact]:
    duns = item["organization"]["duns"]
    kind = item.get("type", "SEED")
    yield Fact(f"notifications, {kind}", f"{duns} {kind}")
    for one in item.get("elements", ()):
        value = json.dumps(one["current"])
        yield Fact("changes of elements", f"{duns} {one['element']} {value} {one['timestamp'][:19]}")


def write_zip(folder: Path, name: str, text: str) -> Path:
    path = folder / f"{name}.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{name}.txt", text + "\n")
    return path


def write_header(folder: Path, kind: str, parts: list[Path], counts: Counter[str]) -> None:
    header = {
        "reference": REFERENCE,
        "headertype": kind,
        "fileTimeStamp": "2026-01-05T08:00:00Z",
        "totalRecordCount": counts.total(),
        "files": [{"name": path.name, "hash": hashlib.sha256(path.read_bytes()).hexdigest()} for path in parts],
        "notificationCount": [{"count": count, "type": type_} for type_, count in counts.items()],
    }
    (folder / f"{REFERENCE}_{STAMP}_{kind}.json").write_text(json.dumps({"fileHeader": header}))


# In processes of their own


def take(folder: str) -> int:
    """The job again and again; returns how many files are left."""
    from django.conf import settings

    from monitoring.file_intake import arrivals
    from monitoring.jobs import import_delivered_files
    from monitoring.models import DeliveredFile, FileState
    from tests.builders.registrations import a_registration

    arrivals.QUIET = timedelta()
    settings.FILE_INTAKE_FOLDER = folder
    a_registration(REFERENCE)
    unfinished = DeliveredFile.objects.filter(state__in=[FileState.WAITING, FileState.PROCESSING])
    import_delivered_files()
    while unfinished.exists():
        import_delivered_files()
    return unfinished.count()


def forget_the_dead() -> None:
    """Instead of waiting for some minutes until nobody holds what a killed process held."""
    from core.models import Lease
    from monitoring.models import Delivery

    Lease.objects.update(lease_until=None)
    Delivery.objects.exclude(claimed_until=None).update(claimed_until=None)


def what_is_there() -> dict[str, list[str]]:
    ledger = Ledger()
    ledger.add(_facts())
    return ledger.as_json()


def _facts() -> Iterator[Fact]:
    from monitoring.models import Change, Kind, Notification

    for duns, kind in Notification.objects.values_list("company_id", "type").iterator(chunk_size=2000):
        yield Fact(f"notifications, {kind}", f"{duns} {kind}")
    changes = Change.objects.filter(kind=Kind.ELEMENT)
    for duns, element, current, at in changes.values_list("company_id", "element", "current", "changed_at").iterator(
        chunk_size=2000
    ):
        value = json.dumps(json.loads(current or "null"))
        yield Fact("changes of elements", f"{duns} {element} {value} {at:%Y-%m-%dT%H:%M:%S}")


if __name__ == "__main__":
    main()
