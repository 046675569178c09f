"""A history that grows: rate, bytes per notification and page times at each size, beside a hand-written loader.

    python -m benchmarks.sizes [--largest 10000000] [--engine sqlite]

The companies are there before. Slice by slice the floor (benchmarks/floor.py) and D&B Monitoring take the same
notifications; the rate at a size is that of the ten slices before it. --large goes to 1,000,000.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
from typing import Any

from benchmarks import frame, stream
from benchmarks.floor import Floor
from benchmarks.frame import Amount, spread, target
from benchmarks.stream import A_PAGE

LARGEST = Amount("largest", "notifications at the end", 300, 30_000, 1_000_000)
SIZES = (100, 10_000, 100_000, 1_000_000, 3_000_000, 10_000_000)
MOST_COMPANIES = 300_000
LAST = 10
OF_D_AND_B = 192_900_000
PAGES = ("/", "/portfolio/company/", "/portfolio/company/{own}/change/", "/monitoring/change/", "/api/v1/changes/")
COLUMNS = ("notifications", "floor, per second", "measured, per second", "ratio", "bytes each", "peak MB", "pages, ms")
Found = dict[str, Any]


def main() -> None:
    options = frame.options(__doc__, LARGEST)
    marks = [size for size in SIZES if size < options.largest] + [options.largest]
    with frame.reported(options) as report:
        for engine, databases in frame.engines(options, report):
            found = frame.once(databases, grow, marks=marks[-4:])
            report.table(f"{engine}, {companies_for(marks[-1]):,} companies", COLUMNS, list(map(_row, found)))
            report.note(_summary(engine, found))


def _row(one: Found) -> list[str]:
    ratios = [floor / own for floor, own in zip(one["floor"], one["own"], strict=True)]
    rates = (f"{one['slice'] / statistics.median(one[key]):,.0f}" for key in ("floor", "own"))
    pages = " · ".join(f"{milliseconds:.0f}" for milliseconds in one["pages"])
    return [f"{one['size']:,}", *rates, spread(ratios), f"{one['bytes']:,.0f}", f"{one['peak']:.0f}", pages]


def _summary(engine: str, found: list[Found]) -> str:
    rates = [one["slice"] / statistics.median(one["own"]) for one in found]
    first, last, share = found[0], found[-1], rates[-1] / rates[0]
    hours = OF_D_AND_B / rates[-1] / 3600
    return (
        f"{engine}: the rate at {last['size']:,} is {share:.2f} of that at {first['size']:,} "
        f"({target(share, least=0.9)}); {target(last['bytes'], most=1200, unit=' bytes per notification')}. "
        f"Extrapolated from the last row, D&B's largest file of {OF_D_AND_B / 1e6:g} million takes {hours:.1f} hours "
        f"({target(hours, most=12, unit=' hours')}) and {OF_D_AND_B * last['bytes'] / 1e9:,.0f} GB, and two "
        f"notifications for each of 300,000 companies take {600_000 / rates[-1] / 60:.0f} minutes. "
        f"Pages, in this order: {', '.join(f'`{page}`' for page in PAGES)}."
    )


def companies_for(largest: int) -> int:
    return min(MOST_COMPANIES, max(largest * 3 // 10, A_PAGE))


# In a process of its own


def grow(marks: list[int]) -> list[Found]:
    from benchmarks.filling import fill_companies
    from monitoring.models import WebhookEndpoint
    from tests.builders.registrations import a_registration

    companies = companies_for(marks[-1])
    fill_companies(companies)
    # A message for each change would take longer than all that is measured; `benchmarks.sending` measures those.
    WebhookEndpoint.objects.all().delete()
    registration, floor = a_registration(), Floor(os.environ["DATABASE_URL"])
    found, begin = [], 0
    for mark in marks:
        step = max((mark - begin) // LAST // A_PAGE, 1) * A_PAGE
        firsts = range(begin, mark - step + 1, step)
        times = [_slice(first, step, companies, registration, floor) for first in firsts]
        seconds = {"floor": [one[0] for one in times], "own": [one[1] for one in times]}
        found.append({"size": mark, "slice": step, **seconds, **_state(mark, companies)})
        print(json.dumps(found[-1]), file=sys.stderr, flush=True)
        begin = mark
    return found


def _slice(first: int, count: int, companies: int, registration: Any, floor: Floor) -> tuple[float, float]:
    """Thousands at a time, so that little is held."""
    seconds = [0.0, 0.0]
    for part in range(first, first + count, 100 * A_PAGE):
        items = list(stream.a_known_world(range(part, min(part + 100 * A_PAGE, first + count)), companies))
        seconds[0] += floor.load(items)
        for page in stream.pages(iter(items)):
            stream.stored(page, registration)
        seconds[1] += frame.timed(stream.read_backlog)
    return seconds[0], seconds[1]


def _state(size: int, companies: int) -> Found:
    from benchmarks.lists import a_client, page_time
    from monitoring.jobs import update_all_counts

    peak = frame.peak_megabytes()
    stream.let_consumers_catch_up()
    update_all_counts()
    client, own = a_client(), stream.duns_of(companies // 2)
    pages = [page_time(client, page.format(own=own))[0] for page in PAGES]
    return {"bytes": history_bytes() / size, "pages": pages, "peak": peak}


def history_bytes() -> int:
    """What notifications, changes and observations take with their indexes."""
    from django.db import connection

    from monitoring.models import Change, Notification, Observation

    tables = [model._meta.db_table for model in (Notification, Change, Observation)]
    if connection.vendor == "mongodb":
        return sum(map(_mongodb_bytes, tables))
    one = {
        "sqlite": "SELECT SUM(pgsize) FROM dbstat WHERE name IN (SELECT name FROM sqlite_master WHERE tbl_name = %s)",
        "postgresql": "SELECT pg_total_relation_size(%s)",
    }[connection.vendor]
    return sum(_answer(one, name) for name in tables)


def _answer(statement: str, table: str) -> int:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(statement, [table])
        return int(cursor.fetchone()[0])


def _mongodb_bytes(collection: str) -> int:
    from django.db import connection

    database: Any = connection
    stats = database.database.command("collStats", collection)
    return int(stats["storageSize"] + stats["totalIndexSize"])


if __name__ == "__main__":
    main()
