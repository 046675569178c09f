"""Daily counts for front page and reports: recomputed for the days that a publication touches.

A change counts once, in the registration that reported it first: sums over registrations double nothing. Beside that
stands how many changes each registration reported, first or not: what is shown for one registration. Changes that
several reported are counted by all of them: so a business unit counts each of its changes once, too.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.db.models import Count, Q

from core.admin.filters import key_at
from core.bulk import has_sql, select_values
from core.db import in_batches, insert_new
from monitoring.history.state import SNAPSHOT
from monitoring.models import Change, DailyStat, DailyTotal, Notification, Severity
from monitoring.publications.consumers import PublicationConsumer
from monitoring.scores.score_changes import recount_moves
from monitoring.stats.day_totals import of_all, totals_of
from monitoring.stats.further_reports import OF_NO_TIME, further_reports, moments_of
from portfolio.models import Company

CONSUMER = PublicationConsumer("daily counts")
COUNT_KEYS = uuid.UUID("c0a8f1de-9d4f-5b0e-8f53-7c1f6f7f2d10")
PUBLICATIONS = 500
COUNTS = ("count", "reports")


def roll_up(until: datetime | None = None) -> int:
    """Recompute the days touched by publications not counted yet, each once, as a day takes long after a large file;
    returns how many days were."""
    days: set[date] = set()
    with CONSUMER.reading(PUBLICATIONS, until) as groups:
        for publications in groups:
            days |= days_touched([publication.delivery_id for publication in publications])
        for day in sorted(days):
            recount(day)
    return len(days)


def days_touched(deliveries: Iterable[uuid.UUID]) -> set[date]:
    """The UTC days on which what these deliveries brought happened or was delivered."""
    days: set[date] = set()
    for batch in in_batches(list(deliveries)):
        moments: set[datetime | None] = {*moments_of(batch)}
        for model, column in ((Change, "changed_at"), (Notification, "delivered_at")):
            moments.update(moment for (moment,) in select_values(model, (column,), delivery__in=batch))
        days |= {moment.astimezone(UTC).date() for moment in moments if moment}
    return days


def recount(day: date) -> None:
    """Make the rows of one day what the changes and notifications say."""
    stats = {row.pk: row for row in [*_change_counts(day), *_notification_counts(day)]}
    replace_day(DailyStat, day, stats, COUNTS)
    replace_day(DailyTotal, day, {row.pk: row for row in totals_of(day)}, COUNTS)
    recount_moves(day)


def replace_day(model: Any, day: date, rows: Mapping[uuid.UUID, Any], fields: Sequence[str] = ("count",)) -> None:
    """Make these rows a day's only ones, and write only what differs."""
    known = {key: counts for key, *counts in model.objects.filter(day=day).values_list("pk", *fields)}
    for batch in in_batches(list(known.keys() - rows.keys())):
        model.objects.filter(pk__in=batch).delete()
    for key in known.keys() & rows.keys():
        counts = {name: getattr(rows[key], name) for name in fields}
        if known[key] != list(counts.values()):
            model.objects.filter(pk=key).update(**counts)
    insert_new(model, [rows[key] for key in rows.keys() - known.keys()])


def _between(day: date) -> tuple[datetime, datetime]:
    start = datetime.combine(day, time(), UTC)
    return start, start + timedelta(days=1) - timedelta(milliseconds=1)


def _keys_of(day: date) -> Q:
    """Keys of changes begin with their time, or with none where D&B gave none."""
    start, end = _between(day)
    return Q(pk__range=(key_at(start), key_at(end + timedelta(milliseconds=1)))) | Q(pk__range=OF_NO_TIME)


def _change_counts(day: date) -> Iterator[DailyStat]:
    rows = (
        Change.objects.filter(_keys_of(day), changed_at__range=_between(day), superseded=False)
        .values_list("registration_id", "audience", "kind", "element", "severity", _by_place())
        .annotate(count=Count("id"))
    )
    first = [(*row[:6], row[6], row[6]) for row in rows]
    further = [(*key, 0, count) for key, count in further_reports(*_between(day)).items()]
    yield from _counts(day, "change", [*_with_countries(first, are_known=has_sql()), *_with_countries(further)])


def _notification_counts(day: date) -> Iterator[DailyStat]:
    rows = (
        Notification.objects.filter(delivered_at__range=_between(day))
        .exclude(type=SNAPSHOT)
        .values_list("registration_id", "type", _by_place())
        .annotate(count=Count("id"))
    )
    counted = [(row[0], None, row[1], "", Severity.NOISE, row[2], row[3], row[3]) for row in rows]
    yield from _counts(day, "notification", _with_countries(counted, are_known=has_sql()))


def _by_place() -> str:
    """In SQL, rows are counted by the country; where each would be looked up for itself, by the company."""
    return "company__country" if has_sql() else "company_id"


def _with_countries(rows: Sequence[tuple[Any, ...]], *, are_known: bool = False) -> Iterable[tuple[Any, ...]]:
    """The company's country in place of the company, which stands behind five columns."""
    countries = {} if are_known else _countries({row[5] for row in rows})
    return rows if are_known else [(*row[:5], countries.get(row[5], ""), *row[6:]) for row in rows]


def _counts(day: date, what: str, rows: Iterable[tuple[Any, ...]]) -> Iterator[DailyStat]:
    """Rows of (registration, audience, kind, element, severity, country, count, reports), summed."""
    counts: Counter[tuple[Any, ...]] = Counter()
    reports: Counter[tuple[Any, ...]] = Counter()
    for *dimensions, count, reported in rows:
        key = tuple(dimensions)
        counts[key] += count
        reports[key] += reported
    for key, reported in reports.items():
        yield _stat(day, what, key, counts[key], reported)


def _stat(day: date, what: str, dimensions: tuple[Any, ...], count: int, reports: int) -> DailyStat:
    registration, audience, kind, element, severity, country = dimensions
    key = uuid.uuid5(COUNT_KEYS, f"{day}|{what}|{registration}|{kind}|{element}|{severity}|{country}{of_all(audience)}")
    return DailyStat(
        id=key,
        day=day,
        what=what,
        registration_id=registration,
        audience=audience,
        kind=kind,
        element=element,
        severity=severity,
        country=country,
        count=count,
        reports=reports,
    )


def _countries(duns: set[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for batch in in_batches(sorted(duns)):
        found.update(Company.objects.filter(pk__in=batch).values_list("pk", "country"))
    return found
