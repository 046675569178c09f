"""manage.py reconcile: where D&B's list and what is requested differ. Changes nothing at D&B."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db.models import QuerySet

from core import plurals
from direct_plus.delivered_files import UnreadableFile
from portfolio.models import Registration, Subject
from portfolio.plain_commands import PlainCommand, apply_files, one_registration
from portfolio.reconciliation import reconcile
from portfolio.registrations.dnb_list_files import WrongFile

ACTOR = "manage.py reconcile"
SHOWN = 20


class Command(PlainCommand):
    help = (
        "Show the differences between D&B's list of a registration and the requested companies. FILE is a "
        "DunsExport file from D&B."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("reference", metavar="REFERENCE")
        parser.add_argument("files", nargs="*", type=Path, metavar="FILE", help="all parts of one export")
        parser.add_argument(
            "--complete",
            action="store_true",
            help="the files have all companies of the registration: mark others as no longer in it; default: only add",
        )

    def handle(self, *, reference: str, files: list[Path], complete: bool, **options: Any) -> None:
        registration = one_registration(reference)
        if files:
            self.apply(registration, files, complete)
        found = reconcile.drift(registration)
        self.stdout.write(f"{registration}: {found}.")
        self.show("Requested but not at D&B", reconcile.missing(registration))
        self.show("Refused by D&B", reconcile.refused(registration))
        self.show("At D&B but not requested", reconcile.extra(registration))
        if found.unsent or found.pending:
            self.stdout.write(
                f"In progress: {found.unsent:,} to be sent, {found.pending:,} sent and awaiting confirmation by D&B."
            )
        if found.held_back:
            self.stdout.write(f"{plurals.changes(found.held_back)} held back because the sync was cancelled.")

    def apply(self, registration: Registration, files: list[Path], complete: bool) -> None:
        try:
            apply_files(self.stdout, registration, files, by=ACTOR, is_complete=complete)
        except (UnreadableFile, WrongFile, OSError) as error:
            raise CommandError(str(error)) from error

    def show(self, title: str, rows: QuerySet[Subject]) -> None:
        numbers = list(rows.order_by("company").values_list("company_id", flat=True)[: SHOWN + 1])
        if numbers:
            self.stdout.write(f"{title}: {', '.join(numbers[:SHOWN])}{' …' if len(numbers) > SHOWN else ''}")
