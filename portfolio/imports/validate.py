"""Lines of a file → a validation for each, kept in chunks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import msgspec
from django.utils.translation import gettext

from core.db import clean_text
from core.text import counted
from direct_plus.duns import MAYBE_ZEROS, Flaw, InvalidDuns, LostLeadingZero
from portfolio.companies.countries import country_code
from portfolio.companies.duns_lists import is_plain, read_listed
from portfolio.imports import chunks
from portfolio.imports.columns import Line
from portfolio.imports.found_numbers import found_numbers
from portfolio.models import ImportMode, SubjectImport, Validation
from portfolio.subjects.requests import SubjectEntry, requested_among

# What a user has to correct in the file.
UNUSABLE = (Validation.INVALID, Validation.NO_NAME, Validation.UNKNOWN_COUNTRY)
NAMING = {Validation.NEW, Validation.REFORMATTED, Validation.REQUESTED, Validation.REMOVE, Validation.NOT_MONITORED}


class ValidatedRow(msgspec.Struct, array_like=True, frozen=True):
    """What was written in a line, the number it became, and what is thought of it."""

    line: int
    written: str
    duns: str
    validation: str
    reason: str = ""
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
    def entry(self) -> SubjectEntry:
        return SubjectEntry(self.duns, self.name, self.customer_reference, self.tags, self.owner)

    @property
    def label(self) -> str:
        return str(Validation(self.validation).label)


class Number(msgspec.Struct, frozen=True):
    """A number as read; where it is none, the validation and the reason."""

    duns: str = ""
    validation: str = ""
    reason: str = ""


class Validator:
    """Knows the numbers that the file has named so far, and what is requested in the registration."""

    def __init__(self, import_: SubjectImport) -> None:
        self._registration = import_.registration
        self._removes = import_.mode == ImportMode.REMOVE
        self._pads = bool(import_.pad_zeros)
        self._first_lines: dict[int, int] = {}
        self._found = found_numbers(import_)

    def remember(self, rows: Iterable[ValidatedRow]) -> None:
        for row in rows:
            if row.validation in NAMING:
                self._first_lines[int(row.duns)] = row.line

    def validate(self, lines: Sequence[Line]) -> list[ValidatedRow]:
        filled = [line for line in lines if not line.is_empty]
        numbers = [self._number(line) for line in filled]
        requested = requested_among(self._registration, list({number.duns for number in numbers if number.duns}))
        return [self._row(line, number, requested) for line, number in zip(filled, numbers, strict=True)]

    def _number(self, line: Line) -> Number:
        if line.lacks_name and not self._removes:
            words = gettext("Enter the name of the company, or its D-U-N-S number.")
            return Number(validation=Validation.NO_NAME, reason=words)
        if not line.may_be_found:
            return read_number(line.duns, pad=self._pads)
        if chosen := self._found.get(line.number):
            return Number(chosen.duns)
        return read_number("", pad=False) if self._removes else findable(line)

    def _row(self, line: Line, number: Number, requested: set[str]) -> ValidatedRow:
        validation, reason = (
            (number.validation, number.reason) if number.validation else self._validation(line, number, requested)
        )
        return ValidatedRow(
            line.number,
            clean_text(line.duns, 60),
            number.duns,
            validation,
            reason,
            clean_text(line.name, 300),
            clean_text(line.customer_reference, 200),
            clean_text(line.tags, 500),
            clean_text(line.owner, 200),
            country_code(line.country) or clean_text(line.country, 60),
            clean_text(line.street, 200),
            clean_text(line.city, 100),
            clean_text(line.postal_code, 20),
            clean_text(line.registration_number, 60),
            clean_text(line.telephone, 40),
        )

    def _validation(self, line: Line, number: Number, requested: set[str]) -> tuple[str, str]:
        first = self._first_lines.setdefault(int(number.duns), line.number)
        if first != line.number:
            return Validation.DUPLICATE, gettext("same as line %(first)s") % {"first": counted(first)}
        is_requested = number.duns in requested
        if self._removes:
            return (Validation.REMOVE if is_requested else Validation.NOT_MONITORED), ""
        if is_requested:
            return Validation.REQUESTED, ""
        if chosen := self._found.get(line.number):
            return Validation.NEW, chosen.reason
        return (Validation.NEW if number.duns == line.duns else Validation.REFORMATTED), ""


def findable(line: Line) -> Number:
    """D&B finds it by its name, if the country is one."""
    if country_code(line.country):
        return Number(validation=Validation.NO_NUMBER)
    words = gettext("“%(country)s” is not a country. Enter its name or a code such as DE.")
    return Number(validation=Validation.UNKNOWN_COUNTRY, reason=words % {"country": clean_text(line.country, 60)})


def read_number(text: str, *, pad: bool) -> Number:
    if is_plain(text):
        return Number(text)
    try:
        return Number(read_listed(text))
    except LostLeadingZero as flaw:
        return Number(flaw.suggestion) if pad else Number(validation=Validation.DECISION, reason=flaw.reason)
    except InvalidDuns as flaw:
        return Number(validation=Validation.INVALID, reason=clean_text(_what_to_do(flaw), 200))


def _what_to_do(flaw: InvalidDuns) -> str:
    if flaw.kind == Flaw.EMPTY:
        return flaw.reason
    advice = "" if flaw.reason.endswith(MAYBE_ZEROS) else gettext("Correct the number in your file.")
    return f"{flaw.reason}. {advice}".strip()


# Chunks


def load_chunk(import_: SubjectImport, number: int) -> list[ValidatedRow]:
    return chunks.load_chunk(import_, number, ValidatedRow)


def validated_rows(import_: SubjectImport, validation: str | None = None, *, start: int = 0) -> Iterator[ValidatedRow]:
    """The checked rows in the order of the file, from a chunk on."""
    rows = chunks.stored_rows(import_, ValidatedRow, start=start)
    return (row for row in rows if validation is None or row.validation == validation)


def numbers_named(import_: SubjectImport) -> list[str]:
    """Each D-U-N-S number that the file names, once."""
    return [row.duns for row in validated_rows(import_) if row.validation in NAMING]
