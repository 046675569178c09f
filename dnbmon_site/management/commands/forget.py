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
    help = "Remove companies, or a registration, everywhere. Without --yes only says what would be removed."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("duns", nargs="*", metavar="DUNS", help="companies by their D-U-N-S numbers")
        parser.add_argument("--registration", metavar="REFERENCE", help="a registration instead, with all it brought")
        parser.add_argument("--now", action="store_true", help="although D&B may still bring it back by replay")
        parser.add_argument("--yes", action="store_true", help="really remove; it cannot be undone")

    def handle(self, *, duns: list[str], registration: str | None, now: bool, yes: bool, **options: Any) -> None:
        if bool(duns) == bool(registration):
            raise CommandError("Name companies, or a registration by --registration REFERENCE.")
        try:
            if registration:
                self._registration(registration, yes)
            for number in duns:
                self._company(number, now, yes)
        except (CannotForget, InvalidDuns) as error:
            raise CommandError(str(error)) from error
        if not yes:
            self.stdout.write("Nothing was removed. With --yes it is; there is no way back but a backup.")

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
