"""manage.py replay: fetch again what was pulled since a time. Asking twice does no harm."""

from __future__ import annotations

from datetime import UTC, datetime, time
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils.dateparse import parse_date, parse_datetime

from core.leases import HoldLost
from monitoring.deliveries.gaps import REPLAYED_FOR
from monitoring.deliveries.lease import RegistrationLease
from monitoring.management.commands.pull import Counted
from monitoring.models import Purpose
from monitoring.pull.wait_for_lease import add_wait, lease_after_waiting
from monitoring.replay.passes import RecoveryResult, begin_pass, run_pass
from portfolio.dnb_client import client_for
from portfolio.models import Registration
from portfolio.plain_commands import PlainCommand, one_registration, progress
from portfolio.registrations.discover import read_details


class Command(PlainCommand):
    help = "Fetch notifications again from a time, up to 14 days back. Known notifications are skipped."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("reference", metavar="REFERENCE")
        parser.add_argument(
            "--since", required=True, metavar="TIME", help="time in UTC such as 2026-01-05T08:00, or a date"
        )
        add_wait(parser)

    def handle(self, *, reference: str, since: str, wait: float, **options: Any) -> None:
        registration = one_registration(reference)
        start = moment(since)
        with (
            progress(self.stdout, f"{registration}: calling D&B …") as shown,
            lease_after_waiting(registration, wait, shown) as lease,
        ):
            counted = Counted(registration, shown)
            result = replay(registration, start, lease, counted)
        self.stdout.write(f"{registration}: {counted}.")
        if not result.ended:
            raise CommandError(f"{result.reason} The worker or the next pull continues the replay.")


def replay(registration: Registration, start: datetime, lease: RegistrationLease, counted: Counted) -> RecoveryResult:
    client = client_for(registration.contract)
    read_details(registration, client)
    registration.refresh_from_db()
    check_reach(registration, start)
    running = begin_pass(registration, Purpose.REQUESTED, start)
    try:
        return run_pass(running, lease, client, keep=counted.keep)
    except HoldLost:
        return RecoveryResult(ended=False, reason="Another process is now pulling the registration.")


def moment(text: str) -> datetime:
    """A time, or a day's beginning; in UTC where it names no zone."""
    try:
        found = parse_datetime(text)
        day = None if found else parse_date(text)
    except ValueError as error:
        raise CommandError(f"“{text}” is not a valid time: {error}.") from error
    if day:
        found = datetime.combine(day, time())
    if found is None:
        raise CommandError(
            f"“{text}” is not a time. Enter a time such as 2026-01-05T08:00 (UTC) or 2026-01-05T08:00+01:00."
        )
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def check_reach(registration: Registration, start: datetime) -> None:
    """Refused before it begins: a pass that cannot reach its beginning would leave the mark of a gap."""
    now = registration.dnb_time
    if now is None:
        raise CommandError("D&B's responses contain no time, so a replay has no end. Contact D&B.")
    if start < now - REPLAYED_FOR:
        raise CommandError(f"D&B replays the last 14 days. Enter a time after {now - REPLAYED_FOR:%Y-%m-%d %H:%M} UTC.")
    if start >= now:
        raise CommandError(f"The time is in the future. Enter a time before {now:%Y-%m-%d %H:%M:%S} UTC (D&B time).")
