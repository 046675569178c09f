"""Put a backup back, into an empty place only; then leave everything so that nothing happens twice or is missed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from django.core.management import call_command
from django.db import DatabaseError, connection
from django.db.migrations.loader import MigrationLoader
from django.db.models import Model
from django.utils.crypto import constant_time_compare

from core.models import AuditEntry
from dnbmon_site.accounts.models import User
from dnbmon_site.operations.backup import native_dump, portable_dump
from dnbmon_site.operations.backup.after_restore import Aftermath, after_restore, read_again_what_is_unfinished
from dnbmon_site.operations.backup.create import POSTGRES, ROWS, SQLITE
from dnbmon_site.operations.backup.manifest import FILE, BackupError, Manifest, Report, chosen, read_manifest, sum_of
from dnbmon_site.operations.backup.older_names import label_now
from health.checks.migrations import is_earlier
from monitoring.models import Delivery
from portfolio.models import Company, Registration

ENGINE_OF = {SQLITE: "sqlite", POSTGRES: "postgresql"}
# Where one of these has a row, somebody works here.
SIGNS_OF_LIFE: tuple[type[Model], ...] = (User, Registration, Company, Delivery, AuditEntry)


@dataclass(frozen=True, slots=True)
class Restored:
    backup: Path
    manifest: Manifest
    aftermath: Aftermath


def restore(path: Path, *, by: str, trust: str = "", report: Report = lambda text: None) -> Restored:
    """`trust`: the sum of the manifest, for a backup that this installation's key has not signed."""
    folder = chosen(path)
    manifest = read_manifest(folder)
    refuse_foreign(manifest, folder, trust)
    report("checking the backup")
    manifest.check(folder)
    refuse_other_engine(manifest)
    refuse_older_copy(manifest)
    refuse_newer(manifest)
    refuse_inhabited()
    report("restoring the data")
    put_back(manifest, folder, report)
    compare(manifest)
    if manifest.format == ROWS:
        read_again_what_is_unfinished()
    return Restored(folder, manifest, after_restore(manifest.moment, manifest.dnb_time, by=by, source=folder.name))


def refuse_foreign(manifest: Manifest, folder: Path, trust: str) -> None:
    if manifest.is_ours:
        return
    if not trust:
        raise BackupError(
            f"{folder} is not signed with this SECRET_KEY. Another installation created it, the key changed, or the "
            "backup was modified. It would bring its users, permissions and settings. Set the SECRET_KEY that was "
            "used for the backup; channels and webhooks need it too. If the key is lost, or an earlier version created "
            "the backup without a signature, and you trust its source, use --trust SUM with the SHA-256 of "
            "manifest.json that was printed when the backup was created (docs/operate/backup.md)."
        )
    if not constant_time_compare(trust.strip().lower(), sum_of(folder / FILE)):
        raise BackupError(
            f"{folder / FILE} does not match the SHA-256 after --trust. Check the sum, or name another backup."
        )


def refuse_other_engine(manifest: Manifest) -> None:
    needed = ENGINE_OF.get(manifest.format)
    if needed and needed != connection.vendor:
        raise BackupError(
            f"This is a backup of {needed}, but DATABASE_URL names {connection.vendor}. Restore it to {needed}, or "
            "create a backup with --format rows."
        )


def refuse_older_copy(manifest: Manifest) -> None:
    if is_earlier(manifest.migrations) and manifest.format != ROWS:
        raise BackupError(
            "An earlier version created this backup, and its tables cannot be migrated. Restore it with that version, "
            "create a backup with --format rows there, and restore that one here (docs/operate/upgrade.md)."
        )


def refuse_newer(manifest: Manifest) -> None:
    if is_earlier(manifest.migrations):
        return
    known = MigrationLoader(None).disk_migrations
    unknown = [f"{app} {name}" for app, name in manifest.migrations.items() if (app, name) not in known]
    if unknown and manifest.engine == connection.vendor:
        raise BackupError(
            f"A newer version created this backup (it contains {', '.join(unknown)}). Install that version first."
        )


def refuse_inhabited() -> None:
    found = [model._meta.verbose_name_plural for model in SIGNS_OF_LIFE if has_rows(model)]
    if found:
        raise BackupError(
            f"The database is not empty: it contains {', '.join(map(str, found))}. A "
            "backup is restored only into an empty database, so that nothing is overwritten. Set DATABASE_URL to a "
            "new database, or move the old one away."
        )


def has_rows(model: type[Model]) -> bool:
    try:
        if model._meta.db_table not in connection.introspection.table_names():
            return False
    except DatabaseError as error:
        raise BackupError(f"The database does not respond: {error}") from error
    return model._default_manager.exists()


def put_back(manifest: Manifest, folder: Path, report: Report) -> None:
    if manifest.format == ROWS:
        migrate()
        portable_dump.load(folder, report)
    else:
        {SQLITE: native_dump.load_sqlite, POSTGRES: native_dump.load_postgres}[manifest.format](folder)


def migrate() -> None:
    call_command("migrate", verbosity=0, interactive=False)


def compare(manifest: Manifest) -> None:
    """As many rows of each model as the backup says; then brought up to date where the program is newer."""
    portable_dump.forget_names()
    if manifest.format != ROWS:
        # Models that the backup does not know have no table yet.
        migrate()
    found = portable_dump.count_rows()
    expected = {label_now(name): count for name, count in manifest.rows.items()}
    wrong = [f"{name}: {found.get(name, 0):,} of {n:,}" for name, n in expected.items() if is_less(found, name, n)]
    if wrong:
        raise BackupError(f"The restore is incomplete: {'; '.join(wrong)}. Start again with an empty database.")


def is_less(found: dict[str, int], name: str, expected: int) -> bool:
    """Bringing it up to date may add rows (default rules), and models may be gone."""
    return name in found and found[name] < expected
