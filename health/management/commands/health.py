"""manage.py health: every check in a table; ends with 1 when something is critical."""

from __future__ import annotations

import json
import shutil
import sys
from io import StringIO
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import DatabaseError
from rich.console import Console
from rich.table import Table
from rich.text import Text

from health.checks.migrations import EARLIER, is_of_earlier_version
from health.checks.registry import all_checks, summary
from health.checks.result import Result, worst
from health.models import State
from health.status_page import as_json
from health.views import AWAY, what_is_missing
from portfolio.plain_commands import PlainCommand

COLOURS = {State.OK: "green", State.UNKNOWN: "dim", State.WARNING: "yellow", State.CRITICAL: "bold red"}


class Command(PlainCommand):
    help = "Show the state of every check. Exits with 1 if any check is critical."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", dest="as_json", help="print JSON")

    def handle(self, *, as_json: bool, **options: Any) -> None:
        results = look()
        self.stdout.write(in_json(results) if as_json else summary(results))
        if not as_json:
            self.stdout.write(drawn(table(results), self.stdout.isatty()))
        if worst(results) == State.CRITICAL:
            sys.exit(1)


def look() -> list[Result]:
    try:
        if is_of_earlier_version():
            raise CommandError(EARLIER)
        return all_checks()
    except DatabaseError as error:
        raise CommandError(what_is_missing() or AWAY) from error


def in_json(results: list[Result]) -> str:
    return json.dumps(as_json(results), ensure_ascii=False, indent=2)


def drawn(found: Table, is_terminal: bool) -> str:
    """In a terminal as wide as it is and in colour; in a file, wide enough for whole sentences."""
    page = StringIO()
    width = shutil.get_terminal_size().columns if is_terminal else 160
    Console(file=page, width=width, force_terminal=is_terminal).print(found)
    return page.getvalue()


def table(results: list[Result]) -> Table:
    found = Table("State", "Check", "Result", "Value", "What to do")
    for result in sorted(results, key=lambda result: -result.state):
        state = Text(str(result.state.label), COLOURS[result.state])
        do = f"{result.do} {result.runbook}" if result.state != State.OK and result.do else ""
        found.add_row(state, *map(Text, (result.title, result.sentence, result.shown, do)))
    return found
