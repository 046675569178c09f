"""The portfolio's pages over all companies, today and as of any day, after years in which some changed each month.

    python -m benchmarks.portfolio_page [--companies 300000] [--months 60]

The figures are those of `benchmarks.figures`, with checkpoints as the nightly job leaves them. Movement reads two days.
"""

from __future__ import annotations

import random
import statistics
import time
from datetime import date, timedelta
from typing import Any

from benchmarks import figures, frame
from benchmarks.figures import COMPANIES, MONTHS
from benchmarks.frame import spread, target

COLUMNS = ("", "ms", "target", "queries")
MOST_TODAY, MOST_AS_OF = 300, 1000
RISK = "/portfolio/risk/"
Row = list[str]


def main() -> None:
    options = frame.options(__doc__, COMPANIES, MONTHS, engines=("sqlite", "postgres"))
    with frame.reported(options) as report:
        for engine, url in frame.filled(options, report):
            numbers = {"companies": options.companies, "months": options.months}
            rows = frame.apart(measure, url, **numbers, rounds=options.rounds)
            report.table(f"{engine}, {options.companies:,} companies, {options.months} months", COLUMNS, rows)


# In a process of its own


def measure(companies: int, months: int, rounds: int) -> list[Row]:
    from benchmarks.lists import a_client
    from monitoring.figures.records import make_checkpoints
    from monitoring.models import FigureMonth
    from tests.builders.times import soon

    chosen = list(figures._months(months))
    if not FigureMonth.objects.exists():
        figures._fill(companies, chosen)
    while make_checkpoints(soon()) < months:
        pass
    client, day = a_client(), random.Random(1).choice(chosen) + timedelta(days=14)
    client.get(RISK)
    return [_row(client, *page, rounds=max(rounds, 5)) for page in _pages(day)]


def _pages(day: date) -> list[tuple[str, str, int]]:
    return [
        ("risk, today", RISK, MOST_TODAY),
        ("risk, as of a day", f"{RISK}?day={day}", MOST_AS_OF),
        ("risk, today, one country", f"{RISK}?country=AA", MOST_TODAY),
        ("movement since a day", f"{RISK}movement/?since={day}", MOST_AS_OF),
        ("companies of one class, as of a day", f"{RISK}companies/?day={day}&failure_class=5", MOST_AS_OF),
        ("companies at a higher risk since a day", f"{RISK}companies/?since={day}&direction=worse", MOST_AS_OF),
    ]


def _row(client: Any, about: str, path: str, most: int, *, rounds: int) -> Row:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    times = []
    for _ in range(rounds):
        with CaptureQueriesContext(connection) as queries:
            begun = time.perf_counter()
            answer = client.get(path)
            times.append((time.perf_counter() - begun) * 1000)
        assert answer.status_code == 200, path
    return [about, spread(times, ".0f"), target(statistics.median(times), most=most), str(len(queries))]


if __name__ == "__main__":
    main()
