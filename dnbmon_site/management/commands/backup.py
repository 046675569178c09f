"""manage.py backup: a verified copy of the database while everything runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from dnbmon_site.operations.backup.create import FORMATS, make_backup
from dnbmon_site.operations.backup.manifest import FILE, BackupError, read_manifest, sum_of
from health.checks.migrations import is_empty
from health.views import EMPTY
from portfolio.plain_commands import PlainCommand, progress


class Command(PlainCommand):
    help = "Back up the database to a new folder in PATH and verify the copy. D&B Monitoring keeps running."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("path", type=Path, help="folder for backups")
        parser.add_argument(
            "--keep", type=int, default=0, metavar="N", help="keep the latest N backups and delete the others"
        )
        parser.add_argument(
            "--format",
            choices=FORMATS,
            default="",
            help="rows can be restored to another database engine; default: the engine's own format",
        )

    def handle(self, *, path: Path, keep: int, format: str, **options: Any) -> None:
        if keep < 0:
            raise CommandError("--keep must be 0 or more; 0 keeps all backups.")
        if is_empty():
            raise CommandError(EMPTY)
        try:
            with progress(self.stdout, "Backup …") as shown:
                made = make_backup(path, format=format, keep=keep, by="command", report=shown.now)
        except (BackupError, OSError) as error:
            raise CommandError(str(error)) from error
        manifest = read_manifest(made)
        count = sum(manifest.rows.values())
        self.stdout.write(f"{made}: {count:,} rows backed up ({manifest.format}) and verified.")
        self.stdout.write(f"Signed with SECRET_KEY. SHA-256 of {FILE}: {sum_of(made / FILE)}")
        self.stdout.write(
            "Store SECRET_KEY in a separate safe place: a restore needs it for channels, webhooks and this signature."
        )
