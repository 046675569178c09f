"""How many bytes a notification takes, with its changes, by table and index.

    python -m benchmarks.sizes [--notifications 20000]

Counts UPDATEs with two elements each, as D&B sends them, read by the very function that jobs call; responses as stored
and what is made of changes later (alerts, messages) are not counted. Uses the engine of DATABASE_URL where it is set
(the database is filled!), else SQLite under a temporary folder; MongoDB cannot say it.
"""

from __future__ import annotations

import argparse
import os
import random
import tempfile
from typing import Any

from rich.console import Console
from rich.table import Table

TABLES = ("monitoring_notification", "monitoring_change")
REACH, A_PAGE, COMPANIES = 1200, 100, 3000
SQLITE = """
    SELECT found.tbl_name, size.name, sum(size.pgsize) FROM dbstat AS size
    JOIN sqlite_master AS found ON found.name = size.name WHERE found.tbl_name IN (%s, %s) GROUP BY 1, 2
"""
POSTGRES = """
    SELECT relname, relname, pg_table_size(oid) FROM pg_class WHERE relname IN (%(0)s, %(1)s) UNION ALL
    SELECT tablename, indexname, pg_relation_size(indexname::regclass) FROM pg_indexes
    WHERE tablename IN (%(0)s, %(1)s)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--notifications", type=int, default=20_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="dnbmon-bench-") as folder:
        os.environ.setdefault("DATABASE_URL", f"sqlite:///{folder}/bench.sqlite3")
        os.environ.setdefault("LOG_LEVEL", "CRITICAL")
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dnbmon_site.settings")
        import django

        django.setup()
        read(options.notifications)
        draw(sizes(), options.notifications)


def read(count: int) -> None:
    from django.core.management import call_command

    from monitoring.pipeline.ingest import ingest
    from tests.builders.deliveries import a_delivery
    from tests.builders.registrations import a_registration

    call_command("migrate", verbosity=0)
    registrations = [a_registration(f"ACME_{number}") for number in range(3)]
    for first in range(0, count, A_PAGE):
        items = [an_item(number) for number in range(first, first + A_PAGE)]
        ingest(a_delivery(*items, registration=registrations[first // A_PAGE % 3]))


def an_item(number: int) -> dict[str, Any]:
    """Of a company by chance, to the millisecond, as D&B's stamps are."""
    from tests.builders.elements import an_element
    from tests.builders.notifications import an_update
    from tests.builders.times import stamp

    chance = random.Random(number)
    at = stamp(seconds=number, milliseconds=chance.randrange(1000))
    return an_update(
        an_element("organization.dnbAssessment.failureScore.scoreDate", "2026-01-01", f"2026-02-{number % 28 + 1}", at),
        an_element("organization.numberOfEmployees", [{"value": number}], [{"value": number + 1}], at),
        duns=f"{100_000_000 + chance.randrange(COMPANIES)}",
        delivered=stamp(seconds=number + 60, milliseconds=chance.randrange(1000)),
    )


def sizes() -> list[tuple[str, str, int]]:
    """By table and then size: the table, the table or one of its indexes, bytes."""
    from django.db import connection

    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(SQLITE, TABLES)
        else:
            cursor.execute("VACUUM ANALYZE")
            cursor.execute(POSTGRES, {"0": TABLES[0], "1": TABLES[1]})
        return sorted(cursor.fetchall(), key=lambda row: (row[0], -row[2]))


def draw(found: list[tuple[str, str, int]], count: int) -> None:
    table = Table("table", "table or index", "bytes a notification")
    for name, part, size in found:
        table.add_row(name, part, f"{size / count:.0f}")
    table.add_row("", "all", f"{sum(size for *_, size in found) / count:,.0f} (≤ {REACH:,} to reach)")
    Console().print(table)


if __name__ == "__main__":
    main()
