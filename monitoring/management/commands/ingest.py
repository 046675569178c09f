"""manage.py ingest: read what is stored and not read yet; or read everything again."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser

from monitoring import jobs
from monitoring.models import Delivery, DeliveryState
from monitoring.pipeline.apart import publish_left_behind
from monitoring.pipeline.ingest import waiting_deliveries
from monitoring.rebuild.rebuild import Rebuilt, rebuild
from monitoring.retention.retention import what_remains
from monitoring.stats.daily_counts import roll_up
from monitoring.stats.latency import roll_up_delays
from portfolio.models import Contract, Registration
from portfolio.plain_commands import PlainCommand, Progress, progress


class Command(PlainCommand):
    help = "Process received deliveries and publish their changes."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--rebuild",
            action="store_true",
            help="process all stored deliveries again, then remove data that no longer results from them",
        )

    def handle(self, *, rebuild: bool, **options: Any) -> None:
        with progress(self.stdout, "Processing …") as shown:
            read_waiting(shown)
            if rebuild:
                read_all_again(shown)
        troubles = [*unread(), *stopped()]
        if troubles:
            raise CommandError("\n".join(troubles))


def read_waiting(shown: Progress) -> None:
    keys = waiting_deliveries()
    for done, key in enumerate(keys, 1):
        jobs.ingest_now(Delivery.objects.select_related("registration").get(pk=key))
        shown.now(f"{done:,} of {len(keys):,} deliveries processed")
    published = publish_left_behind()
    jobs.process_published(jobs.A_DAY)
    roll_up()
    roll_up_delays()
    shown.line(f"{len(keys):,} deliveries processed, {published:,} more published.")


def read_all_again(shown: Progress) -> None:
    result = rebuild(report=shown.now)
    shown.line(summary(result))
    shown.line(story(result))
    for contract in Contract.objects.order_by("name"):
        for words in what_remains(contract):
            shown.line(words)
    if result.unreadable:
        raise CommandError(f"{result.unreadable:,} deliveries could not be processed again. Their data is unchanged.")


def summary(result: Rebuilt) -> str:
    return (
        f"{result.deliveries:,} deliveries processed again: {result.added:,} rows added, {result.mended:,} corrected, "
        f"{result.removed:,} removed; {result.companies:,} companies, {result.days:,} days and "
        f"{result.alerts:,} alerts updated; figures of {result.figures:,} companies corrected."
    )


def story(result: Rebuilt) -> str:
    """What people see differently: the changes that hold, and who reported them."""
    return (
        f"Changes of {result.story_companies:,} companies differ: {result.replaced:,} replaced by one that reports "
        f"the same fact, {result.withdrawn:,} withdrawn, {result.reinstated:,} reinstated. {result.observed:,} reports "
        "by other registrations added."
    )


def unread() -> list[str]:
    """What could not be read just now, with the reason that the attempt left."""
    rows = Delivery.objects.filter(pk__in=waiting_deliveries()[:100]).exclude(error="")
    return [f"{row} could not be processed: {row.error}" for row in rows]


def stopped() -> list[str]:
    rows = Registration.objects.exclude(ingest_stopped_reason="").order_by("reference")
    waiting = Delivery.objects.filter(state=DeliveryState.RECEIVED)
    return [f"{row}: {row.ingest_stopped_reason}" for row in rows if waiting.filter(registration=row).exists()]
