"""A file of amounts for as many companies: validation, applying, what companies show after it, and sums on a day.

python -m benchmarks.exposure [--rows 300000]
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from datetime import date
from random import Random
from typing import Any

from benchmarks import frame
from benchmarks.frame import Amount, target, timed

ROWS = Amount("rows", "rows of the file, and companies", 100, 30_000, 300_000)
# Seconds for 300,000 rows.
MOST_SECONDS = {"import in all": 60, "sums of a day": 1}
DAY = date(2026, 3, 31)


def main() -> None:
    options = frame.options(__doc__, ROWS, engines=("sqlite", "postgres"))
    with frame.reported(options) as report:
        for engine, databases in frame.engines(options, report):
            found = frame.once(databases, measure, rows=options.rows)
            rows = [[name, f"{value:,.2f} s", aim(name, value, options.rows)] for name, value in found.items()]
            report.table(f"{engine}, {options.rows:,} rows", ("", "time", "target"), rows)


def aim(name: str, value: float, rows: int) -> str:
    if name not in MOST_SECONDS:
        return ""
    return target(value * 300_000 / rows, most=MOST_SECONDS[name], unit=" s for 300,000")


# In a process of its own


def measure(rows: int) -> Mapping[str, float]:
    make_companies(rows)
    content = file_of(rows)
    found = {"validation": timed(read, content), "applying": timed(apply), "columns of companies": timed(refresh)}
    found["import in all"] = sum(found.values())
    found["sums of a day"] = timed(sums)
    found["sums of a day again"] = timed(sums)
    return found


def make_companies(rows: int) -> None:
    from core.db import in_batches
    from portfolio.models import Company

    for batch in in_batches(numbers(rows), 5_000):
        Company.objects.bulk_create([Company(duns=duns, name=f"Company {duns}") for duns in batch])


def numbers(rows: int) -> list[str]:
    return [f"{100_000_000 + n * 7 % 899_999_999}" for n in range(rows)]


def file_of(rows: int) -> bytes:
    """As spreadsheets have it: a comma for decimals, and in each fifth row a currency that has to be converted."""
    chance, text = Random(1), io.StringIO()
    text.write("D-U-N-S;Name;Amount;Currency\n")
    for duns in numbers(rows):
        whole, cents = divmod(chance.randrange(10**9), 100)
        amount = f"{whole:,}".replace(",", ".")
        text.write(f"{duns};Company {duns};{amount},{cents:02d};{'USD' if chance.random() < 0.2 else 'EUR'}\n")
    return text.getvalue().encode()


def read(content: bytes) -> None:
    from decimal import Decimal

    from portfolio.exposure.rates import set_rate
    from portfolio.exposure.upload import create_exposure_import, read_exposure
    from portfolio.models import ImportState

    set_rate(currency="USD", day=DAY, rate=Decimal("0.8731"), set_by="bench")
    upload = create_exposure_import(
        content=content, file_name="amounts", mode="replace", book="receivables", currency="EUR", as_of=DAY,
        source="command", requested_by="bench",
    )  # fmt: skip
    read_exposure(upload)
    assert upload.state == ImportState.READ, upload.error


def apply() -> None:
    from portfolio.exposure.upload import apply_exposure
    from tests.builders.people import an_actor

    apply_exposure(the_upload(), applied_by=an_actor("bench"))


def refresh() -> None:
    from portfolio.exposure.refresh import refresh_columns

    refresh_columns()


def sums() -> None:
    from portfolio.exposure.totals import exposures_at

    exposures_at(DAY)


def the_upload() -> Any:
    from portfolio.models import ExposureImport

    return ExposureImport.objects.get()


if __name__ == "__main__":
    main()
