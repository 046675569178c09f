"""Companies' figures made anew from all that has happened: rows of months, the columns that lists show, and the state
to which what happens later is added (advance.py).

Rows are read before the events and written by compare-and-swap, the state first. So whoever gets through has seen
what all others read, and what a killed process leaves is found by the next.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from django.db.models import Max

from core.db import in_batches
from monitoring.figures.history import months_of, pasts
from monitoring.figures.record import words_in
from monitoring.figures.words import numbers_of
from monitoring.figures.writing import Read, Target, columns_of, read_companies, read_months, read_states, write
from monitoring.models import Change, Severity
from portfolio.models import Company

AT_ONCE = 200


def project(companies: Iterable[str]) -> set[str]:
    """Returns the companies of which anything was different."""
    different: set[str] = set()
    for batch in in_batches(sorted(set(companies)), AT_ONCE):
        waiting: Sequence[str] = batch
        while waiting:
            found, lost = _project_round(waiting)
            different |= found
            waiting = sorted(lost)
    return different


def project_all(report: Callable[[str], None] = lambda text: None) -> int:
    """Every company; returns how many were different."""
    different, done, last = 0, 0, ""
    keys = Company.objects.order_by("pk").values_list("pk", flat=True)
    while batch := list(keys.filter(pk__gt=last)[:AT_ONCE]):
        different, done, last = different + len(project(batch)), done + len(batch), batch[-1]
        report(f"{done:,} companies' figures processed again")
    return different


def _project_round(duns: Sequence[str]) -> tuple[set[str], set[str]]:
    """One try for each company; returns those of which anything was different, and those to be looked at again."""
    read = Read(read_states(duns), read_months(company__in=duns), read_companies(duns))
    found = pasts([company.pk for company in read.companies])
    numbers = numbers_of(words_in(figures for past in found.values() for figures in past.all_figures()))
    critical = _last_critical(duns)
    targets = {}
    for company, past in found.items():
        columns = columns_of(past) | {"last_critical_at": critical.get(company)}
        targets[company] = Target(past, *months_of(company, past, read.entries(company), numbers), columns)
    return write(read, targets)


def _last_critical(duns: Sequence[str]) -> dict[str, datetime]:
    rows = Change.objects.filter(company__in=duns, severity=Severity.CRITICAL, superseded=False).order_by()
    return dict(rows.values_list("company").annotate(last=Max("changed_at")))
