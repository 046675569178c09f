"""Lists as files: XLSX with D-U-N-S numbers as text, CSV, JSON, and D&B's form of one number a line.

What a list's columns are is declared once, with `declare`; the same columns serve every format. What comes out can be
edited and imported again without loss.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from itertools import islice
from pathlib import Path
from typing import Any, TextIO

import xlsxwriter
from django.db.models import Model, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext, override
from django.utils.translation import gettext_lazy as _

from portfolio.formulas import harmless
from portfolio.models import AuditEntry, Company, Contract, Proposal, Registration, Subject, SubjectImport
from portfolio.models import ExportFormat as Format

BATCH = 500
SHEET_ROWS = 1_000_000
CELL = 32_767
Row = Any


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its name for machines, its heading for people, and how a row is read."""

    name: str
    heading: str | Promise
    read: Callable[[Row], Any]
    width: int = 18


def nothing(rows: list[Row]) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Listing:
    """A list that can be exported. `complete` gives a batch of rows what the columns read, in few queries; `whole` says
    that they read what the list's page leaves out."""

    model: type[Model]
    columns: tuple[Column, ...]
    complete: Callable[[list[Row]], None] = nothing
    duns: Callable[[Row], str] | None = None
    whole: bool = False

    @property
    def name(self) -> str:
        return self.model._meta.label_lower

    @property
    def file_stem(self) -> str:
        """Part of the names of files, so alike in every language."""
        with override(None):
            return str(self.model._meta.verbose_name_plural).replace(" ", "-")

    def of(self, columns: Sequence[Column]) -> Listing:
        """With these columns only; none: as it is."""
        return replace(self, columns=tuple(columns)) if columns else self

    @property
    def formats(self) -> list[Format]:
        return [form for form in Format if form != Format.DUNS or self.duns]


LISTINGS: dict[str, Listing] = {}


def declare(listing: Listing) -> None:
    LISTINGS[listing.name] = listing


# Rows


def batches(queryset: QuerySet[Any], listing: Listing) -> Iterator[list[Row]]:
    """The rows in the order of the queryset, completed, a batch at a time."""
    rows = iter((queryset.defer(None) if listing.whole else queryset).iterator(chunk_size=BATCH))
    while batch := list(islice(rows, BATCH)):
        listing.complete(batch)
        yield batch


def with_companies(rows: list[Row]) -> None:
    companies = Company.objects.in_bulk(list({row.company_id for row in rows}))
    for row in rows:
        row.company = companies.get(row.company_id) or Company(duns=row.company_id)


def with_registrations(rows: list[Row]) -> None:
    registrations = Registration.objects.defer("detail").in_bulk(list({row.registration_id for row in rows}))
    for row in rows:
        row.registration = registrations[row.registration_id]


def with_both(rows: list[Row]) -> None:
    with_companies(rows)
    with_registrations(rows)


# Values


def value_of(value: Any) -> Any:
    """What JSON carries: text, numbers, true and false, null; times in UTC."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)


def text_of(value: Any) -> str:
    """What a cell shows."""
    found = value_of(value)
    if found is None:
        return ""
    return (gettext("yes") if found else gettext("no")) if isinstance(found, bool) else str(found)


def cell_of(value: Any) -> str | int | float:
    """Numbers as numbers, all else as text that no spreadsheet calculates."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return value
    return harmless(text_of(value))


# Files


def write_file(
    path: Path, form: Format, listing: Listing, queryset: QuerySet[Any], progress: Callable[[int], None] | None = None
) -> int:
    """Write the rows to `path`; returns how many. `progress` hears how many are written so far."""
    return WRITERS[form](path, listing, _counted(batches(queryset, listing), progress))


def _counted(found: Iterator[list[Row]], progress: Callable[[int], None] | None) -> Iterator[list[Row]]:
    written = 0
    for batch in found:
        yield batch
        written += len(batch)
        if progress:
            progress(written)


def write_csv(path: Path, listing: Listing, found: Iterable[list[Row]]) -> int:
    count = 0
    # With a mark at the beginning, by which spreadsheets know that it is UTF-8.
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        out = csv.writer(file)
        out.writerow([str(column.heading) for column in listing.columns])
        for batch in found:
            out.writerows([cell_of(column.read(row)) for column in listing.columns] for row in batch)
            count += len(batch)
    return count


def write_json(path: Path, listing: Listing, found: Iterable[list[Row]]) -> int:
    count = 0
    with path.open("w", encoding="utf-8") as file:
        file.write("[")
        for batch in found:
            count = _write_objects(file, listing, batch, count)
        file.write("\n]\n")
    return count


def _write_objects(file: TextIO, listing: Listing, batch: list[Row], count: int) -> int:
    for row in batch:
        values = {column.name: value_of(column.read(row)) for column in listing.columns}
        file.write(("," if count else "") + "\n" + json.dumps(values, ensure_ascii=False))
        count += 1
    return count


def write_duns(path: Path, listing: Listing, found: Iterable[list[Row]]) -> int:
    """As D&B takes and gives them: no header, one number a line (contract §4, §5); each number once."""
    assert listing.duns
    seen: set[str] = set()
    with path.open("w", encoding="ascii", newline="\n") as file:
        for batch in found:
            numbers = [number for number in dict.fromkeys(map(listing.duns, batch)) if number not in seen]
            seen.update(numbers)
            file.writelines(f"{number}\n" for number in numbers)
    return len(seen)


def write_xlsx(path: Path, listing: Listing, found: Iterable[list[Row]]) -> int:
    """Row by row, so that memory stays small; text stays text, so that D-U-N-S numbers keep their zeros."""
    count = 0
    with xlsxwriter.Workbook(str(path), {"constant_memory": True}) as book:
        text = book.add_format({"num_format": "@"})
        head = book.add_format({"bold": True, "bottom": 1})
        sheet = None
        for batch in found:
            for row in batch:
                if count % SHEET_ROWS == 0:
                    sheet = _new_sheet(book, listing.columns, head, text)
                _write_row(sheet, count % SHEET_ROWS + 1, listing.columns, row, text)
                count += 1
        if sheet is None:
            _new_sheet(book, listing.columns, head, text)
    return count


def _new_sheet(book: Any, columns: Sequence[Column], head: Any, text: Any) -> Any:
    sheet = book.add_worksheet()
    sheet.freeze_panes(1, 0)
    for number, column in enumerate(columns):
        sheet.set_column(number, number, column.width, text)
        sheet.write_string(0, number, str(column.heading), head)
    return sheet


def _write_row(sheet: Any, line: int, columns: Sequence[Column], row: Row, text: Any) -> None:
    for number, column in enumerate(columns):
        cell = cell_of(column.read(row))
        if isinstance(cell, str):
            sheet.write_string(line, number, cell[:CELL], text)
        else:
            sheet.write_number(line, number, cell)


WRITERS: dict[Format, Callable[[Path, Listing, Iterable[list[Row]]], int]] = {
    Format.CSV: write_csv,
    Format.JSON: write_json,
    Format.XLSX: write_xlsx,
    Format.DUNS: write_duns,
}


# What each list of the portfolio holds

COMPANY_COLUMNS = (
    Column("duns", "D-U-N-S", lambda row: row.company_id, 12),
    Column("name", _("Name"), lambda row: row.company.name, 36),
)

declare(
    Listing(
        Company,
        (
            Column("duns", "D-U-N-S", lambda row: row.duns, 12),
            Column("name", _("Name"), lambda row: row.name, 36),
            Column("city", _("City"), lambda row: row.city),
            Column("country", _("Country"), lambda row: row.country, 8),
            Column("operating_status", _("Status"), lambda row: row.operating_status),
            Column("changed_at", _("Last change"), lambda row: row.changed_at, 26),
        ),
        duns=lambda row: str(row.duns),
    )
)
# The first five are what an import recognises, so that the file can be edited and brought back.
declare(
    Listing(
        Subject,
        (
            *COMPANY_COLUMNS,
            Column("customer_reference", _("Customer reference"), lambda row: row.customer_reference),
            Column("tags", _("Tags"), lambda row: row.tags),
            Column("owner", _("Owner"), lambda row: row.owner),
            Column("registration", _("Registration"), lambda row: row.registration.reference),
            Column("wanted", _("Wanted"), lambda row: row.wanted, 9),
            Column("state", _("At D&B"), lambda row: row.get_state_display()),
            Column("code", _("D&B's code"), lambda row: row.code, 12),
            Column("message", _("D&B's message"), lambda row: row.message, 36),
            Column("replacement", _("Named instead"), lambda row: row.replacement, 14),
            Column("monitored_since", _("Monitored since"), lambda row: row.monitored_since, 14),
            Column("monitored_until", _("Monitored until"), lambda row: row.monitored_until, 14),
            Column("remove_on", _("To be removed on"), lambda row: row.remove_on, 14),
            Column("wanted_by", _("Wanted by"), lambda row: row.wanted_by),
            Column("wanted_at", _("Wanted at"), lambda row: row.wanted_at, 26),
        ),
        complete=with_both,
        duns=lambda row: str(row.company_id),
    )
)
declare(
    Listing(
        Registration,
        (
            Column("reference", _("Registration"), lambda row: row.reference, 30),
            Column("contract", _("Contract"), lambda row: row.contract_id),
            Column("state", _("State"), lambda row: row.get_state_display()),
            Column("adopted", _("List adopted"), lambda row: row.adopted, 12),
            Column("last_pulled_at", _("Queue last empty"), lambda row: row.last_pulled_at, 26),
            Column("next_pull_at", _("Next pull"), lambda row: row.next_pull_at, 26),
            Column("cadence", _("Pulled"), lambda row: row.get_cadence_display()),
            Column("cadence_every", _("Minutes or hours"), lambda row: row.cadence_every),
            Column("stopped_reason", _("Why stopped"), lambda row: row.stopped_reason, 36),
        ),
    )
)
declare(
    Listing(
        SubjectImport,
        (
            Column("id", _("Import"), lambda row: str(row.pk), 38),
            Column("file_name", _("File"), lambda row: row.file_name, 30),
            Column("registration", _("Registration"), lambda row: row.registration.reference),
            Column("mode", _("What it does"), lambda row: row.get_mode_display(), 30),
            Column("state", _("State"), lambda row: row.get_state_display(), 26),
            Column("total", _("Rows"), lambda row: row.total, 9),
            Column("new_billable", _("New billable companies"), lambda row: row.new_billable),
            Column("removals", _("Removals"), lambda row: row.removals, 10),
            Column("created_by", _("Uploaded by"), lambda row: row.created_by),
            Column("created_at", _("Uploaded"), lambda row: row.created_at, 26),
            Column("confirmed_by", _("Confirmed by"), lambda row: row.confirmed_by),
            Column("confirmed_at", _("Confirmed"), lambda row: row.confirmed_at, 26),
            Column("approved_by", _("Approved by"), lambda row: row.approved_by),
            Column("error", _("Trouble"), lambda row: row.error, 36),
        ),
        complete=with_registrations,
    )
)
declare(
    Listing(
        Proposal,
        (
            *COMPANY_COLUMNS,
            Column("kind", _("What is proposed"), lambda row: row.get_kind_display(), 38),
            Column("replacement", _("Add instead"), lambda row: row.replacement, 12),
            Column("cost", _("New billable companies"), lambda row: row.cost),
            Column("registration", _("Registration"), lambda row: row.registration.reference),
            Column("state", _("State"), lambda row: row.get_state_display()),
            Column("reason", _("Reason"), lambda row: row.reason, 48),
            Column("created_at", _("Proposed"), lambda row: row.created_at, 26),
            Column("confirmed_by", _("Confirmed by"), lambda row: row.confirmed_by),
            Column("decided_by", _("Decided by"), lambda row: row.decided_by),
            Column("decided_at", _("Decided"), lambda row: row.decided_at, 26),
            Column("note", _("Why dismissed"), lambda row: row.note, 36),
        ),
        complete=with_both,
        duns=lambda row: str(row.company_id),
    )
)
declare(
    Listing(
        AuditEntry,
        (
            Column("at", _("When"), lambda row: row.at, 26),
            Column("actor", _("Who"), lambda row: row.actor),
            Column("action", _("Did what"), lambda row: row.action),
            Column("what", _("To what"), lambda row: row.what),
            Column("key", _("Which one"), lambda row: row.key, 38),
            Column("summary", _("In words"), lambda row: row.summary, 60),
            Column("before", _("Before"), lambda row: row.before, 36),
            Column("after", _("After"), lambda row: row.after, 36),
        ),
        whole=True,
    )
)
declare(
    Listing(
        Contract,
        (
            Column("name", _("Contract"), lambda row: row.name),
            Column("anniversary", _("Anniversary"), lambda row: row.anniversary, 14),
            Column("contracted_number", _("Contracted number"), lambda row: row.contracted_number),
            Column("cap", _("One person may confirm"), lambda row: row.cap),
        ),
    )
)
