"""manage.py stop: end what `up` has started from this folder, in a window or in the background."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from dnbmon_site.operations.processes.pidfile import Note, add_choice, ask_to_stop, kill, running
from dnbmon_site.operations.processes.tree import GROUND_STOPS_WITHIN, STOP_WITHIN

WITHIN = STOP_WITHIN + GROUND_STOPS_WITHIN + 3


class Command(BaseCommand):
    help = "Stop what “make start” or “make run” started here, or on one port. Calls in doubt are recovered later."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        add_choice(parser)

    def handle(self, *, port: int | None, demo_folder: Path | None, **options: Any) -> None:
        notes = running(settings.VAR_DIR, port, demo_folder)
        if not notes:
            self.stdout.write("D&B Monitoring is not running.")
        for note in notes:
            self.stop(note)

    def stop(self, note: Note) -> None:
        begun = time.monotonic()
        try:
            has_ended = ask_to_stop(note, within=WITHIN)
        except PermissionError as error:
            raise CommandError(
                f"{note.name} at {note.url} belongs to another user (process {note.pid}). Stop it as that user."
            ) from error
        except ProcessLookupError:
            has_ended = True
        if not has_ended:
            kill(note, within=WITHIN)
            raise CommandError(f"{note.name} at {note.url} did not stop within {WITHIN:.0f} seconds and was killed.")
        self.stdout.write(f"{note.name} at {note.url} stopped after {time.monotonic() - begun:.1f} s.")
