"""manage.py import_files: files that D&B delivered, each read by its kind; again, it changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from core.text import plural
from direct_plus.delivered_files import FileKind, FileName, UnreadableFile, parse_file_name, read_header, sha256_of
from monitoring.pipeline.delivered_files import Imported, import_file
from portfolio.plain_commands import PlainCommand, Progress, one_registration, progress
from portfolio.registrations.dnb_list_files import apply_exceptions, apply_export

ACTOR = "manage.py import_files"
HEADERS = (FileKind.SEED_HEADER, FileKind.NOTIFICATION_HEADER)


class Command(PlainCommand):
    help = "Import files that D&B delivered: seeds, notifications, Exceptions and DunsExport. Name files or folders."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("paths", nargs="+", type=Path, metavar="PATH")

    def handle(self, *, paths: list[Path], **options: Any) -> None:
        found = sorted(_files(paths), key=lambda pair: (pair[1].written_at, pair[1].number or 0))
        if not found:
            raise CommandError("No file from D&B found. File names end like _20260105080000_NOTIFICATION_1.zip.")
        hashes = _hashes([path for path, name in found if name.kind in HEADERS])
        troubles = [trouble for path, name in found if (trouble := self.one(path, name, found, hashes))]
        if troubles:
            raise CommandError("\n".join(troubles))

    def one(self, path: Path, name: FileName, found: list[tuple[Path, FileName]], hashes: dict[str, str]) -> str:
        """Why this file could not be read; its trouble holds up no other."""
        if name.kind in HEADERS:
            return ""
        expected = hashes.get(path.name)
        if expected and expected != sha256_of(path):
            return f"{path.name} does not match the hash in its header file. Download it again."
        try:
            with progress(self.stdout, f"{path.name} …") as shown:
                shown.line(f"{path.name}: {self.read(path, name, found, shown)}")
        except (UnreadableFile, CommandError, ValueError, OSError) as error:
            return str(error)
        return ""

    def read(self, path: Path, name: FileName, found: list[tuple[Path, FileName]], shown: Progress) -> str:
        registration = one_registration(name.reference)
        if name.kind == FileKind.EXCEPTIONS:
            return str(apply_exceptions(registration, path, by=ACTOR))
        if name.kind == FileKind.EXPORT:
            parts = [other for other, its in found if _same_export(its, name)]
            return (
                str(apply_export(registration, parts, by=ACTOR)) if path == parts[-1] else "imported with the last part"
            )
        done = import_file(registration, path, report=lambda so_far: shown.now(f"{path.name}: {_words(so_far)}"))
        return _words(done)


def _same_export(one: FileName, other: FileName) -> bool:
    return (one.kind, one.reference, one.written_at) == (other.kind, other.reference, other.written_at)


def _words(done: Imported) -> str:
    told = f"{plural(done.notifications, 'notification')}, {done.new:,} new, {plural(done.parts, 'part')}"
    told += f" ({done.known:,} imported before)" if done.known else ""
    return told + (f", {done.unreadable:,} not parsed" if done.unreadable else "")


def _files(paths: list[Path]) -> Iterator[tuple[Path, FileName]]:
    for path in paths:
        if not path.exists():
            raise CommandError(f"{path} does not exist. Check the path.")
        for one in sorted(path.iterdir()) if path.is_dir() else [path]:
            name = parse_file_name(one.name)
            if name:
                yield one, name
            elif one == path:
                raise CommandError(
                    f"{path.name} does not have the name of a D&B file. Restore the name that D&B gave it."
                )


def _hashes(headers: list[Path]) -> dict[str, str]:
    """SHA-256 of each zip by name, as far as headers tell."""
    listed = [one for path in headers for one in read_header(path.read_bytes()).files]
    return {one.name: one.sha256 for one in listed if one.sha256}
