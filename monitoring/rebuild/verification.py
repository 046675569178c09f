"""Once a night: whether what is stored agrees with itself. What does not is corrected, and people look for the cause.

Rows that came into a delivery after its publication have been seen by no reader of the feed: they get a number of their
own. A company's columns are what its history says: a few thousand companies a night, those of the last night behind.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Max
from django.utils import timezone
from django.utils.translation import gettext

from core.audit import note_act
from core.bulk import update_version
from core.db import database_now, in_batches
from monitoring.figures.consumer import CONSUMER
from monitoring.figures.projection import project as project_figures
from monitoring.history.company_projection import columns_from
from monitoring.history.state import Event, events_of
from monitoring.history.summary import SUMMARY, folded
from monitoring.models import Change, ConsumerOffset, Delivery, DeliveryState, Notification, Observation, Publication
from monitoring.pipeline.apart import correct_entries, publish_surplus
from portfolio.companies.word_index import verify_words
from portfolio.models import Company

RECENT = timedelta(days=2)
AT_ONCE = 200
MOST_COMPANIES = 20_000
# How far companies were verified: the number of the last, 0 before the first.
POSITION = "verified companies"
# Of entries in the audit log, by which the check of health finds them.
ACTION = "verify"


@dataclass(slots=True)
class Verified:
    publications: int = 0
    late_entries: int = 0
    companies: int = 0
    corrected: int = 0

    def __str__(self) -> str:
        return (
            f"{self.publications:,} publications verified, {self.late_entries:,} entries published again; "
            f"{self.companies:,} companies verified, {self.corrected:,} corrected"
        )


def verify(until: datetime) -> Verified:
    found = Verified()
    verify_publications(found, until)
    verify_companies(found, until)
    if found.late_entries or found.corrected:
        summary = gettext("Stored data corrected: %(entries)s entries published again, %(companies)s companies updated")
        summary %= {"entries": found.late_entries, "companies": found.corrected}
        note_act(actor="verification", action=ACTION, what="data", key="", summary=summary)
    return found


# Entries of the feed


def verify_publications(found: Verified, until: datetime) -> None:
    """Those of the last two days, each against what is in its delivery."""
    recent = Publication.objects.filter(published_at__gte=timezone.now() - RECENT).order_by("sequence")
    for batch in in_batches(list(recent.values_list("delivery_id", "entry_count")), AT_ONCE):
        if timezone.now() >= until:
            return
        stored = _entries([delivery for delivery, _ in batch])
        for delivery, count in batch:
            found.publications += 1
            if stored.get(delivery, 0) > count:
                found.late_entries += publish_surplus(Delivery.objects.get(pk=delivery))
        deliveries = Delivery.objects.filter(pk__in=[delivery for delivery, _ in batch])
        found.late_entries += correct_entries(list(deliveries.order_by("pk")))


def _entries(deliveries: Sequence[Any]) -> dict[Any, int]:
    counts: dict[Any, int] = {}
    for model in (Change, Observation):
        rows = model._default_manager.filter(delivery__in=deliveries).order_by().values_list("delivery_id")
        for delivery, count in rows.annotate(count=Count("id")):
            counts[delivery] = counts.get(delivery, 0) + count
    return counts


# Columns of companies


def verify_companies(found: Verified, until: datetime) -> None:
    """From where the last night ended; from the first again behind the last."""
    offset, _ = ConsumerOffset.objects.get_or_create(consumer=POSITION)
    last = f"{offset.position:09}" if offset.position else ""
    while found.companies < MOST_COMPANIES and timezone.now() < until:
        rows = list(Company.objects.filter(pk__gt=last).order_by("pk")[:AT_ONCE])
        found.companies += len(rows)
        found.corrected += _correct(rows) + _correct_figures(rows)
        verify_words([row.pk for row in rows])
        last = rows[-1].pk if rows else ""
        if not rows:
            break
    ConsumerOffset.objects.filter(pk=POSITION, position=offset.position).update(position=int(last or 0))


def _correct(rows: Sequence[Company]) -> int:
    events = events_of([row.pk for row in rows], paths=SUMMARY)
    different = [(row, values) for row in rows if (values := _different(row, events.get(row.pk, [])))]
    if not different or _somebody_reads():
        return 0
    # Whoever reads a delivery writes the company last, and then its version is another.
    return sum(update_version(row, values) for row, values in different if not _has_unread(row))


def _correct_figures(rows: Sequence[Company]) -> int:
    """Where the consumer has read all, and so nothing may be different."""
    newest = Publication.objects.aggregate(last=Max("sequence"))["last"] or 0
    if CONSUMER.is_behind(newest) or _somebody_reads():
        return 0
    return len(project_figures([row.pk for row in rows]))


def _different(row: Company, events: Sequence[Event]) -> Mapping[str, Any]:
    """Nothing for one of which no history tells what the columns show: a list may have named it."""
    projection = folded(events)
    if projection is None:
        return {}
    different = {name: value for name, value in columns_from(projection).items() if getattr(row, name) != value}
    # A row of an earlier version has no projection yet, which is no error.
    return different if row.projection or different.keys() - {"projection"} else {}


def _somebody_reads() -> bool:
    """Then rows may be there which the columns do not show yet."""
    return Delivery.objects.filter(state=DeliveryState.RECEIVED, claimed_until__gte=database_now()).exists()


def _has_unread(row: Company) -> bool:
    """Left by a reading that was interrupted; the next one brings the columns up to date."""
    unread = list(Delivery.objects.filter(state=DeliveryState.RECEIVED).values_list("pk", flat=True)[:1000])
    return any(
        model._default_manager.filter(company=row.pk, delivery__in=unread).exists() for model in (Change, Notification)
    )
