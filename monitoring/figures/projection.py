"""Companies' figures brought up to date: rows of months, and the columns that lists show.

Rows are read before the events and written by compare-and-swap. Who has written looks again, until nothing is
different: so whoever comes last has seen what all others read, and what a killed process leaves is found by the next.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from django.db.models import Max

from core.bulk import update_versions
from core.db import database_now, in_batches, insert_new
from monitoring.figures.catalog import Figures
from monitoring.figures.history import Months, Past, months_of, pasts
from monitoring.figures.record import words_in
from monitoring.figures.words import numbers_of
from monitoring.models import Change, FigureMonth, Severity
from portfolio.models import Company

AT_ONCE = 200
# History's own (company_projection.py).
OTHERS_COLUMNS = ("country", "operating_status", "global_ultimate")
COLUMNS = tuple(name for name in Figures._fields if name not in OTHERS_COLUMNS)
Rows = dict[date, FigureMonth]


def project(companies: Iterable[str]) -> set[str]:
    """Returns the companies of which anything was different."""
    different: set[str] = set()
    for batch in in_batches(sorted(set(companies)), AT_ONCE):
        waiting: Sequence[str] = batch
        while waiting:
            waiting = _project_round(waiting)
            different.update(waiting)
    return different


def project_all(report: Callable[[str], None] = lambda text: None) -> int:
    """Every company; returns how many were different."""
    different, done, last = 0, 0, ""
    keys = Company.objects.order_by("pk").values_list("pk", flat=True)
    while batch := list(keys.filter(pk__gt=last)[:AT_ONCE]):
        different, done, last = different + len(project(batch)), done + len(batch), batch[-1]
        report(f"{done:,} companies' figures processed again")
    return different


def _project_round(duns: Sequence[str]) -> list[str]:
    """One try for each company; returns those that have to be looked at again."""
    companies = list(Company.objects.filter(pk__in=duns).only("version", "last_critical_at", *COLUMNS).order_by("pk"))
    stored = _stored(duns)
    found = pasts([company.pk for company in companies])
    numbers = numbers_of(words_in(figures for past in found.values() for _, figures in past.days))
    target = {company: months_of(company, past, _entries(stored[company]), numbers) for company, past in found.items()}
    different = _write_months(stored, found, target)
    return sorted(different | _write_columns(companies, found, _last_critical(duns)))


def _stored(duns: Sequence[str]) -> dict[str, Rows]:
    rows: dict[str, Rows] = defaultdict(dict)
    for row in FigureMonth.objects.filter(company__in=duns):
        rows[row.company_id][row.month] = row
    return rows


def _entries(rows: Rows) -> Months:
    return Months({month: bytes(row.entries) for month, row in rows.items()})


def _write_months(stored: Mapping[str, Rows], found: Mapping[str, Past], target: Mapping[str, Months]) -> set[str]:
    """Returns the companies of which a month was different, whoever has written it."""
    now: datetime | None = None
    new: list[FigureMonth] = []
    changed: list[tuple[FigureMonth, dict[str, Any]]] = []
    for duns in found:
        for month, entries in _different(stored.get(duns, {}), target[duns]):
            now = now or database_now()
            if row := stored.get(duns, {}).get(month):
                changed.append((row, {"entries": entries, "changed_at": now}))
            else:
                key = FigureMonth.key_of(duns, month)
                new.append(FigureMonth(key=key, company_id=duns, month=month, entries=entries, changed_at=now))
    if new:
        insert_new(FigureMonth, new)
    if changed:
        update_versions(changed)
    return {row.company_id for row in [*new, *(row for row, _ in changed)]}


def _different(rows: Rows, target: Months) -> list[tuple[date, bytes]]:
    wanted = {month: target.entries.get(month, b"") for month in sorted(rows.keys() | target.entries.keys())}
    return [
        (month, entries)
        for month, entries in wanted.items()
        if bytes(rows[month].entries if month in rows else b"") != entries
    ]


def _write_columns(
    companies: Sequence[Company], found: Mapping[str, Past], critical: Mapping[str, datetime]
) -> set[str]:
    changes = []
    for row in companies:
        latest = found[row.pk].latest._asdict()
        columns = {name: latest[name] for name in COLUMNS} | {"last_critical_at": critical.get(row.pk)}
        if values := {name: value for name, value in columns.items() if getattr(row, name) != value}:
            changes.append((row, values))
    if changes:
        update_versions(changes)
    return {row.pk for row, _ in changes}


def _last_critical(duns: Sequence[str]) -> dict[str, datetime]:
    rows = Change.objects.filter(company__in=duns, severity=Severity.CRITICAL, superseded=False).order_by()
    return dict(rows.values_list("company").annotate(last=Max("changed_at")))
