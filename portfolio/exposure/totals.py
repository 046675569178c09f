"""What is at stake with each company on a day, in the reporting currency; amounts without a rate stand apart."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from portfolio.exposure.currencies import code_of
from portfolio.exposure.days import today
from portfolio.exposure.ledger import Book, books_at, books_on, books_with, companies_named
from portfolio.exposure.rates import MOST_CENTS, Rates, RatesKey, convert, rates_at, rates_on
from portfolio.models import ExposureImport

if TYPE_CHECKING:
    from numpy.typing import NDArray

NONE = -1


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


def outside(duns: NDArray[Any], cents: NDArray[Any], monitored: NDArray[Any]) -> tuple[NDArray[Any], int]:
    """The companies with an amount that are not monitored, and their sum: pages about the portfolio leave them out.
    Both are sorted, each number once."""
    import numpy as np

    places = np.minimum(np.searchsorted(monitored, duns), max(len(monitored) - 1, 0))
    is_outside = monitored[places] != duns if len(monitored) else np.ones(len(duns), dtype=bool)
    return duns[is_outside], int(cents[is_outside].sum())


class Piece(NamedTuple):
    """Amounts of a book in one currency; `converted` is NONE without a rate, and where it is too large."""

    currency: str
    duns: NDArray[Any]
    cents: NDArray[Any]
    converted: NDArray[Any]

    def among(self, numbers: NDArray[Any]) -> Piece:
        import numpy as np

        chosen = np.isin(self.duns, numbers)
        return Piece(self.currency, self.duns[chosen], self.cents[chosen], self.converted[chosen])


@dataclass(frozen=True, slots=True)
class Stake:
    """An amount of one company in one book; `converted` is None without a rate, and where it is too large."""

    duns: str
    book: str
    cents: int
    currency: str
    day: date
    converted: int | None


def exposures_at(day: date | None = None, among: NDArray[Any] | None = None) -> Exposures:
    """As of the end of a day, today where none is given; with the rates of that day. Of all companies, or among these
    D-U-N-S numbers."""
    return exposures_on([day], among)[0]


def exposures_on(days: Sequence[date | None], among: NDArray[Any] | None = None) -> list[Exposures]:
    """Of several days, in as many queries as of one."""
    asked = [day or today() for day in days]
    found = zip(books_on(asked), rates_on(asked), strict=True)
    return [_exposures(books, rates.key, among) for books, rates in found]


def exposures_with(upload: ExposureImport, among: Iterable[str]) -> dict[str, int]:
    """Today's, of those of these companies that an import names, as if it counted; in cents of the reporting
    currency."""
    numbers, rates = companies_named(upload, among), rates_at(today())
    books = [book.among(numbers) for book in books_with(upload, today())] if len(numbers) else []
    pieces = [piece for book in books for piece in _pieces(book, rates)]
    return {f"{duns:09d}": cents for duns, cents in _sum(pieces, rates.reporting_currency).by_duns.items()}


def _exposures(books: tuple[Book, ...], rates: RatesKey, among: NDArray[Any] | None) -> Exposures:
    if among is None:
        return _of_all(books, rates)
    return _sum([piece.among(among) for piece in _all_pieces(books, rates)], rates[0])


# The last that were asked for, as long as amounts and rates are the same.
@lru_cache(maxsize=2)
def _of_all(books: tuple[Book, ...], rates: RatesKey) -> Exposures:
    return _sum(_all_pieces(books, rates), rates[0])


@lru_cache(maxsize=2)
def _all_pieces(books: tuple[Book, ...], rates: RatesKey) -> list[Piece]:
    currency, values = rates
    return [piece for book in books for piece in _pieces(book, Rates(currency, dict(values)))]


def _sum(pieces: Sequence[Piece], currency: str) -> Exposures:
    import numpy as np

    duns = np.concatenate([np.empty(0, "u4"), *(piece.duns[piece.converted != NONE] for piece in pieces)])
    cents = np.concatenate([np.empty(0, "i8"), *(piece.converted[piece.converted != NONE] for piece in pieces)])
    order = np.argsort(duns, kind="stable")
    duns, cents = duns[order], cents[order]
    starts = np.flatnonzero(np.append(True, duns[1:] != duns[:-1])[: len(duns)])
    sums = np.add.reduceat(cents, starts) if len(starts) else cents
    return Exposures(currency, duns[starts], sums, *_apart(pieces))


def _pieces(book: Book, rates: Rates) -> Iterator[Piece]:
    import numpy as np

    for number in np.unique(book.currencies).tolist():
        rows, code = book.currencies == number, code_of(number)
        yield Piece(code, book.duns[rows], book.cents[rows], _converted(book.cents[rows], rates.factor(code)))


def _converted(cents: NDArray[Any], factor: tuple[int, int] | None) -> NDArray[Any]:
    """Exact, so not in floating point, where there is something to convert."""
    import numpy as np

    if factor is None:
        return np.full(len(cents), NONE, "i8")
    if factor == (1, 1):
        return np.where(cents <= MOST_CENTS, cents, NONE)
    converted = (convert(one, factor) for one in cents.tolist())
    return np.array([NONE if one is None else one for one in converted], "i8")


def _apart(pieces: Sequence[Piece]) -> tuple[NDArray[Any], dict[str, tuple[int, int]]]:
    import numpy as np

    duns: dict[str, list[NDArray[Any]]] = defaultdict(list)
    sums: dict[str, int] = defaultdict(int)
    for piece in pieces:
        rows = piece.converted == NONE
        if rows.any():
            duns[piece.currency].append(piece.duns[rows])
            sums[piece.currency] += sum(piece.cents[rows].tolist())
    of_each = {code: np.unique(np.concatenate(found)) for code, found in sorted(duns.items())}
    every = np.unique(np.concatenate([np.empty(0, "u4"), *of_each.values()]))
    return every, {code: (len(found), sums[code]) for code, found in of_each.items()}


def stakes_of(duns: str, day: date | None = None) -> list[Stake]:
    """Of one company, book by book."""
    return stakes_and_rates(duns, day)[0]


def stakes_and_rates(duns: str, day: date | None = None) -> tuple[list[Stake], Rates]:
    """With the rates that converted them."""
    asked = day or today()
    rates = rates_at(asked)
    return [stake for book in books_at(asked) for stake in stakes_in(book, int(duns), rates)], rates


def stakes_in(book: Book, duns: int, rates: Rates) -> Iterator[Stake]:
    """One, or none."""
    place = book.place_of(duns)
    if place is not None:
        yield stake_at(book, place, rates)


def stake_at(book: Book, place: int, rates: Rates) -> Stake:
    cents, currency = int(book.cents[place]), code_of(int(book.currencies[place]))
    return Stake(
        f"{int(book.duns[place]):09d}",
        book.name,
        cents,
        currency,
        date.fromordinal(int(book.days[place])),
        convert(cents, rates.factor(currency)),
    )
