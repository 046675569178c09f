"""What is at stake with each company on a day, in the reporting currency; amounts without a rate stand apart."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, Any

from portfolio.exposure.currencies import code_of
from portfolio.exposure.days import today
from portfolio.exposure.ledger import Book, books_at
from portfolio.exposure.rates import Rates, convert, rates_at

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Exposures:
    """`duns` and `cents` have equal length, by number. A company with amounts of which only some have a rate is there
    with their sum, and among `unconverted_duns` too."""

    currency: str
    duns: NDArray[Any]
    cents: NDArray[Any]
    unconverted_duns: NDArray[Any]
    # By currency: companies, and their sum in cents of that currency.
    unconverted: Mapping[str, tuple[int, int]] = field(default_factory=dict)

    @cached_property
    def by_duns(self) -> dict[int, int]:
        return dict(zip(self.duns.tolist(), self.cents.tolist(), strict=True))


@dataclass(frozen=True, slots=True)
class Stake:
    """An amount of one company in one book; `converted` is None where its currency has no rate."""

    duns: str
    book: str
    cents: int
    currency: str
    day: date
    converted: int | None


def exposures_at(day: date | None = None) -> Exposures:
    """As of the end of a day, today where none is given; with the rates of that day."""
    asked = day or today()
    return _sum(books_at(asked), rates_at(asked))


def _sum(books: tuple[Book, ...], rates: Rates) -> Exposures:
    import numpy as np

    converted = [piece for book in books for piece in _converted(book, rates)]
    duns = np.concatenate([np.empty(0, "u4"), *(piece[0] for piece in converted)])
    cents = np.concatenate([np.empty(0, "i8"), *(piece[1] for piece in converted)])
    order = np.argsort(duns, kind="stable")
    duns, cents = duns[order], cents[order]
    starts = np.flatnonzero(np.append(True, duns[1:] != duns[:-1])[: len(duns)])
    sums = np.add.reduceat(cents, starts) if len(starts) else cents
    return Exposures(rates.reporting_currency, duns[starts], sums, *_apart(books, rates))


def _converted(book: Book, rates: Rates) -> Iterator[tuple[NDArray[Any], NDArray[Any]]]:
    """By currency: exact, so not in floating point, where there is something to convert."""
    import numpy as np

    for number in np.unique(book.currencies).tolist():
        factor = rates.factor(code_of(number))
        if factor is not None:
            rows = book.currencies == number
            cents = book.cents[rows]
            if factor != (1, 1):
                cents = np.array([convert(one, factor) for one in cents.tolist()], "i8")
            yield book.duns[rows], cents


def _apart(books: tuple[Book, ...], rates: Rates) -> tuple[NDArray[Any], dict[str, tuple[int, int]]]:
    import numpy as np

    duns: dict[str, list[NDArray[Any]]] = defaultdict(list)
    sums: dict[str, int] = defaultdict(int)
    for book in books:
        for number in np.unique(book.currencies).tolist():
            if rates.factor(code := code_of(number)) is None:
                rows = book.currencies == number
                duns[code].append(book.duns[rows])
                sums[code] += int(book.cents[rows].sum())
    of_each = {code: np.unique(np.concatenate(pieces)) for code, pieces in sorted(duns.items())}
    every = np.unique(np.concatenate([np.empty(0, "u4"), *of_each.values()]))
    return every, {code: (len(found), sums[code]) for code, found in of_each.items()}


def stakes_of(duns: str, day: date | None = None) -> list[Stake]:
    """Of one company, book by book."""
    asked = day or today()
    rates = rates_at(asked)
    return [stake for book in books_at(asked) for stake in stakes_in(book, int(duns), rates)]


def stakes_in(book: Book, duns: int, rates: Rates) -> Iterator[Stake]:
    """One, or none."""
    place = int(book.duns.searchsorted(duns))
    if place < len(book.duns) and book.duns[place] == duns:
        yield stake_at(book, place, rates)


def stake_at(book: Book, place: int, rates: Rates) -> Stake:
    cents, currency = int(book.cents[place]), code_of(int(book.currencies[place]))
    factor = rates.factor(currency)
    return Stake(
        f"{int(book.duns[place]):09d}",
        book.name,
        cents,
        currency,
        date.fromordinal(int(book.days[place])),
        None if factor is None else convert(cents, factor),
    )
