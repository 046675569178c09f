"""manage.py import_subjects: a file of D-U-N-S numbers, validated row by row, requested once confirmed."""

from __future__ import annotations

from argparse import BooleanOptionalAction
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from core import plurals
from core.actors import Actor, actor_at_the_shell
from portfolio.imports.columns import BadFile
from portfolio.imports.confirm import confirm_import, is_undecided, make_plan
from portfolio.imports.resume import work_on
from portfolio.imports.states import Refused, counts_of, sheets_of
from portfolio.imports.upload import create_import, decide_zeros, validate_without_storing
from portfolio.imports.validate import NAMING, UNUSABLE, ValidatedRow, validated_rows
from portfolio.models import ImportMode, ImportState, Registration, SubjectImport, Validation
from portfolio.plain_commands import PlainCommand, one_registration
from portfolio.registrations.adopt import is_number_known

SHOWN = 10
BAD = (*UNUSABLE, Validation.DECISION)


class Command(PlainCommand):
    help = (
        "Check a file of D-U-N-S numbers (CSV, XLSX or text) and print the result. With --confirm, the import is "
        "applied. Exits with 1 if the file cannot be read or the confirmed number does not match."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE")
        parser.add_argument("--registration", required=True, metavar="REFERENCE")
        parser.add_argument("--mode", choices=ImportMode.values, default=ImportMode.ADD.value)
        parser.add_argument(
            "--sheet",
            default="",
            metavar="NAME",
            help="sheet of a workbook; default: the first one with D-U-N-S numbers",
        )
        parser.add_argument("--dry-run", action="store_true", help="check only; store nothing")
        parser.add_argument(
            "--confirm",
            type=int,
            metavar="N",
            help="number of new billable companies; with --mode remove: number of companies to remove",
        )
        parser.add_argument(
            "--removals", type=int, metavar="N", help="with --mode equal: number of companies to remove"
        )
        parser.add_argument(
            "--pad-zeros",
            action=BooleanOptionalAction,
            help="add a leading zero to numbers with eight digits, or skip those rows",
        )

    def handle(self, *, file: Path, registration: str, mode: str, dry_run: bool, **options: Any) -> None:
        row = one_registration(registration)
        content = content_of(file)
        try:
            if dry_run:
                self.validate_only(row, content, mode, options["pad_zeros"], options["sheet"])
            else:
                self.do_import(row, content, file.name, mode, **options)
        except (BadFile, Refused) as error:
            raise CommandError(str(error)) from error

    def validate_only(
        self, registration: Registration, content: bytes, mode: str, pad: bool | None, sheet: str
    ) -> None:
        import_ = SubjectImport(
            registration=registration, mode=mode, pad_zeros=pad, sheet=sheet, created_at=timezone.now()
        )
        counts: Counter[str] = Counter()
        bad: list[ValidatedRow] = []
        numbers: list[str] = []
        for rows in validate_without_storing(import_, content):
            counts.update(row.validation for row in rows)
            bad += [row for row in rows if row.validation in BAD][: SHOWN - len(bad)]
            numbers += [row.duns for row in rows if row.validation in NAMING]
        plan = make_plan(import_, numbers)
        self.show_sheets(import_)
        self.show(counts, bad)
        self.stdout.write(sentence(import_, plan.new_billable, len(plan.remove)))
        self.stdout.write("Nothing was stored or changed.")

    def do_import(
        self,
        registration: Registration,
        content: bytes,
        name: str,
        mode: str,
        *,
        confirm: int | None,
        removals: int | None,
        pad_zeros: bool | None,
        sheet: str,
        **options: Any,
    ) -> None:
        who = actor_at_the_shell()
        import_ = create_import(
            registration=registration,
            content=content,
            file_name=name,
            mode=mode,
            source="command",
            requested_by=who,
            sheet=sheet,
        )
        self.read(import_, pad_zeros, who)
        if confirm is None:
            self.stdout.write(
                f"Import {import_.pk} awaits confirmation. Confirm it on its page, or run the command again with "
                "--confirm."
            )
            return
        confirm_import(import_=import_, number=confirm, removals=removals, confirmed_by=who, may_confirm=True)
        work_on(import_)
        self.print_result(import_)

    def read(self, import_: SubjectImport, pad: bool | None, who: Actor) -> None:
        work_on(import_)
        if import_.state == ImportState.FAILED:
            raise BadFile(import_.error)
        if pad is not None and is_undecided(import_):
            decide_zeros(import_=import_, pad=pad, decided_by=who)
            work_on(import_)
        self.show_sheets(import_)
        self.show(counts_of(import_), islice(bad_rows(import_), SHOWN))
        self.stdout.write(sentence(import_, import_.new_billable or 0, import_.removals or 0))
        if is_undecided(import_):
            self.stdout.write("Some rows have only eight digits. Choose --pad-zeros or --no-pad-zeros.")

    def show_sheets(self, import_: SubjectImport) -> None:
        """What is read of a workbook of several sheets, and what is not."""
        sheets = sheets_of(import_)
        for sheet in sheets if len(sheets) > 1 else []:
            hint = "" if sheet.has_numbers else ", no D-U-N-S numbers"
            word = "Used" if sheet.is_read else "NOT used"
            self.stdout.write(f"{word}: sheet “{sheet.name}” ({plurals.rows(sheet.rows)}{hint})")

    def show(self, counts: dict[str, int], bad: Iterable[ValidatedRow]) -> None:
        for validation in Validation:
            if counts.get(validation):
                self.stdout.write(f"{counts[validation]:>9,}  {validation.label}")
        for row in bad:
            self.stdout.write(f"  line {row.line:,}: {row.reason}")

    def print_result(self, import_: SubjectImport) -> None:
        if import_.state == ImportState.AWAITING_APPROVAL:
            self.stdout.write("Import submitted. No changes will be made until another user approves it on its page.")
        else:
            self.stdout.write(
                "Done. The worker sends the changes to D&B with the next sync, or run .venv/bin/python "
                "manage.py sync_portfolio."
            )


def content_of(file: Path) -> bytes:
    limit = settings.IMPORT_LIMIT_MB
    try:
        if file.stat().st_size > limit * 1_000_000:
            raise CommandError(f"{file} is larger than {limit} MB (IMPORT_LIMIT_MB). Split it into several files.")
        return file.read_bytes()
    except OSError as error:
        raise CommandError(f"{file} could not be opened: {error.strerror}.") from error


def bad_rows(import_: SubjectImport) -> Iterator[ValidatedRow]:
    return (row for row in validated_rows(import_) if row.validation in BAD)


def sentence(import_: SubjectImport, added: int, removed: int) -> str:
    up_to = "" if is_number_known(import_.registration.contract) else "up to "
    adds = f"adds {up_to}{plurals.new_billable_companies(added)}"
    removes = f"removes {plurals.companies(removed)}"
    told = {ImportMode.ADD.value: adds, ImportMode.REMOVE.value: removes}.get(import_.mode, f"{adds} and {removes}")
    return f"This import {told}."
