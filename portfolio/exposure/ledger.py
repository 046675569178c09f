"""Which amounts count on a day: of each book the last import that replaced it, and what was added to it since."""

from __future__ import annotations

import uuid
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache, partial
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from portfolio.exposure.books import book_key, first_spellings
from portfolio.exposure.currencies import code_of
from portfolio.exposure.packed import GONE, AmountsGone, Part, Position, load, parts_of
from portfolio.models import ExposureImport, ExposureMode, ImportState

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_READ = 1_000_000
LAYER_COLUMNS = ("positions", "mode", "parts", "id", "confirmed_by", "confirmed_at")


class Layer(NamedTuple):
    """A book at a day, as one import has it."""

    owner: uuid.UUID
    place: int
    book: str
    day: date
    companies: int
    # The import, who has confirmed it, and when.
    key: uuid.UUID
    by: str
    at: datetime | None


# By identity: the same layers are the same books.
@dataclass(frozen=True, slots=True, eq=False)
class Book:
    """What counts in a book: arrays of equal length, in the order of `duns`. `days` are ordinals."""

    name: str
    duns: NDArray[Any]
    cents: NDArray[Any]
    currencies: NDArray[Any]
    days: NDArray[Any]

    def among(self, numbers: NDArray[Any]) -> Book:
        import numpy as np

        chosen = np.isin(self.duns, numbers)
        return Book(self.name, self.duns[chosen], self.cents[chosen], self.currencies[chosen], self.days[chosen])

    def place_of(self, duns: int) -> int | None:
        place = int(self.duns.searchsorted(duns))
        return place if place < len(self.duns) and self.duns[place] == duns else None


Layers = tuple[tuple[Layer, ...], ...]


def book_names() -> dict[str, str]:
    """All books that ever had amounts, in alphabetical order, by the key of the name."""
    found = {book_key(layer.book): layer.book for layer, _ in _all_layers()}
    return dict(sorted(found.items()))


def books_in_use(day: date) -> list[Book]:
    """Those with an amount of any company on a day: one whose amounts were all removed is history."""
    return [book for book in books_at(day) if len(book.duns)]


def layers_at(day: date) -> Layers:
    """Of each book the layers that count on a day, the later over the earlier."""
    return _layers_on(day, _all_layers())


def _layers_on(day: date, every: Sequence[tuple[Layer, bool]]) -> Layers:
    found: dict[str, list[tuple[Layer, bool]]] = defaultdict(list)
    for layer, replaces in sorted(every, key=lambda one: one[0].day):
        if layer.day <= day:
            found[book_key(layer.book)].append((layer, replaces))
    return tuple(_from_last_replacement(found[key]) for key in sorted(found))


def _all_layers(waiting: ExposureImport | None = None) -> list[tuple[Layer, bool]]:
    """In the order in which they were applied, one that waits behind them. Each book has the name under which it came
    first."""
    rows = ExposureImport.objects.filter(state=ImportState.APPLIED, positions__isnull=False)
    columns = list(rows.order_by("confirmed_at", "id").values_list(*LAYER_COLUMNS))
    if waiting and waiting.state != ImportState.APPLIED:
        columns.append(tuple(getattr(waiting, name) for name in LAYER_COLUMNS))
    decode = msgspec.json.Decoder(list[Part]).decode
    found = [
        (Layer(owner, place, part.book, part.day, part.companies, *confirmed), mode == ExposureMode.REPLACE)
        for owner, mode, parts, *confirmed in columns
        if owner
        for place, part in enumerate(decode(parts))
    ]
    names = first_spellings(layer.book for layer, _ in found)
    return [(layer._replace(book=names[book_key(layer.book)]), replaces) for layer, replaces in found]


def _from_last_replacement(layers: Sequence[tuple[Layer, bool]]) -> tuple[Layer, ...]:
    start = max((place for place, (_, replaces) in enumerate(layers) if replaces), default=0)
    return tuple(layer for layer, _ in layers[start:])


# The last that were asked for: several pages, and the company's page, ask for the same; movement for two days.
@lru_cache(maxsize=2)
def books_of(layers: Layers) -> tuple[Book, ...]:
    arrays = load({layer.owner for book in layers for layer in book})
    return tuple(_book(book, arrays) for book in layers)


def books_at(day: date) -> tuple[Book, ...]:
    return books_on([day])[0]


def books_on(days: Sequence[date]) -> list[tuple[Book, ...]]:
    """Of several days, whose layers are read once."""
    every = _all_layers()
    return [_books(_layers_on(day, every), partial(layers_at, day)) for day in days]


def books_with(upload: ExposureImport, day: date) -> tuple[Book, ...]:
    """On a day, as if an import counted that waits to be applied."""

    def layers() -> Layers:
        return _layers_on(day, _all_layers(waiting=upload))

    return _books(layers(), layers)


def _books(layers: Layers, read_again: Callable[[], Layers]) -> tuple[Book, ...]:
    while True:
        try:
            return books_of(layers)
        except AmountsGone:
            before, layers = layers, read_again()
            if layers == before:
                raise


def amounts_before(positions: Sequence[Position]) -> list[Position | None]:
    """What counts for the company in the book on the day of each of these; None where there is none."""
    while True:
        layers = _layers_of(positions)
        try:
            found = _courses(layers, positions)
        except AmountsGone:
            if layers == _layers_of(positions):
                raise
        else:
            return [_last_until(one.day, found[book_key(one.book), int(one.duns)]) for one in positions]


def _layers_of(positions: Sequence[Position]) -> list[tuple[Layer, bool]]:
    days, books = [one.day for one in positions], {book_key(one.book) for one in positions}
    return [one for one in _layers_between(min(days), max(days)) if book_key(one[0].book) in books]


# Of a company in a book: from each day on an amount, or none.
Course = list[tuple[date, Position | None]]


def _courses(
    layers: Sequence[tuple[Layer, bool]], positions: Sequence[Position]
) -> defaultdict[tuple[str, int], Course]:
    """In the order of days. A book that is replaced ends the amounts of the companies that are not named again."""
    asked: defaultdict[str, set[int]] = defaultdict(set)
    for one in positions:
        asked[book_key(one.book)].add(int(one.duns))
    found: defaultdict[tuple[str, int], Course] = defaultdict(list)
    for some in _read_together(layers):
        arrays = load({layer.owner for layer, _ in some})
        for layer, replaces in some:
            key = book_key(layer.book)
            named = _amounts_of(arrays[layer.owner], layer, asked[key])
            for duns in asked[key] if replaces else named:
                found[key, duns].append((layer.day, named.get(duns)))
    return found


def _read_together(layers: Sequence[tuple[Layer, bool]]) -> Iterator[list[tuple[Layer, bool]]]:
    """Few queries, and never the amounts of many years at the same time."""
    some: list[tuple[Layer, bool]] = []
    count = 0
    for one in layers:
        if some and count + one[0].companies > MOST_READ:
            yield some
            some, count = [], 0
        some.append(one)
        count += one[0].companies
    if some:
        yield some


def _amounts_of(rows: NDArray[Any], layer: Layer, asked: set[int]) -> dict[int, Position | None]:
    """Of those of the companies that the layer names; None where it ends an amount."""
    import numpy as np

    piece = rows[rows["part"] == layer.place]
    if len(piece) != layer.companies:
        raise AmountsGone
    piece = piece[np.isin(piece["duns"], np.fromiter(asked, "u4", len(asked)))]
    return {
        duns: None if cents == GONE else Position(f"{duns:09d}", cents, code_of(currency), layer.book, layer.day)
        for duns, cents, currency, _ in piece.tolist()
    }


def _last_until(day: date, course: Course) -> Position | None:
    place = bisect_right(course, day, key=itemgetter(0))
    return course[place - 1][1] if place else None


class PastAmount(NamedTuple):
    """What a company has in a book from the layer's day on; no cents where it has none any more."""

    layer: Layer
    cents: int | None
    currency: str


def past_amounts(duns: str, since: date, until: date, most: int) -> tuple[list[PastAmount], date | None]:
    """Of one company, in the order of days: for each book what counted on `since`, and each change until `until`. Where
    the layers hold more than `most` amounts, only the latest are read, and the first of their days comes with them."""
    while True:
        layers, kept_from = _latest(_layers_between(since, until), most)
        try:
            return _amounts_in(layers, int(duns)), kept_from
        except AmountsGone:
            if layers == _latest(_layers_between(since, until), most)[0]:
                raise


def _layers_between(since: date, until: date) -> list[tuple[Layer, bool]]:
    """In the order of days; of each book from the last replacement that counted on the first day."""
    by_book: dict[str, list[tuple[Layer, bool]]] = defaultdict(list)
    for layer, replaces in sorted(_all_layers(), key=lambda one: one[0].day):
        if layer.day <= until:
            its = by_book[book_key(layer.book)]
            if replaces and layer.day <= since:
                its.clear()
            its.append((layer, replaces))
    return sorted((one for its in by_book.values() for one in its), key=lambda one: one[0].day)


def _latest(layers: list[tuple[Layer, bool]], most: int) -> tuple[list[tuple[Layer, bool]], date | None]:
    count = 0
    for place in range(len(layers) - 1, -1, -1):
        count += layers[place][0].companies
        if count > most:
            return layers[place + 1 :], layers[place + 1][0].day if place + 1 < len(layers) else layers[place][0].day
    return layers, None


def _amounts_in(layers: Sequence[tuple[Layer, bool]], duns: int) -> list[PastAmount]:
    arrays, found = load({layer.owner for layer, _ in layers}) if layers else {}, list[PastAmount]()
    known: dict[str, tuple[int | None, str]] = {}
    for layer, replaces in layers:
        key, before = book_key(layer.book), known.get(book_key(layer.book), (None, ""))
        now = _amount_in(arrays[layer.owner], layer, duns) or ((None, "") if replaces else before)
        if now != before:
            known[key] = now
            found.append(PastAmount(layer, *now))
    return found


def _amount_in(rows: NDArray[Any], layer: Layer, duns: int) -> tuple[int | None, str] | None:
    """None where the layer does not name the company."""
    piece = rows[rows["part"] == layer.place]
    if len(piece) != layer.companies:
        raise AmountsGone
    named = piece[piece["duns"] == duns]
    if not len(named):
        return None
    cents = int(named["cents"][0])
    return (None, "") if cents == GONE else (cents, code_of(int(named["currency"][0])))


def companies_named(upload: ExposureImport, among: Iterable[str]) -> NDArray[Any]:
    """Those of these companies for which an import has an amount, as numbers."""
    import numpy as np

    asked = np.array([int(duns) for duns in among], "u4")
    return asked[np.isin(asked, load([upload.positions])[upload.positions]["duns"])] if upload.positions else asked[:0]


def companies_left_out(upload: ExposureImport, most: int) -> Iterator[tuple[Part, list[str]]]:
    """Of the first books that an import is going to replace: companies with an amount there that it does not name."""
    if upload.mode != ExposureMode.REPLACE or upload.positions is None:
        return
    rows = load({upload.positions})[upload.positions]
    for place, part in enumerate(parts_of(upload)[:most]):
        named = set(rows[rows["part"] == place]["duns"].tolist())
        books = [book for book in books_at(part.day) if book_key(book.name) == book_key(part.book)]
        gone = [f"{duns:09d}" for book in books for duns in book.duns.tolist() if duns not in named]
        if gone:
            yield part, gone


def _book(layers: Sequence[Layer], arrays: dict[uuid.UUID, NDArray[Any]]) -> Book:
    import numpy as np

    pieces = [arrays[layer.owner][arrays[layer.owner]["part"] == layer.place] for layer in layers]
    if any(len(piece) != layer.companies for layer, piece in zip(layers, pieces, strict=True)):
        raise AmountsGone
    days = np.concatenate(
        [np.full(len(piece), layer.day.toordinal(), "u4") for layer, piece in zip(layers, pieces, strict=True)]
    )
    rows = np.concatenate(pieces)
    order = np.argsort(rows["duns"], kind="stable")
    rows, days = rows[order], days[order]
    counts = np.append(rows["duns"][1:] != rows["duns"][:-1], True)[: len(rows)] & (rows["cents"] != GONE)
    rows = rows[counts]
    return Book(layers[-1].book, rows["duns"].copy(), rows["cents"].copy(), rows["currency"].copy(), days[counts])
