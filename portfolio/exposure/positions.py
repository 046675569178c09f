"""Single amounts in the order of companies, a page at a time."""

from __future__ import annotations

from datetime import date

from portfolio.exposure.books import book_key
from portfolio.exposure.ledger import Book, books_at
from portfolio.exposure.rates import rates_at
from portfolio.exposure.totals import Stake, stakes_in

# A company and a book, behind which a page begins.
After = tuple[int, str]


def page_of_stakes(
    day: date, *, books: frozenset[str] | None, companies: frozenset[str] | None, after: After | None, limit: int
) -> tuple[list[Stake], After | None]:
    """The amounts that count on a day, by company and book; and where the next page begins."""
    chosen = [book for book in books_at(day) if books is None or book_key(book.name) in books]
    rates, found = rates_at(day), []
    for duns in _companies(chosen, companies, after, limit):
        for book in chosen:
            key = (duns, book_key(book.name))
            if after is None or key > after:
                found += [(key, stake) for stake in stakes_in(book, duns, rates)]
        if len(found) > limit:
            break
    has_more = len(found) > limit
    return [stake for _, stake in found[:limit]], found[limit - 1][0] if has_more else None


def _companies(books: list[Book], companies: frozenset[str] | None, after: After | None, limit: int) -> list[int]:
    """As many as a page may need, in their order."""
    first = after[0] if after else 0
    if companies is not None:
        return sorted(duns for duns in map(int, companies) if duns >= first)
    found: set[int] = set()
    for book in books:
        start = int(book.duns.searchsorted(first))
        found.update(book.duns[start : start + limit + 2].tolist())
    return sorted(found)
