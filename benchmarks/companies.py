"""One company's page among many changes of others: what the database takes for its timeline and its past.

    python -m benchmarks.companies [--changes 1000000] [--own 10000]

With DATABASE_URL it fills and measures that database. The database's time is that of the page's statements, run again
alone and read to the end.
"""

from __future__ import annotations

import statistics
import time
from datetime import timedelta
from typing import Any

from benchmarks import frame
from benchmarks.filling import START, at, fill, key_of
from benchmarks.frame import Amount, target
from benchmarks.lists import a_client

CHANGES = Amount("changes", "changes of all companies", 100, 30_000, 1_000_000)
OWN = Amount("own", "changes of the company itself", 10, 300, 10_000)
ROUNDS = 15
DUNS = "000000042"
HISTORY = ("change", "notification", "historycheckpoint")
COLUMNS = ("page", "database, ms", "target", "of it history, ms", "page, ms", "queries")


def main() -> None:
    options = frame.options(__doc__, CHANGES, OWN)
    with frame.reported(options) as report:
        for engine, url in frame.filled(options, report):
            rows = frame.apart(measure_all, url, large=options.changes, own=options.own)
            report.table(f"{engine}, {options.own:,} changes of {options.changes:,}", COLUMNS, rows)


# In a process of its own


def measure_all(large: int, own: int) -> list[list[str]]:
    fill(large)
    a_story(own, large)
    client = a_client()
    half = START + timedelta(seconds=large * 20 // 2)
    pages = {"today": "", "as of a day": f"?as_of={half:%Y-%m-%d}"}
    return [[name, *measure(client, f"/portfolio/company/{DUNS}/change/{query}")] for name, query in pages.items()]


def a_story(own: int, large: int) -> None:
    """Baselines and changes of one company, spread over the whole time among the rows of all the others."""
    from monitoring.models import Change, Notification
    from portfolio.models import Company

    Company.objects.create(duns=DUNS, name="Story Ltd", search_name="story ltd", country="GB", changed_at=at(large))
    other = Notification.objects.order_by("id")[0]
    numbers = [number * large // own for number in range(own)]
    Notification.objects.bulk_create([_notice(other, number, n % 100 == 0) for n, number in enumerate(numbers)], 500)
    Change.objects.bulk_create([_change(other, number, n) for n, number in enumerate(numbers)], 500)


def _notice(other: Any, number: int, is_seed: bool) -> Any:
    from monitoring.models import Notification

    document = '{"primaryName": "Story Ltd", "dnbAssessment": {"failureScore": {"nationalPercentile": 50}}}'
    return Notification(
        id=key_of(number, 4),
        registration_id=other.registration_id,
        company_id=DUNS,
        type="SEED" if is_seed else "UPDATE",
        delivered_at=at(number),
        recorded_at=at(number),
        delivery_id=other.delivery_id,
        position=0,
        organization=document if is_seed else "",
    )


def _change(other: Any, number: int, n: int) -> Any:
    from monitoring.models import Change

    return Change(
        id=key_of(number, 5),
        company_id=DUNS,
        kind="element",
        element="organization.dnbAssessment.failureScore.nationalPercentile" if n % 3 else "organization.primaryName",
        previous=str((n - 1) % 100),
        current=str(n % 100),
        changed_at=at(number),
        delivered_at=at(number),
        recorded_at=at(number),
        severity=3,
        notification_id=key_of(number, 4),
        registration_id=other.registration_id,
        delivery_id=other.delivery_id,
    )


def measure(client: Any, url: str) -> list[str]:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    took = []
    for _ in range(ROUNDS):
        with CaptureQueriesContext(connection) as queries:
            start = time.perf_counter()
            answer = client.get(url)
            took.append((time.perf_counter() - start) * 1000)
        assert answer.status_code == 200, (url, answer.status_code)
    asked = [query["sql"] for query in queries if query["sql"].startswith("SELECT")]
    history = [sql for sql in asked if any(f"monitoring_{name}" in sql for name in HISTORY)]
    whole, part = database_time(asked), database_time(history)
    page = f"{statistics.median(took):.0f}"
    return [f"{whole:.1f}", target(whole, most=5), f"{part:.1f}", page, str(len(queries))]


def database_time(statements: list[str]) -> float:
    """Milliseconds of these statements with all their rows: the best round, since others use the machine too."""
    from django.db import connection

    took = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        for sql in statements:
            with connection.cursor() as cursor:
                cursor.execute(sql.replace("%", "%%"))
                cursor.fetchall()
        took.append((time.perf_counter() - start) * 1000)
    return min(took)


if __name__ == "__main__":
    main()
