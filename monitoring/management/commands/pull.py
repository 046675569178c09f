"""manage.py pull: what the job does when a registration is due, now and in the foreground."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.core.management.base import CommandError, CommandParser

from core.text import plural
from direct_plus.errors import DirectPlusError
from monitoring import jobs
from monitoring.models import Delivery
from monitoring.pull.puller import Outcome, PullResult, pull
from monitoring.pull.wait_for_lease import add_wait, keep_trying
from monitoring.replay.passes import calls_in_doubt, recovery_is_due
from portfolio.dnb_client import NotConfigured
from portfolio.models import Registration, RegistrationState
from portfolio.plain_commands import PlainCommand, Progress, progress, registrations_named


class Command(PlainCommand):
    help = (
        "Pull registrations until D&B's queue is empty, and recover calls in doubt where possible. Exits with 1 if "
        "anything failed or remains in doubt. Without names, pulls every active registration. A named registration "
        "is pulled even when paused."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("references", nargs="*", metavar="REFERENCE")
        add_wait(parser)

    def handle(self, *, references: list[str], wait: float, **options: Any) -> None:
        registrations = registrations_named(references) if references else active()
        if not registrations:
            self.stdout.write(nothing_to_pull())
        troubles: list[str] = []
        for registration in registrations:
            with progress(self.stdout, f"{registration}: pulling …") as shown:
                troubles += pull_one(registration, wait, shown)
        # No worker may be running.
        jobs.process_published(jobs.A_DAY)
        if troubles:
            raise CommandError("\n".join(troubles))


def active() -> list[Registration]:
    rows = Registration.objects.select_related("contract").filter(state=RegistrationState.ACTIVE)
    return list(rows.order_by("next_pull_at", "reference"))


def nothing_to_pull() -> str:
    if not Registration.objects.exists():
        return (
            "There are no registrations yet. Run “.venv/bin/python manage.py sync_registrations --start” to load them "
            "and start pulling."
        )
    return "No registration is active. Start one on its page, or name one to pull it once."


def pull_one(registration: Registration, wait: float, shown: Progress) -> list[str]:
    """Pull and say what came; returns what went wrong."""
    counted = Counted(registration, shown)
    result = PullResult()

    def attempt() -> bool:
        nonlocal result
        result = pull(registration, keep=counted.keep)
        return result.outcome != Outcome.BUSY

    try:
        keep_trying(attempt, registration, wait, shown)
    except (DirectPlusError, NotConfigured) as error:
        return [f"{registration}: {error}"]
    shown.line(f"{registration}: {counted}, {result.outcome}.")
    return [*troubles_of(registration, result), *counted.troubles()]


class Counted:
    """Reads each stored answer, as the job does, and counts."""

    def __init__(self, registration: Registration, shown: Progress) -> None:
        self.registration = registration
        self.shown = shown
        self.deliveries = self.notifications = self.new = self.unread = 0

    def __str__(self) -> str:
        came = f"{plural(self.notifications, 'notification')} in {plural(self.deliveries, 'response')}"
        return f"{came}, {self.new:,} new"

    def keep(self, delivery: Delivery) -> None:
        jobs.ingest_now(delivery)
        delivery.refresh_from_db(fields=["new_count", "notification_count", "error"])
        self.deliveries += 1
        self.notifications += delivery.notification_count or 0
        self.new += delivery.new_count or 0
        self.unread += bool(delivery.error)
        self.shown.now(f"{self.registration}: {self}")

    def troubles(self) -> Iterator[str]:
        if self.unread:
            unread = plural(self.unread, "stored response")
            reason = "Run “.venv/bin/python manage.py ingest” for the reason."
            yield f"{self.registration}: {unread} could not be processed. {reason}"


def troubles_of(registration: Registration, result: PullResult) -> Iterator[str]:
    registration.refresh_from_db()
    if result.outcome == Outcome.BUSY:
        yield f"{registration}: another process is pulling it. Try again later."
    elif result.outcome != Outcome.DRAINED:
        yield f"{registration}: {result.outcome}. {result.reason} {when_again(registration)}".strip()
    calls = calls_in_doubt(registration)
    if calls:
        yield f"{registration}: {in_doubt(registration, calls)}"
    elif recovery_is_due(registration):
        yield f"{registration}: a replay is not complete. It continues automatically, or with the next pull."
    if registration.ingest_stopped_reason:
        yield f"{registration}: {registration.ingest_stopped_reason}"


def when_again(registration: Registration) -> str:
    if registration.state == RegistrationState.STOPPED:
        return "Pulling is stopped until D&B allows it again. This is checked every hour."
    if registration.state == RegistrationState.PAUSED or registration.next_pull_at is None:
        return "The registration is paused, so there is no automatic retry. Start it to resume."
    return f"The next attempt is at {clock(registration.next_pull_at)}."


def in_doubt(registration: Registration, calls: list[Delivery]) -> str:
    latest = max(doubt.ended_at for doubt in calls if doubt.ended_at)
    words = "1 call is" if len(calls) == 1 else f"{len(calls)} calls are"
    return (
        f"{words} in doubt: D&B may have removed notifications from its queue that never arrived. A replay recovers "
        f"them after {clock(latest + registration.contract.recovery_delay)}: the worker runs it automatically, or run "
        "this command again after that time."
    )


def clock(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"
