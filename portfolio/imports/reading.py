"""An uploaded file → a validation for each row, chunk by chunk; killed anywhere, it continues where it was."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, Generic, Protocol, TypeVar

import msgspec
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.blobs import load_bytes
from portfolio.imports.chunks import CHUNK, store_chunk, stored_rows
from portfolio.imports.columns import BadFile, Sheet, Unfinished
from portfolio.imports.csv_reader import is_workbook
from portfolio.imports.states import counts_of, file_key, move, with_counts
from portfolio.models import ImportState
from portfolio.models.imports import Upload

TRIES = 2
BROKEN_OFF = _("The workbook could not be read: two attempts failed. Save the list as CSV and upload that file.")


class Lines(Protocol):
    """A table, whatever its lines are."""

    about: int
    sheets: list[Sheet]

    @property
    def note(self) -> str: ...

    def lines(self, start: int = 0) -> Iterator[Any]: ...


AnyUpload = TypeVar("AnyUpload", bound=Upload)
AnyLines = TypeVar("AnyLines", bound=Lines)
Row = TypeVar("Row", bound=Any)


class Validates(Protocol[Row]):
    def remember(self, rows: Iterable[Row]) -> None: ...

    def validate(self, lines: list[Any]) -> list[Row]: ...


@dataclass(frozen=True, slots=True)
class Reader(Generic[AnyUpload, AnyLines, Row]):
    """What a kind of upload is read with. `finish` gets it once every row is checked."""

    row: type[Row]
    open: Callable[[bytes, str], AnyLines]
    validator: Callable[[AnyUpload, AnyLines], Validates[Row]]
    finish: Callable[[AnyUpload], None]

    def read(self, upload: AnyUpload, *, until: datetime | None = None) -> None:
        """Check every row; stops at `until`, or when another process reads. Call it again and it continues."""
        if upload.state == ImportState.UPLOADED and not move(upload, state=ImportState.READING, error=""):
            return
        if upload.state != ImportState.READING:
            return
        try:
            is_done = self._read_rows(upload, until)
        except Unfinished as error:
            if upload.tries < TRIES:
                self.read(upload, until=until)
                return
            move(upload, state=ImportState.FAILED, error=str(error))
            return
        except BadFile as error:
            move(upload, state=ImportState.FAILED, error=str(error))
            return
        if is_done:
            self.finish(upload)

    def _read_rows(self, upload: AnyUpload, until: datetime | None) -> bool:
        table = self._open(upload)
        if table is None:
            return False
        validate = self.validator(upload, table)
        validate.remember(stored_rows(upload, self.row))
        lines = table.lines(upload.position)
        for chunk in iter(lambda: list(islice(lines, CHUNK)), []):
            if until and timezone.now() >= until:
                return False
            if not self._validate_chunk(upload, validate, chunk, about=table.about, note=table.note):
                return False
        return True

    def _open(self, upload: AnyUpload) -> AnyLines | None:
        """None where somebody else reads it. A try is counted before it is made, lest a workbook be tried for ever that
        takes its reader down with it."""
        content = load_bytes(file_key(upload))
        if not is_workbook(content):
            return self.open(content, upload.sheet)
        if upload.tries >= TRIES:
            raise BadFile(BROKEN_OFF)
        if not move(upload, tries=upload.tries + 1):
            return None
        table = self.open(content, upload.sheet)
        sheets = msgspec.json.encode(table.sheets).decode()
        return table if move(upload, tries=0, sheets=sheets) else None

    def _validate_chunk(
        self, upload: AnyUpload, validate: Validates[Row], lines: list[Any], *, about: int, note: str
    ) -> bool:
        rows = store_chunk(upload, upload.chunks, validate.validate(lines), self.row)
        position = upload.position + len(lines)
        return move(
            upload,
            position=position,
            chunks=upload.chunks + 1,
            counts=with_counts(counts_of(upload), Counter(row.validation for row in rows)),
            total=max(about, position),
            note=note,
            error="",
        )
