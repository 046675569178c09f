"""From D&B's bytes to rows, through the functions that jobs call, beside a hand-written loader of the same rows.

    python -m benchmarks.ingest [--pages 50] [--changes 300] [--engine sqlite]

Each round loads the floor (benchmarks/floor.py) and ingests the same notifications, on a fresh database.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

from benchmarks import frame, stream
from benchmarks.floor import Floor
from benchmarks.frame import Amount, spread, target
from benchmarks.stream import A_PAGE, Item
from tests.databases import Databases

PAGES = Amount("pages", "pages of 100 notifications", 2, 50, 1000)
DOCUMENTS = Amount("documents", "SEEDs of 5 kB", 20, 1000, 10_000)
CHANGES = Amount("changes", "name changes of each of 100 companies", 3, 300, 300)
COLUMNS = ("", "floor, per second", "measured, per second", "ratio", "target")
Found = dict[str, Any]


def main() -> None:
    options = frame.options(__doc__, PAGES, DOCUMENTS, CHANGES)
    with frame.reported(options) as report:
        for engine, databases in frame.engines(options, report):
            reading = frame.rounds(options.rounds, databases, read_pages, pages=options.pages)
            backlog = frame.rounds(options.rounds, databases, read_backlog, pages=options.pages)
            beside = [with_a_worker(databases, options.pages) for _ in range(options.rounds)]
            documents = frame.rounds(options.rounds, databases, read_documents, count=options.documents)
            names = frame.rounds(options.rounds, databases, read_names, changes=options.changes)
            count = options.pages * A_PAGE
            rows = [*_reading(reading, count), *_backlog(backlog, count), *_with_a_worker(beside, count)]
            rows += [*_documents(documents, options.documents), *_names(names, options.changes)]
            report.table(f"{engine}, {count:,} notifications, {options.rounds} rounds", COLUMNS, rows)


# Rows of the table


def _row(
    name: str, found: Sequence[Found], key: str, count: int, least: float | None = None, floor: str = "floor"
) -> list[str]:
    ratios = [one[floor] / one[key] for one in found]
    aim = "" if least is None else target(statistics.median(ratios), least=least)
    rates = (_rate([one[which] for one in found], count) for which in (floor, key))
    return [name, *rates, spread(ratios), aim]


def _rate(seconds: Sequence[float], count: int) -> str:
    return f"{count / statistics.median(seconds):,.0f}"


def _reading(found: Sequence[Found], count: int) -> list[list[str]]:
    again = [one["first"] / one["known"] for one in found]
    p99 = statistics.quantiles([page for one in found for page in one["each"]], n=100)[98] * 1000
    return [
        _row("page by page, as pulled", found, "first", count, 0.4),
        [
            "known already, of the first time",
            "",
            _rate([one["known"] for one in found], count),
            f"{spread(again, '.1f')} ×",
            target(statistics.median(again), least=2, unit=" ×"),
        ],
        ["a page of 100, 99th percentile", "", "", f"{p99:.0f} ms", target(p99, most=40, unit=" ms")],
    ]


def _backlog(found: Sequence[Found], count: int) -> list[list[str]]:
    return [_row("a backlog, as the worker reads it", found, "backlog", count, 0.4)]


def _with_a_worker(found: Sequence[Found], count: int) -> list[list[str]]:
    names = {"as_pulled": "page by page, until every consumer has caught up", "as_backlog": "a backlog, the same"}
    return [_row(name, [one[key] for one in found], "caught up", count, 0.3) for key, name in names.items()]


def _documents(found: Sequence[Found], count: int) -> list[list[str]]:
    return [
        _row("SEEDs of 5 kB, first", found, "first", count),
        _row("SEEDs of 5 kB, compared with the previous", found, "second", count),
    ]


def _names(found: Sequence[Found], changes: int) -> list[list[str]]:
    few, many = map(str, marks(changes))
    ratios = [one[few] / one[many] for one in found]
    count = measured_pages(changes) * A_PAGE
    rows = [_row(f"companies with {n} name changes", found, n, count, floor=f"floor {n}") for n in (few, many)]
    aim = target(statistics.median(ratios), least=0.95)
    return [*rows, [f"with {many}, of the rate with {few}", "", "", spread(ratios), aim]]


def marks(changes: int) -> tuple[int, int]:
    """After how many changes of each company is measured."""
    return max(changes // 10, 1), changes


def measured_pages(changes: int) -> int:
    """After each of them."""
    return max(changes // 30, 1)


# Processes side by side


def with_a_worker(databases: Databases, pages: int) -> Found:
    """Seconds until all is read and every consumer has caught up: that is for a second process, as the worker is."""
    return {read.__name__: _beside(databases, read, pages) for read in (as_pulled, as_backlog)}


def _beside(databases: Databases, read: Callable[[], float], pages: int) -> Found:
    with frame.fresh(databases) as url:
        floor = frame.apart(load_and_store, url, pages=pages)
        processes = [frame.start(read, url), frame.start(consume, url, publications=pages)]
        frame.begin_together(processes)
        begun = time.time()
        return {"floor": floor, "caught up": max(map(frame.result_of, processes)) - begun}


# In a process of their own


def read_pages(pages: int) -> Found:
    from tests.builders.registrations import a_registration

    items, registration = list(stream.a_feed(range(pages * A_PAGE))), a_registration()
    floor = load_floor(items, new_companies=True)
    each = read_each(items, registration)
    stream.let_consumers_catch_up()
    known = read_each(items, registration)
    return {"floor": floor, "first": sum(each), "each": each, "known": sum(known)}


def read_backlog(pages: int) -> Found:
    from tests.builders.registrations import a_registration

    items, registration = list(stream.a_feed(range(pages * A_PAGE))), a_registration()
    floor = load_floor(items, new_companies=True)
    for page in stream.pages(iter(items)):
        stream.stored(page, registration)
    return {"floor": floor, "backlog": frame.timed(stream.read_backlog)}


def load_and_store(pages: int) -> float:
    from tests.builders.registrations import a_registration

    items, registration = list(stream.a_feed(range(pages * A_PAGE))), a_registration()
    for page in stream.pages(iter(items)):
        stream.stored(page, registration)
    return load_floor(items, new_companies=True)


def as_pulled() -> float:
    """When the last page was read."""
    from monitoring.jobs import ingest_now
    from monitoring.models import Delivery

    deliveries = list(Delivery.objects.select_related("registration").order_by("id"))
    frame.wait_to_begin()
    for delivery in deliveries:
        ingest_now(delivery)
    return time.time()


def as_backlog() -> float:
    frame.wait_to_begin()
    stream.read_backlog()
    return time.time()


def consume(publications: int) -> float:
    """When every consumer has read the last of so many publications."""
    from monitoring.publications.consumers import consumed_by_all

    frame.wait_to_begin()
    while consumed_by_all() < publications:
        stream.let_consumers_catch_up()
        time.sleep(0.01)
    return time.time()


def read_documents(count: int) -> Found:
    """Of a registration that sends whole documents, which are compared with the previous ones."""
    from tests.builders.registrations import a_registration

    registration = a_registration(full_product=True)
    first, second = ([stream.a_large_document(n + part * count, n) for n in range(count)] for part in (0, 1))
    floor = load_floor(first, new_companies=True)
    read = [sum(read_each(items, registration)) for items in (first, second)]
    return {"floor": floor, "first": read[0], "second": read[1]}


def read_names(changes: int) -> Found:
    """The same companies are on every page; what happened before came as one large delivery."""
    from tests.builders.registrations import a_registration

    registration, floor, found = a_registration(), Floor(os.environ["DATABASE_URL"]), Found()
    begin, measured = 0, measured_pages(changes) * A_PAGE
    for mark in marks(changes):
        items = [stream.a_name(number, A_PAGE) for number in range(begin, mark * A_PAGE + measured)]
        before, now = items[:-measured], items[-measured:]
        floor.load(before)
        read_each(before, registration, size=len(before))
        found |= {f"floor {mark}": floor.load(now), str(mark): sum(read_each(now, registration))}
        begin += len(items)
    return found


def load_floor(items: Sequence[Item], *, new_companies: bool = False) -> float:
    floor = Floor(os.environ["DATABASE_URL"])
    seconds = floor.load(items, new_companies=new_companies)
    floor.close()
    return seconds


def read_each(items: Sequence[Item], registration: Any, size: int = A_PAGE) -> list[float]:
    """The seconds of each page, through the function that the puller gives its pages to."""
    from monitoring.jobs import ingest_now

    deliveries = [stream.stored(page, registration) for page in stream.pages(iter(items), size)]
    return [frame.timed(ingest_now, delivery) for delivery in deliveries]


if __name__ == "__main__":
    main()
