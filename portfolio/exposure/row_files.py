"""The checked rows of an import as a file, and the template to begin with."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from django.utils.translation import gettext

from core.exports.spreadsheet_escape import harmless
from portfolio.exposure.flaws import COUNTED
from portfolio.exposure.money import exact_text
from portfolio.exposure.validate import ExposureRow
from portfolio.imports.row_files import csv_of, template_of

HEADER = (
    *("Line", "Validation", "Reason", "Company as written", "Amount as written", "D-U-N-S", "Amount", "Currency"),
    *("Kind of amount", "As of", "Name"),
)
TEMPLATE = ("D-U-N-S", "Customer reference", "Amount", "Currency", "Kind of amount", "As of", "Name")


def as_csv(rows: Iterable[ExposureRow]) -> Iterator[bytes]:
    return csv_of(HEADER, map(_cells, rows))


def _cells(row: ExposureRow) -> list[str]:
    # What could not be read is unknown, and not 0.
    amount = exact_text(row.cents) if row.cents or row.validation in COUNTED else ""
    texts = (row.label, row.reason, row.company, row.written, row.duns, amount, row.currency)
    return [f"{row.line}", *map(harmless, (*texts, row.book, row.day, row.name))]


def template() -> bytes:
    return template_of(gettext("Exposure"), TEMPLATE, (16, 24, 16, 10, 18, 14, 36))
