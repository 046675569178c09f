"""Lines of cells → the columns that matter: where the D-U-N-S numbers stand, and what else is told about them.

A list without numbers is one of names and countries: D&B is asked for candidates (portfolio/company_search/)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import ClassVar, TypeVar

import msgspec
from django.utils.translation import gettext

from core.exports.spreadsheet_escape import plain
from portfolio.companies.duns_lists import COMMENT, is_comment, looks_like_duns, until_comment

SAMPLE, SAMPLE_CELLS = 200, 200_000
HEADER_WITHIN = 20
NUMBER_HEADERS = {"duns", "dunsnumber", "dunsno", "dunsnr", "dunsnummer", "dunsnum", "dunsid", "dnbduns"}
# The D-U-N-S number of another company in the same line.
OTHERS_HEADERS = ("parent", "ultimate", "headquarter", "hq", "previous", "former", "old", "mutter")
HEADERS = {
    "name": "name companyname company suppliername supplier vendorname vendor businessname primaryname organisation "
    "organization organisationname organizationname customername firm firma firmenname",
    "customer_reference": "customerreference customerref reference ref yourreference ourreference suppliernumber "
    "supplierno supplierid vendornumber vendorno vendorid customernumber customerno customerid accountnumber "
    "kundennummer lieferantennummer referenz id",
    "tags": "tags tag labels label groups group category categories schlagworte",
    "owner": "owner responsible responsibleperson accountmanager manager buyer contact lookedafterby verantwortlich",
    "country": "country countrycode countryiso countryisocode isocountry isocountrycode nation land länderkennzeichen",
    "street": "street streetaddress address addressline addressline1 address1 strasse straße anschrift",
    "city": "city town locality ort stadt",
    "postal_code": "postalcode postcode zip zipcode plz postleitzahl",
    "registration_number": "registrationnumber registrationno companyregistrationnumber companynumber registernumber "
    "vat vatnumber vatid taxid handelsregisternummer registernummer hrb",
    "telephone": "telephone telephonenumber phone phonenumber tel telefon telefonnummer",
}
# What a list without numbers must have.
FINDABLE = {"name", "country"}
FIELD_OF = {word: field for field, words in HEADERS.items() for word in words.split()}


class NumberText(str):
    """A number of a spreadsheet: its point is for decimals, which a text's may not be."""

    __slots__ = ()


Cells = list[str]
Numbered = tuple[int, Cells]
Rows = Callable[[], Iterator[Numbered]]


class BadFile(ValueError):
    """The file cannot be read; the text says what to do."""


class EmptyTable(BadFile):
    def __init__(self) -> None:
        super().__init__(gettext("The file is empty. Add a row for each company and upload it again."))


class Unfinished(BadFile):
    """Reading it was broken off. It may have been bad luck, so it is worth another try."""


class Sheet(msgspec.Struct):
    """A sheet of a workbook: its rows below the header, and whether D-U-N-S numbers were found there."""

    name: str = ""
    rows: int = 0
    hidden: bool = False
    has_numbers: bool = False
    is_read: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the file: its number as the person's program shows it, and its cells by field."""

    number: int
    duns: str
    name: str = ""
    customer_reference: str = ""
    tags: str = ""
    owner: str = ""
    country: str = ""
    street: str = ""
    city: str = ""
    postal_code: str = ""
    registration_number: str = ""
    telephone: str = ""

    @property
    def is_empty(self) -> bool:
        return not (self.duns or self.name or self.customer_reference or self.tags or self.owner or self.country)

    @property
    def may_be_found(self) -> bool:
        """By its name and country, though its number is not known."""
        return bool(self.name and self.country) and not self.duns

    @property
    def lacks_name(self) -> bool:
        """A row with a country would be searched for, if it said for what."""
        return bool(self.country) and not (self.name or self.duns)


@dataclass(frozen=True, slots=True)
class Columns:
    """Where each field stands; `header` is the line that says so, 0 where none does."""

    places: dict[str, int]
    header: int = 0


class BaseTable:
    """The lines of a file, whatever it lists. The same file yields the same lines each time."""

    def __init__(self, rows: Rows, *, about: int) -> None:
        self._rows = rows
        self.about = about
        self.sheets: list[Sheet] = []
        sample = list(sample_of(rows))
        if not sample:
            raise EmptyTable
        self.listed = [row for row in sample if not is_remark(row[1])]
        self.columns = self.find_columns(self.listed)
        self.rows_above = sum(number <= self.columns.header for number, _ in sample)

    @classmethod
    def places_in(cls, cells: Cells) -> dict[str, int]:
        """The fields that a header line names; empty where it is none."""
        raise NotImplementedError

    def find_columns(self, sample: list[Numbered]) -> Columns:
        raise NotImplementedError


AnyTable = TypeVar("AnyTable", bound=BaseTable)


class Table(BaseTable):
    """Of a list of companies: from any place on."""

    def __init__(self, rows: Rows, *, about: int) -> None:
        super().__init__(rows, about=about)
        self.has_more = any(len(list(filter(None, cells))) > 1 for _, cells in self.listed)
        self.is_list = not self.columns.header and _are_lists([cells for _, cells in self.listed])

    @classmethod
    def places_in(cls, cells: Cells) -> dict[str, int]:
        return places_in(cells)

    def find_columns(self, sample: list[Numbered]) -> Columns:
        return find_columns(sample)

    @property
    def note(self) -> str:
        if self.is_list or not self.has_more or len(self.columns.places) > 1 or self.columns.header:
            return ""
        return gettext("Only D-U-N-S numbers were read, because the file has no header row.")

    def lines(self, start: int = 0) -> Iterator[Line]:
        return islice(self._lines(), start, None)

    def _lines(self) -> Iterator[Line]:
        for number, cells in self._rows():
            if self.is_list and is_list(cells):
                yield from (Line(number, cell) for cell in until_comment(cells) if cell)
            elif number > self.columns.header and not self._is_comment(cells):
                yield line_of(number, cells, self.columns.places)

    def _is_comment(self, cells: Cells) -> bool:
        """By the cell that ought to hold the number: a name may begin with the same mark."""
        place = self.columns.places.get("duns", len(cells))
        number = cells[place] if place < len(cells) else ""
        return is_comment(number or next(filter(None, cells), ""))


class HeadedTable(BaseTable):
    """Of a value for each company: found by their headings, because a number alone may be anything."""

    note = ""
    field_of: ClassVar[Mapping[str, str]]
    value: ClassVar[str]

    @classmethod
    def places_in(cls, cells: Cells) -> dict[str, int]:
        """Of a heading that names the value, and the company by its D-U-N-S number or a number of one's own."""
        fields = [cls.field_of.get(word_of(cell), "") for cell in cells]
        places = {field: place for place, field in reversed(list(enumerate(fields))) if field}
        number = places_in(cells).get("duns")
        if number is not None:
            places = {field: place for field, place in places.items() if place != number} | {"duns": number}
        return places if cls.value in places and places.keys() & {"duns", "reference"} else {}

    def find_columns(self, sample: list[Numbered]) -> Columns:
        for number, cells in sample[:HEADER_WITHIN]:
            if places := self.places_in(cells):
                return Columns(places, number)
        raise BadFile(self.missing())

    @staticmethod
    def missing() -> str:
        """What to do where no heading is found."""
        raise NotImplementedError

    def values(self) -> Iterator[tuple[int, dict[str, str]]]:
        """The number of each line below the heading, and its cells by field."""
        places = self.columns.places.items()
        for number, cells in self._rows():
            if number > self.columns.header:
                yield number, {field: plain(cells[place]) for field, place in places if place < len(cells)}


# Columns


def sample_of(rows: Rows) -> Iterator[Numbered]:
    """The first rows that hold something, as far as memory is no question."""
    left = SAMPLE_CELLS
    for number, cells in islice((row for row in rows() if any(row[1])), SAMPLE):
        yield number, cells
        left -= len(cells)
        if left < 0:
            return


def find_columns(sample: list[Numbered]) -> Columns:
    """By a header line; else the column that holds D-U-N-S numbers."""
    for number, cells in sample[:HEADER_WITHIN]:
        if places := places_in(cells):
            return Columns(places, number)
    width = max((len(cells) for _, cells in sample), default=0)
    scores = [sum(map(looks_like_duns, _column(sample, place))) for place in range(width)]
    best = max(scores, default=0)
    if not best:
        raise BadFile(
            gettext(
                "No column with D-U-N-S numbers was found. Add the heading “D-U-N-S” above the column with the "
                "nine-digit "
                "numbers, or the headings “Name” and “Country” to find the numbers at D&B, or use the template."
            )
        )
    return Columns({"duns": scores.index(best)})


def _column(sample: list[Numbered], place: int) -> Iterator[str]:
    return (cells[place] for _, cells in sample if place < len(cells))


def is_remark(cells: Cells) -> bool:
    """A comment above or within the list, and no header: that may begin with the mark too, “# DUNS” or “#; DUNS”."""
    first, *others = list(filter(None, cells))[:2] or [""]
    is_header = (first == COMMENT and others) or any(word_of(cell) in NUMBER_HEADERS for cell in cells)
    return is_comment(first) and not is_header


def places_in(cells: Cells) -> dict[str, int]:
    """The fields that a header line names; empty where it names neither D-U-N-S numbers nor names and countries."""
    words = [word_of(cell) for cell in cells]
    number = _number_place(words)
    places = {} if number is None else {"duns": number}
    for place, word in enumerate(words):
        field = FIELD_OF.get(word)
        if field and place != number:
            places.setdefault(field, place)
    return places if "duns" in places or places.keys() >= FINDABLE else {}


def word_of(cell: str) -> str:
    """A header as the tables above have it; nothing for what is a text, or a line that was not cut."""
    if len(cell) > 60 or any(mark in cell for mark in ";|\t"):
        return ""
    return "".join(filter(str.isalnum, cell.casefold()))


def _number_place(words: list[str]) -> int | None:
    exact = [place for place, word in enumerate(words) if word in NUMBER_HEADERS]
    close = [
        place
        for place, word in enumerate(words)
        if "duns" in word and not any(char.isdigit() for char in word) and not any(o in word for o in OTHERS_HEADERS)
    ]
    return next(iter(exact + close), None)


def is_list(cells: Cells) -> bool:
    """Several numbers in one line, as in “804735132, 150483782”."""
    filled = [cell for cell in until_comment(cells) if cell]
    return len(filled) > 1 and all(map(looks_like_duns, filled))


def _are_lists(sample: list[Cells]) -> bool:
    """A table has as many columns in each line; the second of them may hold another company's number."""
    is_ragged = len(sample) == 1 or len(set(map(len, sample))) > 1
    return is_ragged and any(map(is_list, sample))


def line_of(number: int, cells: Cells, places: dict[str, int]) -> Line:
    values = {field: cells[place] if place < len(cells) else "" for field, place in places.items()}
    told = {field: plain(value) for field, value in values.items() if field != "duns"}
    return Line(number, values.get("duns", ""), **told)
