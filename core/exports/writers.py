"""A list as a file: XLSX with D-U-N-S numbers as text, CSV, JSON, or one key a line."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from io import StringIO
from pathlib import Path
from typing import Any, TextIO

from django.db.models import QuerySet

from core.exports.sheets import AS_WRITTEN, open_sheets
from core.exports.spreadsheet_escape import harmless
from core.lists.listings import Column, Listing, Row, batches, text_of, value_of
from core.models import ExportFormat as Format


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
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(csv_headings(listing.columns))
        for batch in found:
            file.write(csv_rows(listing.columns, batch))
            count += len(batch)
    return count


def csv_headings(columns: Sequence[Column]) -> str:
    """With a mark before them, by which spreadsheets know that the file is UTF-8."""
    return "\ufeff" + _csv_text([[str(column.heading) for column in columns]])


def csv_rows(columns: Sequence[Column], batch: Iterable[Row]) -> str:
    return _csv_text([cell_of(column.read(row)) for column in columns] for row in batch)


def _csv_text(lines: Iterable[Sequence[Any]]) -> str:
    text = StringIO(newline="")
    csv.writer(text).writerows(lines)
    return text.getvalue()


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
    """As D&B takes and gives them: no header, one number a line; each number once."""
    assert listing.duns
    seen: set[str] = set()
    with path.open("w", encoding="ascii", newline="\n") as file:
        for batch in found:
            numbers = [number for number in dict.fromkeys(map(listing.duns, batch)) if number not in seen]
            seen.update(numbers)
            file.writelines(f"{number}\n" for number in numbers)
    return len(seen)


def write_xlsx(path: Path, listing: Listing, found: Iterable[list[Row]]) -> int:
    """Row by row, so that memory stays small."""
    headings, widths = [str(column.heading) for column in listing.columns], [column.width for column in listing.columns]
    rows = ([column.read(row) for column in listing.columns] for batch in found for row in batch)
    with open_sheets(str(path), AS_WRITTEN, constant_memory=True) as sheets:
        return sheets.long_table(listing.title, headings, rows, widths)


WRITERS: dict[Format, Callable[[Path, Listing, Iterable[list[Row]]], int]] = {
    Format.CSV: write_csv,
    Format.JSON: write_json,
    Format.XLSX: write_xlsx,
    Format.DUNS: write_duns,
}
