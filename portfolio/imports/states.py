"""An import's row: its version decides who may move it on, so two tabs, two jobs or a dead one do no harm."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from typing import Any

import msgspec
from django.utils import timezone
from django.utils.translation import gettext

from portfolio.imports.columns import Sheet
from portfolio.models import ImportState, SubjectImport, Validation
from portfolio.models.imports import Upload

# Rows that a user can confirm now, or choose for.
CONFIRMABLE = (Validation.NEW, Validation.REFORMATTED, Validation.DECISION)
IN_WORK = (ImportState.UPLOADED, ImportState.READING, ImportState.CONFIRMED, ImportState.UNDOING)


class Refused(Exception):
    """What was asked is not done; the text says why and what to do."""


class NotAllowed(Refused):
    """The person has not the right, or is not a second person."""


class WrongNumber(Refused):
    """The number given is not the number of companies; `number` and `removals` are the right ones."""

    def __init__(self, text: str, *, number: int, removals: int) -> None:
        super().__init__(text)
        self.number = number
        self.removals = removals


def move(import_: Upload, **fields: Any) -> bool:
    """Write the fields unless somebody has moved the import since it was read; False when somebody has."""
    fields |= {"version": import_.version + 1, "moved_at": timezone.now()}
    moved = type(import_)._default_manager.filter(pk=import_.pk, version=import_.version).update(**fields)
    if moved:
        for name, value in fields.items():
            setattr(import_, name, value)
    return bool(moved)


def demand_state(import_: Upload, *states: ImportState) -> None:
    if import_.state not in states:
        raise Refused(
            gettext("No action taken: the import has changed, and its state is now “%(state)s”. Reload the page.")
            % {"state": import_.get_state_display()}
        )


def demand_moved(moved: bool) -> None:
    if not moved:
        raise Refused(
            gettext(
                "No action taken: another user changed this import at the same time. Reload the page and try again."
            )
        )


def counts_of(import_: Upload) -> dict[str, int]:
    """Rows by validation."""
    counts: dict[str, int] = json.loads(import_.counts)
    return counts


def sheets_of(import_: Upload) -> list[Sheet]:
    """Of a workbook, in its order; known once it is read."""
    return msgspec.json.decode(import_.sheets, type=list[Sheet])


def lacks_numbers(import_: SubjectImport) -> bool:
    """Checked, with nothing to confirm until D-U-N-S numbers are found for its rows."""
    counts = counts_of(import_)
    is_checked = import_.state == ImportState.READ and bool(counts.get(Validation.NO_NUMBER))
    return is_checked and not (import_.removals or any(counts.get(one) for one in CONFIRMABLE))


def state_text(import_: SubjectImport) -> str:
    return gettext("D-U-N-S numbers missing") if lacks_numbers(import_) else import_.get_state_display()


def with_counts(counts: Mapping[str, int], more: Mapping[str, int]) -> str:
    return json.dumps({name: counts.get(name, 0) + more.get(name, 0) for name in [*counts, *more]})


def file_key(import_: Upload) -> uuid.UUID:
    """The owner of the uploaded bytes; the import's own id owns the validations."""
    return uuid.uuid5(import_.pk, "file")
