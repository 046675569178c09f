"""Two workers with a registration each against one worker with one, on PostgreSQL.

python -m benchmarks.workers [--pages 50]
"""

from __future__ import annotations

import statistics
import time

from benchmarks import frame, stream
from benchmarks.frame import Amount, spread, target
from benchmarks.stream import A_PAGE
from tests.databases import Databases

PAGES = Amount("pages", "pages of 100 notifications of each registration", 1, 50, 1000)
COLUMNS = ("", "notifications per second", "ratio", "target")
REFERENCES = ("BENCH_LOD_01", "BENCH_LOD_02")


def main() -> None:
    options = frame.options(__doc__, PAGES, engines=("postgres",))
    with frame.reported(options) as report:
        for engine, databases in frame.engines(options, report):
            rates = [_round(databases, options.pages) for _ in range(options.rounds)]
            ratios = [two / one for one, two in rates]
            report.table(
                f"{engine}, {options.pages * A_PAGE:,} notifications of each registration, {options.rounds} rounds",
                COLUMNS,
                [
                    ["one worker", spread([one for one, _ in rates], ",.0f"), "", ""],
                    [
                        "two workers",
                        spread([two for _, two in rates], ",.0f"),
                        spread(ratios),
                        target(statistics.median(ratios), least=1.6),
                    ],
                ],
            )


def _round(databases: Databases, pages: int) -> tuple[float, float]:
    return _rate(databases, pages, REFERENCES[:1]), _rate(databases, pages, REFERENCES)


def _rate(databases: Databases, pages: int, references: tuple[str, ...]) -> float:
    """All workers begin together; it ends when the last has read its registration's pages."""
    with frame.fresh(databases) as url:
        frame.apart(store, url, references=references, pages=pages)
        workers = [frame.start(read, url, reference=reference) for reference in references]
        frame.begin_together(workers)
        begun = time.perf_counter()
        for worker in workers:
            frame.result_of(worker)
        seconds = time.perf_counter() - begun
    return len(references) * pages * A_PAGE / seconds


# In processes of their own


def store(references: list[str], pages: int) -> None:
    from tests.builders.registrations import a_registration

    for place, reference in enumerate(references):
        registration, first = a_registration(reference), place * 10_000_000
        for page in stream.pages(stream.a_feed(range(first, first + pages * A_PAGE))):
            stream.stored(page, registration)


def read(reference: str) -> None:
    from monitoring.jobs import ingest_now
    from monitoring.models import Delivery

    rows = Delivery.objects.filter(registration__reference=reference).select_related("registration")
    deliveries = list(rows.order_by("id"))
    frame.wait_to_begin()
    for delivery in deliveries:
        ingest_now(delivery)


if __name__ == "__main__":
    main()
