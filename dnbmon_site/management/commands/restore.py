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
    help = "Put a backup back into an empty database. Everything is paused afterwards."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("path", type=Path, nargs="?", help="a backup, or a folder of them: then the newest")
        parser.add_argument(
            "--trust",
            metavar="SUM",
            default="",
            help="put back a backup that this SECRET_KEY has not signed: SUM is the SHA-256 of its manifest.json, as "
            "“manage.py backup” said it when it was made",
        )
        parser.add_argument(
            "--in-place",
            metavar="TIME",
            type=datetime.fromisoformat,
            help="the database was put back by other means, as it was at TIME (2026-01-05T08:00:00+00:00): only pause "
            "everything and mark what is in doubt",
        )

    def handle(self, *, path: Path | None, in_place: datetime | None, trust: str, **options: Any) -> None:
        if (path is None) == (in_place is None):
            raise CommandError("Name a backup, or use --in-place TIME.")
        try:
            lines(self, self._paused(in_place) if in_place else self._restored(path or Path(), trust))
        except (BackupError, OSError) as error:
            raise CommandError(str(error)) from error

    def _restored(self, path: Path, trust: str) -> Aftermath:
        with progress(self.stdout, "Restore …") as shown:
            done = restore(path, by="command", trust=trust, report=shown.now)
        self.stdout.write(f"{done.backup.name}: {sum(done.manifest.rows.values()):,} rows are back.")
        return done.aftermath

    def _paused(self, moment: datetime) -> Aftermath:
        if moment.tzinfo is None:
            raise CommandError("TIME needs its zone, as in 2026-01-05T08:00:00+00:00.")
        return after_restore(moment, {}, by="command", source="other means")


def lines(command: Command, aftermath: Aftermath) -> None:
    report = command.stdout.write
    report(f"Paused, with a doubt each: {', '.join(aftermath.registrations) or 'no registration'}.")
    report("Now: compare what is wanted with D&B's lists (reconcile REFERENCE), then start each registration.")
    if aftermath.syncs:
        report(f"{aftermath.syncs} syncs wait until a person goes on with them.")
    if aftermath.keys:
        report(f"{aftermath.keys} API keys are valid: revoke again those that were revoked after the backup.")
    report("Users and rights are as they were at the backup; everybody has to sign in again.")
