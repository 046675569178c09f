"""manage.py import_files: files that D&B delivered, each read by its kind; again, it changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from core.actors import actor_at_the_shell
from direct_plus.delivered_files import UnreadableFile, parse_file_name
from monitoring.file_intake.intake import Busy, import_paths
from monitoring.file_intake.reports import again_text, records_text
from monitoring.models import DeliveredFile, FileState
from portfolio.plain_commands import PlainCommand, progress


class Command(PlainCommand):
    help = "Import files that D&B delivered: seeds, notifications, Exceptions and DunsExport. Name files or folders."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("paths", nargs="+", type=Path, metavar="PATH")

    def handle(self, *, paths: list[Path], **options: Any) -> None:
        found = sorted(_files(paths))
        if not found:
            raise CommandError("No file from D&B found. File names end like _20260105080000_NOTIFICATION_1.zip.")
        try:
            with progress(self.stdout, f"{len(found)} files …") as shown:
                rows = import_paths(found, by=actor_at_the_shell(), report=lambda row: shown.now(_words(row)))
                for row in rows:
                    shown.line(_words(row))
        except (Busy, UnreadableFile, OSError) as error:
            raise CommandError(str(error)) from error
        if troubles := [_words(row) for row in rows if row.state != FileState.IMPORTED]:
            raise CommandError("\n".join(troubles))


def _words(row: DeliveredFile) -> str:
    """What became of a file, in a line."""
    if row.state == FileState.REFUSED:
        return f"{row.name}: {row.reason}"
    if row.state == FileState.IMPORTED and row.repeats:
        return f"{row.name}: {again_text(row)}"
    told = f"{row.name}: {row.result or records_text(row)}"
    told += "" if row.state == FileState.IMPORTED else f" ({row.get_state_display().lower()})"
    return f"{told}. {row.remark}" if row.remark else told


def _files(paths: list[Path]) -> Iterator[Path]:
    for path in paths:
        if not path.exists():
            raise CommandError(f"{path} does not exist. Check the path.")
        if not path.is_dir() and not parse_file_name(path.name):
            raise CommandError(f"{path.name} does not have the name of a D&B file. Restore the name that D&B gave it.")
        yield from (
            one.absolute() for one in (path.iterdir() if path.is_dir() else [path]) if parse_file_name(one.name)
        )
