"""A report's changes: how many, of what and where from the daily counts; the critical ones by index."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from django.db.models import QuerySet, Sum
from django.utils.translation import gettext

from core.admin.filters import key_at
from core.visibility import Scope, visible_to
from monitoring.company_page.timeline import SENTENCES, Line, label_of
from monitoring.models import NO_NOISE, Change, DailyStat, Element, Kind, Severity
from monitoring.reports.periods import Period
from monitoring.stats.further_reports import reported_by
from monitoring.story_order import story_key
from monitoring.visibility import as_reported_to
from portfolio.companies.search import with_companies

TOP = 8
LOOKED_THROUGH = 2_000


@dataclass(slots=True)
class Counts:
    """Changes of the period, noise apart, and how many there were in the one before; baselines are no changes."""

    total: int = 0
    noise: int = 0
    before: int = 0
    notifications: int = 0
    by_severity: Counter[int] = field(default_factory=Counter)
    by_day: dict[date, Counter[int]] = field(default_factory=dict)
    by_registration: Counter[uuid.UUID] = field(default_factory=Counter)
    what: list[tuple[str, int]] = field(default_factory=list)
    critical: list[tuple[str, int]] = field(default_factory=list)
    countries: list[tuple[str, int]] = field(default_factory=list)
    # Critical ones that chosen registrations reported after others.
    reported_later: int = 0

    @property
    def critical_count(self) -> int:
        return self.by_severity[Severity.CRITICAL]


@dataclass(frozen=True, slots=True)
class Event:
    """A critical change in words."""

    at: datetime
    duns: str
    company: str
    country: str
    registration: uuid.UUID
    what: str
    change: uuid.UUID


def counts_of(period: Period, registrations: Sequence[uuid.UUID], *, is_all: bool, scope: Scope) -> Counts:
    """Over all registrations, and for a part of them that is all that someone sees, each change once; for chosen ones
    what each of them reported."""
    found = Counts(by_day={day: Counter() for day in period.days})
    rows = visible_to(scope, DailyStat.objects.exclude(kind=Kind.BASELINE).order_by())
    is_once = is_all or not scope.sees_all
    rows = rows if is_once else rows.filter(registration__in=registrations)
    counted = "count" if is_once else "reports"
    _count_days(found, period, rows, counted)
    _count_kinds(found, period, rows, counted)
    return found


def _count_days(found: Counts, period: Period, rows: QuerySet[DailyStat], counted: str) -> None:
    rows = rows.filter(day__gte=period.before().start, day__lt=period.end)
    sums = rows.values_list("what", "day", "registration", "severity")
    for what, day, registration, severity, first, reported in sums.annotate(a=Sum("count"), b=Sum("reports")):
        count = first if counted == "count" else reported
        is_now = day >= period.start
        if what == "notification":
            found.notifications += count if is_now else 0
        elif severity == Severity.NOISE:
            found.noise += count if is_now else 0
        elif is_now:
            found.total += count
            found.by_severity[severity] += count
            found.by_day[day][severity] += count
            found.by_registration[registration] += reported
            found.reported_later += reported - first if severity == Severity.CRITICAL else 0
        else:
            found.before += count


def _count_kinds(found: Counts, period: Period, rows: QuerySet[DailyStat], counted: str) -> None:
    rows = rows.filter(day__gte=period.start, day__lt=period.end, what="change", severity__gt=Severity.NOISE)
    what: Counter[str] = Counter()
    critical: Counter[str] = Counter()
    countries: Counter[str] = Counter()
    sums = rows.values_list("kind", "element", "country", "severity").annotate(total=Sum(counted))
    for kind, element, country, severity, count in sums:
        if not count:
            continue
        name = element if kind == Kind.ELEMENT else f"={kind}"
        what[name] += count
        countries[country or gettext("unknown")] += count
        if severity == Severity.CRITICAL:
            critical[name] += count
    found.what, found.critical, found.countries = top(what), top(critical), top(countries)


def top(counts: Counter[str]) -> list[tuple[str, int]]:
    """The most frequent first; the same order each time where counts are equal."""
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:TOP]


def name_what_was_counted(counts: Counts, changes: Sequence[Change]) -> dict[str, Element]:
    """Give what was counted its words, and return the elements that the changes need as well: one look at all."""
    named = {name for name, _ in (*counts.what, *counts.critical) if not name.startswith("=")}
    elements = Element.objects.in_bulk(list(named | {change.element for change in changes if change.element}))
    counts.what = [(_words(name, elements), count) for name, count in counts.what]
    counts.critical = [(_words(name, elements), count) for name, count in counts.critical]
    return elements


def _words(name: str, elements: dict[str, Element]) -> str:
    if name.startswith("="):
        text = str(SENTENCES.get(name[1:], name[1:])).partition(",")[0]
        return text[:1].upper() + text[1:]
    return label_of(name, elements)


def critical_changes(
    period: Period, registrations: Sequence[uuid.UUID], most: int, *, reported_later: bool, scope: Scope
) -> list[Change]:
    """The newest critical ones: a range of the index of severities, as keys begin with the time. `reported_later` tells
    whether the registrations have reported some after others."""
    start, end = period.moments
    rows = Change.objects.filter(NO_NOISE, severity=Severity.CRITICAL, pk__gte=key_at(start), pk__lt=key_at(end))
    rows = rows.filter(superseded=False).order_by("-pk")
    if scope.sees_all:
        first = rows.filter(registration__in=registrations)
        newest = _reported(rows, registrations, most) if reported_later else first[:most]
    else:
        newest = list(visible_to(scope, rows)[:most])
        as_reported_to(scope, newest)
    found = sorted(newest, key=story_key, reverse=True)
    with_companies(found)
    return found


def _reported(rows: QuerySet[Change], registrations: Sequence[uuid.UUID], most: int) -> list[Change]:
    """The newest that these registrations reported, first or not, among so many that a report can look through."""
    first = dict(rows.values_list("pk", "registration_id")[:LOOKED_THROUGH])
    chosen = set(registrations)
    theirs = {key for key, registration in first.items() if registration in chosen}
    theirs |= reported_by(first.keys() - theirs, registrations)
    return list(Change.objects.filter(pk__in=sorted(theirs, reverse=True)[:most]))


def event_of(line: Line) -> Event:
    company = line.change.company
    return Event(
        at=line.change.changed_at,
        duns=company.duns,
        company=company.name,
        country=company.country,
        registration=line.change.registration_id,
        what=str(line),
        change=line.change.pk,
    )
