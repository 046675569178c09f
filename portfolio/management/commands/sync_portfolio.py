"""manage.py sync_portfolio: send what is requested and not at D&B, and the other way round."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser

from portfolio.jobs import run_text
from portfolio.models import Registration, SyncState
from portfolio.plain_commands import PlainCommand, progress, registrations_named
from portfolio.sync.run import CannotSend, planned_calls, sync, why_not_to_send

ACTOR = "manage.py sync_portfolio"


class Command(PlainCommand):
    help = "Send pending additions and removals to D&B, for all adopted registrations or the ones named."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("references", nargs="*", metavar="REFERENCE")
        parser.add_argument("--dry-run", action="store_true", help="print the calls without making them")

    def handle(self, *, references: list[str], dry_run: bool, **options: Any) -> None:
        adopted = Registration.objects.select_related("contract").filter(adopted=True).order_by("contract", "reference")
        rows = registrations_named(references) if references else list(adopted)
        if not rows:
            raise CommandError(
                "No registration is adopted yet. Run “.venv/bin/python manage.py adopt REFERENCE” to adopt D&B's list."
            )
        troubles = [trouble for row in rows if (trouble := self.plan(row) if dry_run else self.sync(row))]
        if troubles:
            raise CommandError("\n".join(troubles))

    def plan(self, registration: Registration) -> str:
        if reason := why_not_to_send(registration):
            return reason
        calls = 0
        for call in planned_calls(registration):
            self.stdout.write(call)
            calls += 1
        self.stdout.write(f"{registration}: {calls:,} call{'' if calls == 1 else 's'}, none made")
        return ""

    def sync(self, registration: Registration) -> str:
        with progress(self.stdout, f"{registration}: …") as shown:
            try:
                run = sync(registration, requested_by=ACTOR, everything=True, report=shown.now)
            except CannotSend as error:
                return str(error)
            shown.line(f"{registration}: {run_text(run)}")
        return run.error if run and run.state == SyncState.FAILED else ""
