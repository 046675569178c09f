"""What people type to find companies: digits are a D-U-N-S number, everything else the beginning of a name."""

from __future__ import annotations

import re
from typing import Any

from django.db.models import QuerySet

from core.db import with_name_prefix
from portfolio.models import Company

NAMES = 200
DIGITS = re.compile(r"[0-9][0-9\s-]*", re.ASCII)


def duns_digits(text: str) -> str:
    """The digits of what looks like (the beginning of) a D-U-N-S number, else nothing."""
    return re.sub(r"[\s-]", "", text) if DIGITS.fullmatch(text.strip()) else ""


def find_companies(companies: QuerySet[Company], text: str) -> QuerySet[Company]:
    """By a range of the key or of the name: both have an index on every engine."""
    digits = duns_digits(text)
    if digits:
        # Nine digits at both ends: their order is the same in every collation.
        return companies.filter(duns__gte=digits.ljust(9, "0"), duns__lte=digits.ljust(9, "9"))
    return with_name_prefix(companies, text)


def of_companies(rows: QuerySet[Any], text: str) -> QuerySet[Any]:
    """Rows about the companies that the text finds; the first two hundred of a name."""
    digits = duns_digits(text)
    if len(digits) == 9:
        return rows.filter(company=digits)
    found = find_companies(Company.objects.all(), text).values_list("pk", flat=True)[:NAMES]
    return rows.filter(company__in=list(found))


def with_companies(rows: list[Any]) -> None:
    """Give each row its company in one query: joins are slow on some engines."""
    companies = Company.objects.in_bulk(list({row.company_id for row in rows}))
    for row in rows:
        row.company = companies.get(row.company_id) or Company(duns=row.company_id)
