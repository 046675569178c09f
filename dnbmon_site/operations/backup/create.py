"""Make a backup while the program runs: copy, read again, count, and only then give it its name."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from core.audit import note_act
from dnbmon_site.operations.backup import native_dump, portable_dump
from dnbmon_site.operations.backup.manifest import FILE, BackupError, Manifest, Report, new_folder, rotate, sum_of
from portfolio.models import Registration

ROWS, SQLITE, POSTGRES = "rows", "sqlite", "postgres"
FORMATS = (ROWS, SQLITE, POSTGRES)
MARGIN = 100_000_000


def make_backup(
    place: Path, *, format: str = "", keep: int = 0, by: str = "backup job", report: Report = lambda text: None
) -> Path:
    """The new backup in `place`, verified; with `keep`, older ones beyond that number are removed."""
    format = format or best_format()
    place.mkdir(parents=True, exist_ok=True)
    with alone(place):
        refuse_full_disk(place)
        moment = datetime.now(UTC)
        with new_folder(place, moment) as folder:
            manifest = Manifest(format, connection.vendor, moment.isoformat(), dnb_time(), applied())
            manifest.rows = copy(format, folder, report)
            manifest.add_sums(folder)
            manifest.write(folder)
            verify(manifest, folder, report)
            made = place / folder.stem
        removed = rotate(place, keep) if keep else []
    write_down(made, manifest, len(removed), by)
    return made


def best_format() -> str:
    """The engine's own copy where its tool is here, else the rows themselves."""
    if connection.vendor == "sqlite":
        return SQLITE
    if connection.vendor == "postgresql" and shutil.which("pg_dump") and shutil.which("pg_restore"):
        return POSTGRES
    return ROWS


def copy(format: str, folder: Path, report: Report) -> dict[str, int]:
    expected = {SQLITE: "sqlite", POSTGRES: "postgresql"}.get(format, connection.vendor)
    if expected != connection.vendor:
        raise BackupError(f"The format “{format}” does not fit this database ({connection.vendor}). Use --format rows.")
    report(f"copying ({format})")
    by_format: dict[str, Callable[[Path], dict[str, int]]] = {
        SQLITE: native_dump.dump_sqlite,
        POSTGRES: native_dump.dump_postgres,
        ROWS: lambda folder: portable_dump.dump(folder, report),
    }
    return by_format[format](folder)


def verify(manifest: Manifest, folder: Path, report: Report) -> None:
    """What was written is read from the disk again."""
    report("verifying the copy")
    manifest.check(folder)
    if manifest.format == ROWS:
        portable_dump.check(folder, manifest.rows)


def dnb_time() -> dict[str, str]:
    known = Registration.objects.exclude(dnb_time=None).values_list("pk", "dnb_time")
    return {str(key): moment.isoformat() for key, moment in known if moment}


def applied() -> dict[str, str]:
    """The last migration of each app."""
    return dict(sorted(MigrationRecorder(connection).applied_migrations()))


@contextmanager
def alone(place: Path) -> Iterator[None]:
    """One backup into a place at a time; the lock ends with the process."""
    descriptor = os.open(place / ".lock", os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise BackupError(f"Another backup to {place} is in progress. Wait until it has finished.") from None
    finally:
        os.close(descriptor)


def refuse_full_disk(place: Path) -> None:
    """A copy of SQLite is as large as the file; of the others the size is not known."""
    needed = MARGIN
    if connection.vendor == "sqlite":
        needed += Path(native_dump.database()["NAME"]).stat().st_size
    free = shutil.disk_usage(place).free
    if free < needed:
        raise BackupError(
            f"{place} has {free / 1e6:,.0f} MB free, but the backup needs {needed / 1e6:,.0f} MB. "
            "Free up disk space, or choose another folder."
        )


def write_down(made: Path, manifest: Manifest, removed: int, by: str) -> None:
    size = sum(path.stat().st_size for path in made.iterdir())
    summary = f"Backup {made.name} created and verified: {sum(manifest.rows.values()):,} rows, {size / 1e6:,.1f} MB"
    summary += f"; SHA-256 of {FILE} {sum_of(made / FILE)}"
    summary += f"; {removed} older backups removed" if removed else ""
    note_act(actor=by, action="backup", what="backup", key=made.name, summary=summary)
