"""manage.py adopt: adopt the list that D&B has; it sends nothing and costs nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from core import plurals
from direct_plus.delivered_files import UnreadableFile, read_lines
from portfolio.models import Registration, Subject, SubjectState
from portfolio.plain_commands import PlainCommand, apply_files, one_registration, progress
from portfolio.registrations.adopt import NothingKnown, adopt_as_requested, go_on_checking, read_listing, start_check
from portfolio.registrations.dnb_list_files import WrongFile
from portfolio.sync.verify import duration_text

ACTOR = "manage.py adopt"


class Command(PlainCommand):
    help = (
        "Adopt D&B's list of a registration: from a DunsExport file, from a list of numbers to check at D&B one by one "
        "(--check), or from the notifications received so far. Sends nothing and costs nothing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("reference", metavar="REFERENCE")
        parser.add_argument(
            "file", nargs="?", type=Path, metavar="FILE", help="a DunsExport file, or with --check a list of numbers"
        )
        parser.add_argument("--check", action="store_true", help="check each number in FILE at D&B")
        parser.add_argument(
            "--empty", action="store_true", help="confirm that D&B monitors no company in the registration yet"
        )
        parser.add_argument(
            "--complete",
            action="store_true",
            help="FILE has all companies of the registration: mark others as no longer in it; default: only add",
        )
        parser.add_argument("--look", action="store_true", help="only record what D&B monitors; do not adopt it yet")

    def handle(
        self, *, reference: str, file: Path | None, check: bool, empty: bool, look: bool, complete: bool, **options: Any
    ) -> None:
        registration = one_registration(reference)
        if check and file is None:
            raise CommandError("--check needs a FILE with the numbers to check.")
        if file:
            self.learn(registration, file, check, complete)
        if not look:
            self.adopt(registration, empty)
        there = Subject.objects.filter(registration=registration, state=SubjectState.MONITORED).count()
        self.stdout.write(f"{plurals.companies(there)} monitored by D&B, as far as known. Nothing was sent.")

    def adopt(self, registration: Registration, is_empty: bool) -> None:
        try:
            count = adopt_as_requested(registration, by=ACTOR, is_empty=is_empty)
        except NothingKnown as error:
            raise CommandError(f"{error} To confirm that, repeat the command with --empty.") from error
        self.stdout.write(f"{registration} is adopted: {plurals.companies(count)} are now requested.")

    def learn(self, registration: Registration, file: Path, check: bool, complete: bool) -> None:
        if not file.is_file():
            raise CommandError(f"The file {file} does not exist.")
        try:
            if check:
                self.ask(registration, file)
            else:
                apply_files(self.stdout, registration, [file], by=ACTOR, is_complete=complete)
        except (UnreadableFile, WrongFile) as error:
            raise CommandError(str(error)) from error

    def ask(self, registration: Registration, file: Path) -> None:
        listing = read_listing(line.decode(errors="replace") for line in read_lines(file))
        numbers = len(listing.numbers)
        self.stdout.write(f"Checking {plurals.numbers(numbers)} at D&B. This takes {duration_text(numbers)}.")
        row = start_check(registration, listing.numbers, by=ACTOR)
        with progress(self.stdout, f"{registration}: …") as shown:
            ended = go_on_checking(row, report=lambda: shown.now(f"{row.position:,} of {row.total:,}"))
        row.refresh_from_db()
        self.stdout.write(f"{row.present:,} of {row.position:,} are at D&B.")
        if not ended:
            raise CommandError(f"{row.error or 'The check was interrupted.'} The worker continues it.")
