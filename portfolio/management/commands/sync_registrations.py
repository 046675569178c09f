"""manage.py sync_registrations: which registrations D&B has; it changes nothing there."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser

from direct_plus.errors import DirectPlusError
from portfolio.dnb_client import NotConfigured
from portfolio.models import Cadence, Contract, Registration, RegistrationState
from portfolio.plain_commands import PlainCommand, Progress, progress
from portfolio.registrations.discover import Discovery, all_contracts, discover_registrations, start_pulling


class Command(PlainCommand):
    help = "List the registrations at D&B. New ones are added as paused; --start begins pulling."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--start", action="store_true", help="start pulling the registrations found")
        parser.add_argument(
            "--every", type=int, metavar="MINUTES", help="with --start: minutes between two pulls (default 5)"
        )

    def handle(self, *, start: bool, every: int | None, **options: Any) -> None:
        if every is not None and not (start and 1 <= every <= 48 * 60):
            raise CommandError("--every needs --start and a number of minutes from 1 to 2880.")
        troubles: list[str] = []
        for contract in all_contracts():
            with progress(self.stdout, f"{contract}: asking D&B …") as shown:
                troubles += self.sync(contract, shown, start=start, every=every)
        if troubles:
            raise CommandError("\n".join(troubles))

    def sync(self, contract: Contract, shown: Progress, *, start: bool, every: int | None) -> list[str]:
        try:
            found = discover_registrations(contract, report=lambda reference: shown.now(f"{contract}: {reference} …"))
        except (DirectPlusError, NotConfigured) as error:
            return [f"{contract}: {error}"]
        shown.line(summary(contract, found))
        for reference in found.seen:
            shown.line(f"  {self.one(contract, reference, reference in found.new, start, every)}")
        return [f"{reference}: the details could not be loaded: {error}" for reference, error in found.failed.items()]

    def one(self, contract: Contract, reference: str, is_new: bool, start: bool, every: int | None) -> str:
        registration = Registration.objects.get(pk=Registration.key(contract.name, reference))
        if start:
            start_at(registration, every)
        words = [registration.get_state_display().lower(), *(["new"] if is_new else [])]
        return f"{reference} ({', '.join(words)})"


def summary(contract: Contract, found: Discovery) -> str:
    count = len(found.seen)
    return f"{contract}: {count} registration{'' if count == 1 else 's'}, {len(found.new)} new"


def start_at(registration: Registration, every: int | None) -> None:
    """Start what stands still; what is pulled already keeps its next time."""
    if every is not None:
        Registration.objects.filter(pk=registration.pk).update(cadence=Cadence.MINUTES, cadence_every=every)
    if registration.state != RegistrationState.ACTIVE:
        start_pulling(registration)
    registration.refresh_from_db()
