"""How long changes took to the screen: counts by UTC day, recomputed for the days touched, and percentiles of them.

What nobody is shown at once is left out: noise, and the baselines of companies that were added.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from typing import Any

from django.db.models import Sum
from django.utils.translation import gettext

from core.db import in_batches
from core.text import days_and_hours
from monitoring.models import Change, Entry, Kind, LatencyHistogram, Measure, Publication, Severity
from monitoring.publications.consumers import PublicationConsumer
from monitoring.stats.daily_counts import PUBLICATIONS, replace_day

CONSUMER = PublicationConsumer("daily delays")
DELAY_KEYS = uuid.UUID("2c1b5f3a-97d4-5e7b-8a63-6d0f9c51e8b4")
DIGITS = 2


def roll_up_delays(until: datetime | None = None) -> int:
    """Recompute the days of publications not counted yet, each once; returns how many days that were."""
    days: set[date] = set()
    with CONSUMER.reading(PUBLICATIONS, until) as groups:
        for publications in groups:
            days |= {_day(publication.published_at) for publication in publications}
        for day in sorted(days):
            recount_delays(day)
    return len(days)


def _day(moment: datetime) -> date:
    return moment.astimezone(UTC).date()


def days_published(deliveries: Iterable[uuid.UUID]) -> set[date]:
    """The UTC days on which these deliveries came on screen."""
    days: set[date] = set()
    for batch in in_batches(list(deliveries)):
        days |= set(map(_day, Publication.objects.filter(delivery__in=batch).values_list("published_at", flat=True)))
    return days


def forget_delays() -> None:
    """History was made anew: the next roll-ups count every day again."""
    CONSUMER.rewind(0)


def recount_delays(day: date) -> None:
    """Make the rows of one day what its publications say."""
    replace_day(LatencyHistogram, day, {row.pk: row for row in _rows(day, _counts(day))})


def _rows(day: date, counts: Counter[Any]) -> Iterator[LatencyHistogram]:
    for (registration, measure, seconds), count in counts.items():
        key = uuid.uuid5(DELAY_KEYS, f"{day}|{registration}|{measure}|{seconds}")
        yield LatencyHistogram(
            id=key, day=day, registration_id=registration, measure=measure, seconds=seconds, count=count
        )


def _counts(day: date) -> Counter[Any]:
    counts: Counter[Any] = Counter()
    for published_at, registration, changed_at, delivered_at in shown_on(day):
        counts[registration, Measure.RECORDED, cut(published_at - changed_at)] += 1
        if delivered_at:
            counts[registration, Measure.HANDED, cut(published_at - delivered_at)] += 1
    return counts


def shown_on(day: date) -> Iterator[tuple[datetime, uuid.UUID, datetime, datetime | None]]:
    """When it was published, registration, D&B's time of the change and of handing it over: of each change."""
    start = datetime.combine(day, time(), UTC)
    published = Publication.objects.filter(published_at__gte=start, published_at__lt=start + timedelta(days=1))
    rows = published.order_by().values_list("delivery_id", "published_at").iterator(chunk_size=2_000)
    while moments := dict(islice(rows, PUBLICATIONS)):
        # What was published as a change came on screen, whatever became of it later.
        changes = Change.objects.filter(delivery__in=list(moments), entry=Entry.CHANGE, severity__gt=Severity.NOISE)
        shown = changes.exclude(kind=Kind.BASELINE).values_list(
            "delivery_id", "registration_id", "changed_at", "delivered_at"
        )
        for delivery, registration, changed_at, delivered_at in shown.iterator(chunk_size=2_000):
            yield moments[delivery], registration, changed_at, delivered_at


def cut(delay: timedelta) -> int:
    """Whole seconds, of which the first two digits count; never negative, as clocks differ."""
    seconds = max(int(delay.total_seconds()), 0)
    size = int(10 ** max(len(str(seconds)) - DIGITS, 0))
    return seconds // size * size


# Percentiles


def delays_between(start: date, end: date, registrations: Sequence[uuid.UUID]) -> dict[str, list[tuple[int, int]]]:
    """For each measure the seconds and how often, over the days from `start` to before `end`."""
    rows = LatencyHistogram.objects.filter(day__gte=start, day__lt=end, registration__in=registrations).order_by()
    found: dict[str, list[tuple[int, int]]] = {measure: [] for measure in Measure.values}
    for measure, seconds, total in rows.values_list("measure", "seconds").annotate(total=Sum("count")):
        found[measure].append((seconds, total))
    return found


def percentile(counts: Iterable[tuple[int, int]], percent: int) -> int | None:
    """The smallest value that so many percent do not exceed (nearest rank); None where there is nothing."""
    ordered = sorted(counts)
    rank = -(-sum(count for _, count in ordered) * percent // 100)
    for seconds, count in ordered:
        rank -= count
        if rank <= 0:
            return seconds
    return None


def delay_text(seconds: int | None) -> str:
    """ "less than 1 s", "37 s", "12 min", "3 h 10 min", "2 d 4 h"."""
    if seconds is None:
        return "–"
    if seconds == 0:
        return gettext("less than 1 s")
    return gettext("%(count)s s") % {"count": seconds} if seconds < 60 else days_and_hours(timedelta(seconds=seconds))
