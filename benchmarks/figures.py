"""All companies' figures, today and as of any day, after five years in which some changed each month.

    python -m benchmarks.figures [--companies 300000] [--months 60]

The figures are inserted as the consumer leaves them. A snapshot and four counts are what the portfolio's page begins
with: first where months have no checkpoint yet, as the nightly job finds them, then with checkpoints.
"""

from __future__ import annotations

import random
import statistics
import struct
import time
import uuid
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from benchmarks import frame
from benchmarks.frame import Amount, spread, target

if TYPE_CHECKING:
    from monitoring.figures.snapshot import Snapshot

COMPANIES = Amount("companies", "companies in the portfolio", 200, 30_000, 300_000)
MONTHS = Amount("months", "months of figures", 4, 12, 60)
# Of the companies, those with another figure in a month.
CHANGING = 0.15
AT_ONCE = 20_000
COLUMNS = ("", "ms", "target")
MOST_TODAY, MOST_AS_OF = 300, 1000
Row = list[str]


class MonthRow(NamedTuple):
    key: int
    company_id: str
    month: date
    entries: bytes
    changed_at: datetime
    version: int = 0


def main() -> None:
    options = frame.options(__doc__, COMPANIES, MONTHS, engines=("sqlite", "postgres"))
    with frame.reported(options) as report:
        for engine, url in frame.filled(options, report):
            numbers = {"companies": options.companies, "months": options.months}
            rows = frame.apart(measure, url, **numbers, rounds=options.rounds)
            report.table(f"{engine}, {options.companies:,} companies, {options.months} months", COLUMNS, rows)


# In a process of its own


def measure(companies: int, months: int, rounds: int) -> list[Row]:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from monitoring.figures.records import make_checkpoints
    from monitoring.figures.snapshot import figures_at
    from monitoring.models import FigureMonth
    from tests.builders.times import soon

    chosen = list(_months(months))
    if not FigureMonth.objects.exists():
        _fill(companies, chosen)
    rows = [[f"rows of months: {FigureMonth.objects.count():,}", "", ""]]
    begun = time.perf_counter()
    while make_checkpoints(soon()) < months:
        pass
    rows.append(["checkpoints of all months, once", f"{(time.perf_counter() - begun) * 1000:,.0f}", ""])
    chance = random.Random(1)
    days = [month + timedelta(days=chance.randrange(28)) for month in chance.choices(chosen, k=max(rounds, 5))]
    today = [frame.timed(_count, None) * 1000 for _ in range(max(rounds, 5))]
    past = [frame.timed(_count, day) * 1000 for day in days]
    rows.append(["snapshot and counts, today", spread(today, ".0f"), target(statistics.median(today), most=MOST_TODAY)])
    rows.append(["snapshot and counts, as of a day", spread(past, ".0f"), target(max(past), most=MOST_AS_OF)])
    for about, day in (("today", None), ("as of a day", days[0])):
        with CaptureQueriesContext(connection) as queries:
            figures_at(day)
        rows.append([f"queries of a snapshot, {about}: {len(queries)}", "", ""])
    rows.append([f"peak memory: {frame.peak_megabytes():,.0f} MB", "", ""])
    return rows


def _count(day: date | None) -> Snapshot:
    import numpy

    from monitoring.figures.snapshot import figures_at

    found = figures_at(day)
    for names in (("failure_class", "delinquency_class"), ("country",), ("industry",), ("size",)):
        key = numpy.zeros(len(found.rows), dtype=numpy.int64)
        for name in names:
            key = key * 256 + found.rows[name]
        numpy.unique(key, return_counts=True)
    return found


def _months(count: int) -> Iterator[date]:
    """Up to the present one."""
    today = date.today()
    for number in range(today.year * 12 + today.month - count, today.year * 12 + today.month):
        yield date(number // 12, number % 12 + 1, 1)


# Rows


def _fill(companies: int, months: list[date]) -> None:
    from django.db import transaction

    from core.bulk import insert_rows
    from monitoring.models import FigureMonth
    from portfolio.models import Company, Contract, Registration, Subject

    contract, _ = Contract.objects.get_or_create(name="default")
    registration = Registration.objects.create(
        id=Registration.key("default", "FIGURES"), contract=contract, reference="FIGURES", adopted=True
    )
    numbers = random.Random(2).sample(range(1, 10**9), companies)
    for start in range(0, companies, AT_ONCE):
        some = [f"{number:09d}" for number in numbers[start : start + AT_ONCE]]
        with transaction.atomic():
            insert_rows(Company, [Company(duns=duns) for duns in some])
            insert_rows(Subject, [_subject(registration.pk, duns, months[0]) for duns in some])
    records, chance = _records(numbers), random.Random(3)
    for month in months:
        changing = numbers if month == months[0] else chance.sample(numbers, round(companies * CHANGING))
        for start in range(0, len(changing), AT_ONCE):
            rows = list(_rows(changing[start : start + AT_ONCE], month, records, chance))
            with transaction.atomic():
                insert_rows(FigureMonth, rows)


def _subject(registration: uuid.UUID, duns: str, since: date) -> Any:
    from portfolio.models import Subject, SubjectState

    return Subject(
        id=Subject.key(registration, duns),
        registration_id=registration,
        company_id=duns,
        requested=True,
        state=SubjectState.MONITORED,
        monitored_since=since,
    )


def _words() -> dict[tuple[str, str], int]:
    from monitoring.figures.words import numbers_of

    texts = {("industry", f"399\t{code}"): "" for code in range(1000, 1300)}
    texts |= {("country", f"{one}{other}"): "" for one in "ABC" for other in "ABCDEFGH"}
    texts |= {("rating", f"{strength}A{risk}"): "" for strength in range(1, 6) for risk in range(1, 5)}
    return numbers_of({**texts, ("currency", "EUR"): "", ("status", "Active"): "", ("legal_form", "GmbH"): ""})


def _records(numbers: list[int]) -> dict[int, bytearray]:
    """What changes seldom is the same each month."""
    from monitoring.figures.catalog import Figures
    from monitoring.figures.record import pack

    words, chance, found = _words(), random.Random(4), {}
    for number in numbers:
        figures = Figures(
            rating=f"{chance.randint(1, 5)}A{chance.randint(1, 4)}",
            limit_amount=chance.randint(1, 500) * 1000,
            limit_currency="EUR",
            industry_code=str(chance.randint(1000, 1299)),
            industry_scheme="399",
            legal_form="GmbH",
            start_year=chance.randint(1900, 2020),
            employees=chance.randint(1, 5000),
            size=chance.choice(("micro", "small", "medium", "large")),
            country=chance.choice("ABC") + chance.choice("ABCDEFGH"),
            operating_status="Active",
            flags=0,
            global_ultimate=f"{chance.randint(1, 10**9 - 1):09d}",
        )
        found[number] = bytearray(pack(f"{number:09d}", figures, words))
    return found


def _rows(numbers: list[int], month: date, records: dict[int, bytearray], chance: random.Random) -> Iterator[Any]:
    """Other scores on a day of the month, written long before any checkpoint is made."""
    from django.utils import timezone

    from monitoring.figures.record import ENTRY
    from monitoring.models import FigureMonth

    first, changed_at = FigureMonth.first_key(month), timezone.now() - timedelta(days=1)
    for number in numbers:
        failure, delinquency = chance.randint(1, 100), chance.randint(1, 100)
        scores = (failure, 5 - (failure - 1) // 20, 1010 - failure * 10)
        # Behind the number.
        struct.pack_into("<BBHBB", records[number], 4, *scores, delinquency, 5 - (delinquency - 1) // 20)
        entries = ENTRY.pack(chance.randint(1, 28), bytes(records[number]))
        yield MonthRow(first + number, f"{number:09d}", month, entries, changed_at)


if __name__ == "__main__":
    main()
