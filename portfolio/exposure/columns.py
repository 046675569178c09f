"""The lines of a file of amounts: found by their headings, because a number alone may be anything."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import islice

from django.utils.translation import gettext

from core.exports.spreadsheet_escape import plain
from portfolio.exposure.amounts import mark_in
from portfolio.imports import columns as companies
from portfolio.imports.columns import HEADER_WITHIN, BadFile, BaseTable, Cells, Columns, Numbered, word_of

HEADERS = {
    "amount": "amount exposure balance outstanding openamount openbalance openitems value total totalamount sum "
    "receivable receivables betrag saldo offenerbetrag offeneposten forderung forderungen summe montant encours solde "
    "importe importo saldototale",
    "currency": "currency currencycode curr ccy cur iso isocode währung waehrung währungsschlüssel devise "
    "moneda valuta",
    "book": "book type exposuretype category kind ledger source buch art kategorie",
    "day": "asof date day asofdate keydate balancedate duedate reportdate stichtag datum fecha data valuedate",
    "reference": companies.HEADERS["customer_reference"] + " kunde debitor debtor debtornumber creditor kreditor",
    "name": companies.HEADERS["name"],
}
FIELD_OF = {word: field for field, words in reversed(HEADERS.items()) for word in words.split()}


@dataclass(frozen=True, slots=True)
class ExposureLine:
    """A line of the file: its number as the person's program shows it, and its cells by field."""

    number: int
    duns: str = ""
    reference: str = ""
    amount: str = ""
    currency: str = ""
    book: str = ""
    day: str = ""
    name: str = ""

    @property
    def is_empty(self) -> bool:
        return not (self.duns or self.reference or self.amount)


class ExposureTable(BaseTable):
    note = ""

    @staticmethod
    def places_in(cells: Cells) -> dict[str, int]:
        """Of a heading that names the amount, and the company by its D-U-N-S number or a number of one's own."""
        places = {
            field: place for place, cell in reversed(list(enumerate(cells))) if (field := FIELD_OF.get(word_of(cell)))
        }
        number = companies.places_in(cells).get("duns")
        if number is not None:
            places = {field: place for field, place in places.items() if place != number} | {"duns": number}
        has_company = "duns" in places or "reference" in places
        return places if "amount" in places and has_company else {}

    def find_columns(self, sample: list[Numbered]) -> Columns:
        for number, cells in sample[:HEADER_WITHIN]:
            if places := self.places_in(cells):
                return Columns(places, number)
        raise BadFile(
            gettext(
                "No columns with companies and amounts were found. Add the headings “D-U-N-S” and “Amount” above them, "
                "or use the template."
            )
        )

    def lines(self, start: int = 0) -> Iterator[ExposureLine]:
        return islice(self._lines(), start, None)

    def _lines(self) -> Iterator[ExposureLine]:
        places = self.columns.places.items()
        for number, cells in self._rows():
            if number > self.columns.header:
                values = {field: plain(cells[place]) for field, place in places if place < len(cells)}
                yield ExposureLine(number, **values)

    @cached_property
    def decimal_mark(self) -> str:
        """The one that amounts of this file prove; nothing where they prove none, or both."""
        marks = {mark_in(line.amount) for line in self._lines()} - {""}
        return marks.pop() if len(marks) == 1 else ""
