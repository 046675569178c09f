"""The lines of a file of amounts: found by their headings, because a number alone may be anything."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import islice

from django.utils.translation import gettext

from portfolio.exposure.amounts import mark_in
from portfolio.imports import columns as companies
from portfolio.imports.columns import HeadedTable

HEADERS = {
    "amount": "amount exposure balance outstanding openamount openbalance openitems value total totalamount sum "
    "receivable receivables betrag saldo offenerbetrag offeneposten forderung forderungen summe montant encours solde "
    "importe importo saldototale",
    "currency": "currency currencycode curr ccy cur iso isocode währung waehrung währungsschlüssel devise "
    "moneda valuta",
    "book": "book kindofamount type exposuretype category kind ledger source buch art kategorie",
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


class ExposureTable(HeadedTable):
    field_of = FIELD_OF
    value = "amount"

    @staticmethod
    def missing() -> str:
        return gettext(
            "No columns with companies and amounts were found. Add the headings “D-U-N-S” and “Amount” above them, "
            "or use the template."
        )

    def lines(self, start: int = 0) -> Iterator[ExposureLine]:
        return (ExposureLine(number, **values) for number, values in islice(self.values(), start, None))

    @cached_property
    def decimal_mark(self) -> str:
        """The one that amounts of this file prove; nothing where they prove none, or both."""
        place = self.columns.places["amount"]
        marks = {mark_in(cells[place]) for _, cells in self._rows() if place < len(cells)} - {""}
        return marks.pop() if len(marks) == 1 else ""
