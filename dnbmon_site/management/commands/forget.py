"""manage.py forget: remove companies or a registration everywhere; shows what would go until --yes is given."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser

from direct_plus.duns import InvalidDuns, normalise_duns
from dnbmon_site.operations.erase import company
from dnbmon_site.operations.erase import registration as erase_registration
from dnbmon_site.operations.erase.company import CannotForget
from portfolio.plain_commands import PlainCommand


class Command(PlainCommand):
    help = "Erase companies or a registration with all their data. Without --yes, only show what would be erased."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("duns", nargs="*", metavar="DUNS", help="D-U-N-S numbers of the companies")
        parser.add_argument("--registration", metavar="REFERENCE", help="a registration and all its data")
        parser.add_argument("--now", action="store_true", help="erase even if D&B can still replay the data")
        parser.add_argument("--yes", action="store_true", help="erase; this cannot be undone")

    def handle(self, *, duns: list[str], registration: str | None, now: bool, yes: bool, **options: Any) -> None:
        if bool(duns) == bool(registration):
            raise CommandError("Name D-U-N-S numbers, or a registration with --registration REFERENCE.")
        try:
            if registration:
                self._registration(registration, yes)
            for number in duns:
                self._company(number, now, yes)
        except (CannotForget, InvalidDuns) as error:
            raise CommandError(str(error)) from error
        if not yes:
            self.stdout.write("Nothing was erased. Add --yes to erase; only a backup can bring the data back.")

    def _registration(self, reference: str, yes: bool) -> None:
        row = erase_registration.named(reference)
        erase_registration.refuse(row)
        removal = erase_registration.forget(row, by="command") if yes else erase_registration.plan(row)
        self.stdout.write(f"{reference}: {removal}.")

    def _company(self, text: str, now: bool, yes: bool) -> None:
        number = normalise_duns(text)
        company.refuse(number, now=now)
        removal = company.forget(number, by="command", now=now) if yes else company.plan(number)
        self.stdout.write(f"{number}: {removal}.")
