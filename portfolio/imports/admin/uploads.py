"""What the pages of all kinds of uploads have in common: the form, the progress, the rows by their validation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from itertools import islice
from typing import Any, TypeVar

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.text import counted
from portfolio.imports.columns import BadFile
from portfolio.imports.csv_reader import check_kind
from portfolio.imports.states import IN_WORK
from portfolio.models import ImportState
from portfolio.models.imports import Upload

ROWS_A_PAGE = 50
WAITS_LONG_AFTER = timedelta(seconds=20)
TONES = {
    ImportState.UPLOADED: "info",
    ImportState.READING: "info",
    ImportState.READ: "warn",
    ImportState.AWAITING_APPROVAL: "warn",
    ImportState.CONFIRMED: "info",
    ImportState.APPLIED: "good",
    ImportState.AWAITING_UNDO: "warn",
    ImportState.UNDOING: "info",
    ImportState.UNDONE: "calm",
    ImportState.CANCELLED: "calm",
    ImportState.FAILED: "bad",
}
Row = TypeVar("Row")


class FileOrText(forms.Form):
    """Either a file or pasted text; what can hold no list is refused immediately."""

    file = forms.FileField(required=False, allow_empty_file=True)
    text = forms.CharField(required=False, strip=False)
    pasted: str | Promise = ""
    nothing: str | Promise = _("Choose a file, or paste rows.")
    both: str | Promise = _("Choose a file, or paste rows.")

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or self.cleaned_data
        file, text = given.get("file"), given.get("text", "")
        if file is not None and text.strip():
            raise ValidationError(str(self.both))
        if file is None and not text.strip():
            raise ValidationError(str(self.nothing))
        given["content"] = file.read() if file is not None else text.encode("utf-8", "replace")
        given["name"] = file.name if file is not None else str(self.pasted)
        given["source"] = "upload" if file is not None else "paste"
        try:
            check_kind(given["content"])
        except BadFile as error:
            raise ValidationError(str(error)) from error
        return given


# The page of one


def waits_long(row: Upload) -> bool:
    return row.state in IN_WORK and (row.moved_at or row.created_at) < timezone.now() - WAITS_LONG_AFTER


def progress_of(row: Upload, done: int | None = None) -> dict[str, Any] | None:
    """Percent and words of the bar, while there is work in progress. `done`: rows, where the position counts others."""
    if row.state not in IN_WORK:
        return None
    position = row.position if done is None else done
    total = max(row.total or 0, position)
    percent = 100 * position / total if total else 0
    words = {
        ImportState.READING: gettext("%(position)s of about %(total)s rows checked"),
        ImportState.CONFIRMED: gettext("%(position)s of about %(total)s rows applied"),
        ImportState.UNDOING: gettext("%(position)s of about %(total)s rows undone"),
    }.get(ImportState(row.state))
    if not words or not total:
        return {"percent": f"{percent:.1f}", "words": gettext("Starts in a moment …")}
    return {"percent": f"{percent:.1f}", "words": words % {"position": counted(position), "total": counted(total)}}


def tiles_of(
    counts: Mapping[str, int], labels: Iterable[tuple[str, str | Promise]], tones: Mapping[Any, str], shown: str
) -> Iterator[dict[str, Any]]:
    """All rows, and those of each validation that there is, with its label."""
    kinds = [(name, label) for name, label in labels if counts.get(name)]
    every = {"count": sum(counts[name] for name, _label in kinds), "label": gettext("All rows"), "validation": ""}
    yield {**every, "tone": "info", "is_on": not shown}
    for name, label in kinds:
        tile = {"count": counts[name], "label": label, "validation": name, "tone": tones.get(name, "bad")}
        yield {**tile, "is_on": name == shown}


def rows_on(page: int, rows: Iterable[Row]) -> list[Row]:
    """One more than a page, where there are more."""
    start = page * ROWS_A_PAGE
    return list(islice(rows, start, start + ROWS_A_PAGE + 1))


def page_number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else 0
