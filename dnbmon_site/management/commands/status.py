"""manage.py status: what `up` has started from this folder, and how it is; 0 well, 1 not, 3 nothing runs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from core.text import ago
from dnbmon_site.operations.processes.demo import Demo
from dnbmon_site.operations.processes.pidfile import Note, add_choice, running
from dnbmon_site.operations.processes.start import answers
from dnbmon_site.operations.processes.tree import manage

# As of init scripts: the program is not running.
NOTHING_RUNS = 3


class Command(BaseCommand):
    help = "Show what is running, where, since when and its health. Exits with 0 (OK), 1 (problem) or 3 (not running)."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        add_choice(parser)

    def handle(self, *, port: int | None, demo_folder: Path | None, **options: Any) -> None:
        notes = running(settings.VAR_DIR, port, demo_folder)
        if not notes:
            raise CommandError("D&B Monitoring is not running. Start it with “make start”.", returncode=NOTHING_RUNS)
        is_well = [self.print_status(note) for note in notes]
        if not all(is_well):
            sys.exit(1)

    def print_status(self, note: Note) -> bool:
        """Whether it is well."""
        is_well, words = health(note)
        since = ago(datetime.fromisoformat(note.since), timezone.now())
        self.stdout.write(f"{note.name} at {note.url}, process {note.pid}, started {since}. {words}")
        return is_well


def health(note: Note) -> tuple[bool, str]:
    """In one line; asked of the program's own data, which for the demo are others than ours."""
    if not answers(f"{note.url}health/live"):
        return False, "The web server does not respond."
    found = subprocess.run(manage("health", "--json"), env=env_of(note), capture_output=True, text=True)
    try:
        return found.returncode == 0, str(json.loads(found.stdout)["summary"])
    except ValueError:
        return (
            False,
            found.stderr.strip() or "The health check returned no result. Run “.venv/bin/python manage.py health”.",
        )


def env_of(note: Note) -> Mapping[str, str]:
    if not note.demo_folder:
        return os.environ
    host = urlsplit(note.url).hostname or ""
    return Demo(Path(note.demo_folder), host, note.sandbox_port).env(os.environ)
