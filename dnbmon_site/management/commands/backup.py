"""manage.py backup: a verified copy of the database while everything runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from dnbmon_site.operations.backup.create import FORMATS, make_backup
from dnbmon_site.operations.backup.manifest import FILE, BackupError, read_manifest, sum_of
from portfolio.plain_commands import PlainCommand, progress


class Command(PlainCommand):
    help = "Copy the database into a folder below PATH while everything runs, and read the copy again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("path", type=Path, help="the folder that holds the backups")
        parser.add_argument("--keep", type=int, default=0, metavar="N", help="remove all but the newest N")
        parser.add_argument(
            "--format", choices=FORMATS, default="", help="rows: portable to another engine; default: the engine's own"
        )

    def handle(self, *, path: Path, keep: int, format: str, **options: Any) -> None:
        if keep < 0:
            raise CommandError("--keep takes 1 or more; 0 keeps all.")
        try:
            with progress(self.stdout, "Backup …") as shown:
                made = make_backup(path, format=format, keep=keep, by="command", report=shown.now)
        except (BackupError, OSError) as error:
            raise CommandError(str(error)) from error
        manifest = read_manifest(made)
        count = sum(manifest.rows.values())
        self.stdout.write(f"{made}: {count:,} rows as {manifest.format}, verified.")
        self.stdout.write(f"Signed with SECRET_KEY. Sum of {FILE}: {sum_of(made / FILE)}")
        self.stdout.write("Keep SECRET_KEY beside it, elsewhere: channels, webhooks and this signature rest on it.")
