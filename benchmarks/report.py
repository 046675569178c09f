"""Tables on the terminal as they come, and in docs/operate/performance.md where that is asked for."""

from __future__ import annotations

import os
import platform
import re
import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

PAGE = Path(__file__).resolve().parent.parent / "docs" / "operate" / "performance.md"


class Report:
    """What one benchmark has to show."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.began = os.getloadavg()[0]
        self.parts: list[str] = []
        self.console = Console(width=118)
        self.console.print(f"{name}: {machine()}; load {self.began:.1f}", highlight=False)

    def table(self, title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        shown = Table(*columns, title=title)
        for row in rows:
            shown.add_row(*row)
        self.console.print(shown)
        lines = [columns, ["---"] * len(columns), *rows]
        self.parts.append(f"{title}:\n\n" + "\n".join(f"| {' | '.join(line)} |" for line in lines))

    def note(self, text: str) -> None:
        self.console.print(text, highlight=False)
        self.parts.append(text)

    def end(self, write: bool) -> None:
        self.console.print(f"load at the end: {os.getloadavg()[0]:.1f}", highlight=False)
        if write:
            put_into_page(self.name, "\n\n".join([*self.parts, self.where()]))

    def where(self) -> str:
        day = datetime.now(UTC).date()
        return f"Measured on {day}: {machine()}; load {self.began:.1f} before, {os.getloadavg()[0]:.1f} after."


def machine() -> str:
    return f"{os.cpu_count()} cores, Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}"


def put_into_page(name: str, text: str) -> None:
    begin, end = f"<!-- {name}: begin -->\n", f"<!-- {name}: end -->"
    page = PAGE.read_text()
    if begin not in page:
        print(f"{PAGE.name} has no table of {name}.")
        return
    block = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.DOTALL)
    PAGE.write_text(block.sub(lambda _: f"{begin}\n{text}\n\n{end}", page))
