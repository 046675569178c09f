"""What the page of a dossier shows: some of its lines, by days, with minor ones folded."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import groupby
from typing import Any

from django.core.paginator import Paginator
from django.utils.translation import ngettext

from core.markup import to_the_second
from core.text import counted
from monitoring.dossier.dossier import Dossier
from monitoring.dossier.lines import Detail, Line
from monitoring.dossier.reading_guide import GUIDE
from monitoring.dossier.summary import summary_of

A_PAGE = 200
# More of a line are folded: a decision has all the figures that were known.
OPEN_DETAILS = 8


@dataclass(slots=True)
class Row:
    line: Line

    @property
    def details(self) -> list[tuple[str, Any]]:
        return shown(self.line.details[:OPEN_DETAILS])

    @property
    def more_details(self) -> list[tuple[str, Any]]:
        return shown(self.line.details[OPEN_DETAILS:])


def shown(details: Sequence[Detail]) -> list[tuple[str, Any]]:
    return [(label, to_the_second(value) if isinstance(value, datetime) else value) for label, value in details]


@dataclass(slots=True)
class Day:
    day: date
    rows: list[Row] = field(default_factory=list)
    minor: list[Row] = field(default_factory=list)

    @property
    def minor_words(self) -> str:
        count = len(self.minor)
        return ngettext("%(count)s minor line", "%(count)s minor lines", count) % {"count": counted(count)}


def days_of(lines: Iterable[Line]) -> list[Day]:
    found = []
    for day, group in groupby(lines, key=lambda line: line.day):
        one = Day(day)
        for line in group:
            (one.minor if line.is_minor else one.rows).append(Row(line))
        found.append(one)
    return found


def page_context(dossier: Dossier, number: str | None) -> dict[str, Any]:
    page = Paginator(dossier.lines, A_PAGE).get_page(number)
    tables = [[one for one in dossier.figures if one.is_key is is_key] for is_key in (True, False)]
    shown = {"key_figures": tables[0], "other_figures": tables[1]}
    return {
        "dossier": dossier,
        "span": dossier.span,
        "found": page,
        "days": days_of(page),
        "summary": summary_of(dossier),
        "guide": GUIDE,
        "sources": list({(one.kind, one.key): one for line in page for one in line.sources}.values()),
        **shown,
    }
