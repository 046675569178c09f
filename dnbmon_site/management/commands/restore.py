"""manage.py restore: put a backup back into an empty database."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from dnbmon_site.operations.backup.after_restore import Aftermath, after_restore
from dnbmon_site.operations.backup.manifest import BackupError
from dnbmon_site.operations.backup.restore import restore
from portfolio.plain_commands import PlainCommand, progress


class Command(PlainCommand):
    help = "Restore a backup to an empty database. All registrations are paused afterwards."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("path", type=Path, nargs="?", help="a backup, or a folder of backups (the latest is used)")
        parser.add_argument(
            "--trust",
            metavar="SUM",
            default="",
            help="restore a backup that this SECRET_KEY has not signed; SUM is the SHA-256 of manifest.json that "
            "“.venv/bin/python manage.py backup” printed",
        )
        parser.add_argument(
            "--in-place",
            metavar="TIME",
            type=datetime.fromisoformat,
            help="after a restore by other means to the state at TIME (2026-01-05T08:00:00+00:00): only pause all "
            "registrations and mark calls in doubt",
        )

    def handle(self, *, path: Path | None, in_place: datetime | None, trust: str, **options: Any) -> None:
        if (path is None) == (in_place is None):
            raise CommandError("Name a backup, or use --in-place TIME, but not both.")
        try:
            lines(self, self._paused(in_place) if in_place else self._restored(path or Path(), trust))
        except (BackupError, OSError) as error:
            raise CommandError(str(error)) from error

    def _restored(self, path: Path, trust: str) -> Aftermath:
        with progress(self.stdout, "Restore …") as shown:
            done = restore(path, by="command", trust=trust, report=shown.now)
        self.stdout.write(f"{done.backup.name}: {sum(done.manifest.rows.values()):,} rows restored.")
        return done.aftermath

    def _paused(self, moment: datetime) -> Aftermath:
        if moment.tzinfo is None:
            raise CommandError("TIME needs a time zone, such as 2026-01-05T08:00:00+00:00.")
        return after_restore(moment, {}, by="command", source="other means")


def lines(command: Command, aftermath: Aftermath) -> None:
    report = command.stdout.write
    report(f"Registrations paused with calls in doubt: {', '.join(aftermath.registrations) or 'none'}.")
    report(
        "Next: compare each registration with D&B's list (.venv/bin/python manage.py reconcile REFERENCE), "
        "then start it."
    )
    if aftermath.syncs:
        report(f"{aftermath.syncs} syncs are paused. Resume them under “Syncs”.")
    if aftermath.keys:
        report(f"{aftermath.keys} API keys are valid. Revoke those again that were revoked after the backup.")
    report("Users and permissions are restored from the backup. All users have to sign in again.")
