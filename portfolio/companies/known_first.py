"""Pages of companies in the order of a figure: those of which it is unknown come last.

In both directions and on every engine, each of which has its own place for them in an index.
"""

from __future__ import annotations

from django.db.models import QuerySet

from portfolio.companies.conditions import SORTED, UNKNOWN, of_column, with_value
from portfolio.models import Company


def known_first(rows: QuerySet[Company], start: int, end: int) -> list[Company]:
    """Of the rows in their order, those from `start` to `end`."""
    first, *others = map(str, rows.query.order_by)
    column = first.removeprefix("-")
    if column not in SORTED:
        return list(rows[start:end])
    known = with_value(rows, column)
    found = list(known[start:end])
    missing = end - start - len(found)
    if not missing:
        return found
    skipped = 0 if found else max(start - known.order_by().count(), 0)
    unknown = rows.filter(of_column(column, [UNKNOWN])).order_by(*others)
    return found + list(unknown[skipped : skipped + missing])
