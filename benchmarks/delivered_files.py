"""A file that D&B delivered: rate and memory, beside a hand-written loader; then an import that is killed on the way.

    python -m benchmarks.delivered_files [--lines 10000000] [--engine sqlite]

The process that imports the file is killed in the middle, and the file is imported again: the rows have to be those of
an import that nobody interrupted.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks import frame, stream
from benchmarks.file_kills import forget_the_dead
from benchmarks.floor import Floor
from benchmarks.frame import Amount, target
from benchmarks.report import Report
from tests.databases import Databases

LINES = Amount("lines", "notifications in the file", 300, 30_000, 1_000_000)
REFERENCE = "BENCH_LOD_01"
NAME = f"{REFERENCE}_20260105080000_NOTIFICATION_1.txt"
COLUMNS = ("", "floor, per second", "measured, per second", "ratio", "target")
OF_D_AND_B = 192_900_000
# Of a measurement's rows: what every import of the file has to leave alike.
LEFT_OUT = ("recorded_at", "delivery_id", "registration_id", "version")
Found = dict[str, Any]


def main() -> None:
    options = frame.options(__doc__, LINES)
    with frame.reported(options) as report, tempfile.TemporaryDirectory(prefix="dnbmon-bench-") as folder:
        path = Path(folder) / NAME
        write(path, options.lines)
        for engine, databases in frame.engines(options, report):
            measure(report, engine, databases, path, options.lines)


def write(path: Path, lines: int) -> None:
    with path.open("w") as file:
        for item in stream.a_feed(range(lines)):
            file.write(json.dumps(item.as_json()) + "\n")


def measure(report: Report, engine: str, databases: Databases, path: Path, lines: int) -> None:
    with frame.fresh(databases) as url:
        floor = frame.apart(load_floor, url, lines=lines)
        found = frame.apart(read, url, path=str(path))
        whole = frame.apart(fingerprint, url)
    with frame.fresh(databases) as url:
        killed = kill_in_the_middle(url, path, found["seconds"])
        frame.apart(forget_the_dead, url)
        again = frame.apart(read, url, path=str(path))
        assert frame.apart(fingerprint, url) == whole, "an import that was killed left other rows"
    rate, hours = lines / found["seconds"], OF_D_AND_B / lines * found["seconds"] / 3600
    peak = max(found["peak"], again["peak"])
    rows = [
        ["import", f"{lines / floor:,.0f}", f"{rate:,.0f}", f"{floor / found['seconds']:.2f}", ""],
        ["peak memory of the process", "", f"{peak:.0f} MB", "", target(peak, most=300, unit=" MB")],
        [f"{OF_D_AND_B / 1e6:g} million, extrapolated", "", f"{hours:.1f} h", "", target(hours, most=12, unit=" h")],
        ["killed in the middle, and imported again", "", killed, "", "equal rows: met"],
    ]
    report.table(f"{engine}, a file of {lines:,} notifications", COLUMNS, rows)


def kill_in_the_middle(url: str, path: Path, seconds: float) -> str:
    """After half of the time that it takes, counted from its first notification."""
    process = frame.start(read, url, path=str(path))
    while process.poll() is None and not frame.apart(notifications, url):
        time.sleep(0.1)
    time.sleep(seconds / 2)
    process.kill()
    process.communicate()
    return f"after {frame.apart(notifications, url):,} notifications"


# In processes of their own


def load_floor(lines: int) -> float:
    floor = Floor(os.environ["DATABASE_URL"])
    parts = stream.pages(stream.a_feed(range(lines)), 10_000)
    seconds = sum(floor.load(part, new_companies=True) for part in parts)
    floor.close()
    return seconds


def read(path: str) -> Found:
    """As `manage.py import_files` does."""
    from monitoring.file_intake.intake import import_paths
    from tests.builders.registrations import a_registration

    a_registration(REFERENCE)
    seconds = frame.timed(lambda: import_paths([Path(path)], by="benchmark"))
    return {"seconds": seconds, "peak": frame.peak_megabytes()}


def notifications() -> int:
    from monitoring.models import Notification

    return Notification.objects.count()


def fingerprint() -> list[str]:
    """Of all rows that the file leaves, in the order of their keys."""
    from monitoring.models import Change, Notification
    from portfolio.models import Company

    return [_fingerprint(model) for model in (Company, Notification, Change)]


def _fingerprint(model: Any) -> str:
    names = [field.attname for field in model._meta.concrete_fields if field.attname not in LEFT_OUT]
    digest = hashlib.sha256()
    for row in model.objects.order_by("pk").values_list(*names).iterator(chunk_size=2000):
        digest.update(repr(row).encode())
    return digest.hexdigest()


if __name__ == "__main__":
    main()
