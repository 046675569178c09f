"""What the commands share: errors as sentences, progress that suits a terminal as well as a log."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, OutputWrapper
from django.db import DatabaseError
from rich.console import Console
from rich.status import Status
from rich.text import Text

from core import plurals
from direct_plus.errors import DirectPlusError
from portfolio.dnb_client import NotConfigured
from portfolio.models import Registration
from portfolio.registrations.dnb_list_files import Preview, apply_list, preview_list, read_list

SECONDS_BETWEEN_LINES = 10


class PlainCommand(BaseCommand):
    """Trouble that has a name ends in one sentence; anything else is a fault of ours and keeps its traceback."""

    def execute(self, *args: Any, **options: Any) -> str | None:
        try:
            return super().execute(*args, **options)
        except (DirectPlusError, NotConfigured) as error:
            raise CommandError(str(error)) from error
        except DatabaseError as error:
            raise CommandError(
                f"The database reported an error: {error}. Check that .venv/bin/python manage.py migrate has been run."
            ) from error


class Progress:
    """Says how far a command has come: in a line that renews itself, or now and then in one of its own."""

    def __init__(self, stdout: OutputWrapper, status: Status | None) -> None:
        self._stdout = stdout
        self._status = status
        self._said_at = time.monotonic()

    def now(self, text: str) -> None:
        if self._status:
            self._status.update(Text(text))
        elif time.monotonic() - self._said_at >= SECONDS_BETWEEN_LINES:
            self.line(text)

    def line(self, text: str) -> None:
        if self._status:
            # Not past the line that renews itself, which would be drawn into this one.
            self._status.console.print(text, soft_wrap=True)
        else:
            self._stdout.write(text)
            self._stdout.flush()
        self._said_at = time.monotonic()


@contextmanager
def progress(stdout: OutputWrapper, first: str) -> Iterator[Progress]:
    if not stdout.isatty():
        yield Progress(stdout, None)
        return
    console = Console(file=sys.stdout, markup=False, highlight=False)
    with console.status(Text(first)) as status:
        yield Progress(stdout, status)


def apply_files(
    stdout: OutputWrapper, registration: Registration, paths: Sequence[Path], *, by: str, is_complete: bool
) -> None:
    """D&B's list from files: it only adds, and names who is missing from it, unless somebody vouches for all of it."""
    listed = read_list(registration, paths)
    if is_complete and not listed.is_whole:
        raise CommandError("These files are not all parts of one export. Name all parts, or omit --complete.")
    if not is_complete:
        stdout.write(_only_added(preview_list(registration, listed)))
    stdout.write(f"{apply_list(registration, listed, by=by, is_complete=is_complete)}.")


def _only_added(preview: Preview) -> str:
    told = "Companies are only added."
    if preview.gone:
        more = " …" if preview.gone > len(preview.names) else ""
        told = f"{plurals.companies(preview.gone)} reported before, not in the file, and left as they are: "
        told += f"{', '.join(preview.names)}{more}."
    return f"{told} If the file is complete, repeat the command with --complete."


def registrations_named(references: Iterable[str]) -> list[Registration]:
    """The registrations of these names, in every contract that has them."""
    found: list[Registration] = []
    for reference in references:
        rows = list(Registration.objects.select_related("contract").filter(reference=reference).order_by("contract"))
        if not rows:
            raise CommandError(_unknown(reference))
        found += rows
    return found


def one_registration(reference: str) -> Registration:
    rows = registrations_named([reference])
    if len(rows) > 1:
        contracts = ", ".join(row.contract_id for row in rows)
        raise CommandError(
            f"“{reference}” exists in several contracts ({contracts}), so this command cannot choose one. Use the "
            "web pages instead."
        )
    return rows[0]


def _unknown(reference: str) -> str:
    known = list(Registration.objects.order_by("reference").values_list("reference", flat=True)[:10])
    if not known:
        return (
            "There are no registrations yet. Run “.venv/bin/python manage.py sync_registrations” to load them from D&B."
        )
    return f"There is no registration “{reference}”. Available: {', '.join(known)}."
