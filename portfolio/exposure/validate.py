"""Lines of a file of amounts → a validation for each, and everything that is wrong with it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date

import msgspec
from django.utils.translation import gettext

from core.db import clean_text, existing_keys
from core.text import counted
from direct_plus.duns import InvalidDuns, LostLeadingZero
from portfolio.companies.duns_lists import is_plain, read_listed
from portfolio.exposure.amounts import Amount, BadAmount, TwoReadings, read_amount
from portfolio.exposure.books import book_key, book_name
from portfolio.exposure.columns import ExposureLine, ExposureTable
from portfolio.exposure.currencies import currency_of
from portfolio.exposure.days import BadDay, read_day
from portfolio.exposure.flaws import COUNTED, Check, Flaw
from portfolio.exposure.money import exact_money_text
from portfolio.exposure.references import References
from portfolio.models import Company, ExposureImport


class ExposureRow(msgspec.Struct, array_like=True, frozen=True):
    """What was written in a line, what it became, and what is wrong with it."""

    line: int
    company: str
    written: str
    validation: str
    reason: str = ""
    name: str = ""
    duns: str = ""
    cents: int = 0
    currency: str = ""
    book: str = ""
    day: str = ""

    @property
    def label(self) -> str:
        return str(Check(self.validation).label)

    @property
    def shown(self) -> str:
        """The amount as it was read; as written where it was not."""
        return exact_money_text(self.cents, self.currency) if self.validation in COUNTED else self.written

    @property
    def key(self) -> tuple[str, str, str]:
        return book_key(self.book), self.day, self.duns


@dataclass(slots=True)
class Draft:
    """A row while it is read: all its flaws are found, not only the first."""

    duns: str = ""
    amount: Amount | None = None
    currency: str = ""
    book: str = ""
    day: date | None = None
    flaws: list[Flaw] = field(default_factory=list)


class ExposureValidator:
    """Knows the keys that the file has named so far."""

    def __init__(self, upload: ExposureImport, table: ExposureTable) -> None:
        self._upload = upload
        self._mark = upload.decimal_mark or table.decimal_mark
        self._references = References()
        self._first_lines: dict[tuple[str, str, str], int] = {}

    def remember(self, rows: Iterable[ExposureRow]) -> None:
        for row in rows:
            if row.validation in COUNTED:
                self._first_lines[row.key] = row.line

    def validate(self, lines: Sequence[ExposureLine]) -> list[ExposureRow]:
        filled = [line for line in lines if not line.is_empty]
        self._references.learn([line.reference for line in filled if not line.duns])
        drafts = [self._draft(line) for line in filled]
        known = existing_keys(Company, list({draft.duns for draft in drafts if draft.duns}))
        return [self._row(line, draft, known) for line, draft in zip(filled, drafts, strict=True)]

    def _draft(self, line: ExposureLine) -> Draft:
        draft = Draft()
        for step in (self._read_company, self._read_amount, self._read_currency, self._read_book, self._read_day):
            try:
                step(line, draft)
            except Flaw as flaw:
                draft.flaws.append(flaw)
        return draft

    def _read_company(self, line: ExposureLine, draft: Draft) -> None:
        draft.duns = read_duns(line.duns) if line.duns else self._references.company_of(line.reference)

    def _read_amount(self, line: ExposureLine, draft: Draft) -> None:
        try:
            draft.amount = read_amount(line.amount, self._mark)
        except TwoReadings as error:
            raise Flaw(Check.DECISION, str(error)) from error
        except BadAmount as error:
            raise Flaw(Check.AMOUNT, str(error)) from error
        if draft.amount.cents < 0:
            raise Flaw(Check.NEGATIVE, gettext("The amount is negative. Enter the amount at stake: 0 or more."))

    def _read_currency(self, line: ExposureLine, draft: Draft) -> None:
        beside = draft.amount.currency if draft.amount else ""
        written = line.currency or beside or self._upload.currency
        draft.currency = currency_of(written)
        if not draft.currency:
            words = gettext("“%(text)s” is not a currency. Use a code such as EUR.") % {"text": written[:20]}
            raise Flaw(Check.CURRENCY, words if written else gettext("The currency is missing."))
        if beside and beside != draft.currency:
            codes = f"{draft.currency}, {beside}"
            raise Flaw(
                Check.CURRENCY, gettext("The row names two currencies: %(codes)s. Keep one of them.") % {"codes": codes}
            )

    def _read_book(self, line: ExposureLine, draft: Draft) -> None:
        draft.book = book_name(line.book or self._upload.book)
        if not draft.book:
            raise Flaw(Check.BOOK, gettext("The kind of amount is missing."))

    def _read_day(self, line: ExposureLine, draft: Draft) -> None:
        try:
            draft.day = read_day(line.day) if line.day else self._upload.as_of
        except BadDay as error:
            raise Flaw(Check.DAY, str(error)) from error

    def _row(self, line: ExposureLine, draft: Draft, known: set[str]) -> ExposureRow:
        row = ExposureRow(
            line.number,
            clean_text(line.duns or line.reference, 60),
            clean_text(" ".join(filter(None, (line.amount, line.currency))), 60),
            Check.ACCEPTED if draft.duns in known else Check.NOT_LISTED,
            name=clean_text(line.name, 300),
            duns=draft.duns,
            cents=draft.amount.cents if draft.amount else 0,
            currency=draft.currency,
            book=draft.book,
            day=draft.day.isoformat() if draft.day else "",
        )
        flaws = draft.flaws or self._repeats(row)
        if not flaws:
            return row
        reason = clean_text(" ".join(map(str, flaws)), 400)
        return msgspec.structs.replace(row, validation=flaws[0].kind, reason=reason)

    def _repeats(self, row: ExposureRow) -> list[Flaw]:
        first = self._first_lines.setdefault(row.key, row.line)
        if first == row.line:
            return []
        words = gettext("Same company, kind of amount and day as in line %(first)s. Only that line is used.")
        return [Flaw(Check.DUPLICATE, words % {"first": counted(first)})]


def read_duns(text: str) -> str:
    if is_plain(text):
        return text
    try:
        return read_listed(text)
    except LostLeadingZero as flaw:
        advice = gettext("Enter all nine digits.")
        raise Flaw(Check.COMPANY, clean_text(f"{flaw.reason}. {advice}", 200)) from flaw
    except InvalidDuns as flaw:
        raise Flaw(Check.COMPANY, clean_text(f"{flaw.reason}.", 200)) from flaw
