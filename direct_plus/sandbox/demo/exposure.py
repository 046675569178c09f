"""What the demo's customer has at stake with each company, as a file of its bookkeeping would list it."""

import csv
import io
from collections.abc import Iterator
from datetime import date, timedelta
from random import Random
from typing import NamedTuple

from direct_plus.sandbox.demo import companies
from direct_plus.sandbox.demo.world import CUSTOMERS, LISTS, SUPPLIERS

HEADER = ("D-U-N-S number", "Amount", "Currency", "Book", "As of")
BOOKS = {CUSTOMERS: "Receivables", SUPPLIERS: "Orders"}
GUARANTEES = "Guarantees"
# Invoices are in one of three currencies, whatever a company's own is.
CURRENCIES = {"GB": "GBP", "US": "USD", "BR": "USD", "IN": "USD", "JP": "USD"}
USUAL_CURRENCY = "EUR"
# Units of the euro in one of each currency, for the demo's table of rates.
RATES = {"USD": "0.92", "GBP": "1.17"}
# Some companies owe nothing on a day; for a few customers a guarantee was given.
NOTHING, GUARANTEED = 0.12, 0.08
SMALLEST, SPREAD = 900, 1.1


class Amount(NamedTuple):
    duns: str
    amount: int
    currency: str
    book: str
    as_of: date


def amounts(seed: int, today: date) -> list[Amount]:
    """At the ends of the last two months before `today`, in the order of books and companies."""
    ends = [_month_end(today, back) for back in (1, 0)]
    documents = companies.build(seed, today.isoformat())
    return [amount for as_of in ends for amount in _amounts(seed, documents, as_of, ends.index(as_of))]


def _month_end(today: date, back: int) -> date:
    first = today.replace(day=1)
    for _ in range(back):
        first = (first - timedelta(days=1)).replace(day=1)
    return first - timedelta(days=1)


def _amounts(seed: int, documents: list[companies.Document], as_of: date, month: int) -> Iterator[Amount]:
    for book, places in ((BOOKS[reference], LISTS[reference]) for reference in BOOKS):
        for place in places:
            lasting, luck = Random(f"exposure {seed} {book} {place}"), Random(f"exposure {seed} {book} {place} {month}")
            usual = SMALLEST * lasting.lognormvariate(0, SPREAD) * _employees(documents[place]) ** 0.6
            if luck.random() >= NOTHING:
                yield _amount(documents[place], usual * luck.uniform(0.7, 1.3), book, as_of)
            if book == BOOKS[CUSTOMERS] and lasting.random() < GUARANTEED:
                yield _amount(documents[place], usual * 2, GUARANTEES, as_of)


def _employees(document: companies.Document) -> int:
    return int(document["numberOfEmployees"][0]["value"])


def _amount(document: companies.Document, amount: float, book: str, as_of: date) -> Amount:
    currency = CURRENCIES.get(document["countryISOAlpha2Code"], USUAL_CURRENCY)
    return Amount(document["duns"], int(round(amount, -1 if amount < 10_000 else -2)), currency, book, as_of)


def exposure_file(seed: int, today: date) -> bytes:
    """The same as CSV, as people import it."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerows([HEADER, *((*row[:4], row.as_of.isoformat()) for row in amounts(seed, today))])
    return text.getvalue().encode()
