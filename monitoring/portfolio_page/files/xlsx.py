"""The overview as a spreadsheet: its numbers as numbers."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext

from core.exports.sheets import Sheets, workbook
from core.text import day_text
from monitoring.portfolio_page.comparison import compared
from monitoring.portfolio_page.files.sentences import about_lines, title_of
from monitoring.portfolio_page.filters import FLAGS
from monitoring.portfolio_page.measures.counts import Count
from monitoring.portfolio_page.measures.dimensions import DELINQUENCY, FAILURE, UNKNOWN
from monitoring.portfolio_page.measures.movement import DIRECTIONS, STATES
from monitoring.portfolio_page.movement_data import DIRECTION_WORDS, state_words
from monitoring.portfolio_page.names import Names, names_of
from monitoring.portfolio_page.overview import CLASSES, Overview
from portfolio.companies.columns import exposure_in
from portfolio.models.figures import FLAG_LABELS

Row = list[Any]


def overview_xlsx(overview: Overview) -> bytes:
    names = names_of(overview)
    parts = [partial(part, overview=overview) for part in (_summary, _matrix, _distributions, _movement)]
    named = [partial(part, overview=overview, names=names) for part in (_largest, _concentration)]
    return workbook(title_of(overview), timezone.now(), [*parts, *named])


def _counted(overview: Overview, count: Count) -> Row:
    """Companies; and their exposure in units of the reporting currency, where it is shown."""
    return [count.companies, *([count.cents / 100] if overview.money else [])]


def _headings(overview: Overview, *names: str) -> Row:
    money = overview.money
    exposure = [exposure_in(money.currency)] if money else []
    return [*names, gettext("Companies"), *exposure]


def _summary(sheets: Sheets, overview: Overview) -> None:
    sheet = sheets.sheet(gettext("Summary"))
    sheet.set_column(0, 0, 60)
    sheet.set_column(1, 2, 22)
    sheet.set_column(3, 3, 34)
    sheet.write_string(0, 0, title_of(overview), sheets.title)
    for line, text in enumerate(about_lines(overview), 1):
        sheets.line(sheet, line, [text])
    rows = [
        [gettext("Companies"), *_counted(overview, overview.whole)],
        [gettext("With an exposure"), *_counted(overview, overview.exposed)] if overview.money else [],
        [gettext("High failure risk: failure score class 4 or 5"), *_counted(overview, overview.high_failure_risk)],
        [gettext("Failure score unknown"), *_counted(overview, overview.failure.get(UNKNOWN, Count()))],
        [gettext("Without data"), *_counted(overview, overview.without_data)],
    ]
    if overview.loss:
        # In a column of its own: it is no exposure.
        loss = overview.loss
        rows.append([gettext("With a known default rate"), *_counted(overview, loss.rated), loss.cents / 100])
    start = len(about_lines(overview)) + 2
    sheets.line(sheet, start, [*_headings(overview, gettext("Figure")), *_loss_heading(overview)], sheets.head)
    for line, row in enumerate(filter(None, rows), start + 1):
        sheets.line(sheet, line, row)


def _loss_heading(overview: Overview) -> Row:
    words = gettext("Expected loss within a year (%(currency)s)")
    return [words % {"currency": overview.money.currency}] if overview.money else []


def _matrix(sheets: Sheets, overview: Overview) -> None:
    headings = _headings(overview, str(FAILURE.title), str(DELINQUENCY.title))
    rows = (
        [FAILURE.words(failure), DELINQUENCY.words(other), *_counted(overview, count)]
        for failure in CLASSES
        for other in CLASSES
        for count in [overview.matrix.get((failure, other), Count())]
    )
    sheets.table(gettext("Failure and delinquency"), headings, rows, (30, 30, 14, 22))


def _distributions(sheets: Sheets, overview: Overview) -> None:
    by_class = [
        [str(dimension.title), dimension.words(value), *_counted(overview, counts.get(value, Count()))]
        for dimension, counts in ((FAILURE, overview.failure), (DELINQUENCY, overview.delinquency))
        for value in CLASSES
    ]
    flags = [
        [gettext("Risk flags"), str(FLAG_LABELS[FLAGS[name]]), *_counted(overview, count)]
        for name, count in overview.flags.items()
    ]
    headings = _headings(overview, gettext("Group"), gettext("Item"))
    sheets.table(gettext("Classes and risk flags"), headings, [*by_class, *flags], (30, 30, 14, 22))


def _movement(sheets: Sheets, overview: Overview) -> None:
    dimension = overview.asked.dimension
    movement = compared(overview.asked, overview.world, overview.money).movement
    directions = [
        [str(DIRECTION_WORDS[name]), "", *_counted(overview, movement.directions[name])] for name in DIRECTIONS
    ]
    cells = [
        [state_words(dimension, was), state_words(dimension, now), *_counted(overview, movement.cell(was, now))]
        for was in STATES
        for now in STATES
        if (was, now) in movement.cells
    ]
    days = [day_text(overview.asked.since), day_text(overview.day)]
    sheets.table(gettext("Movement"), _headings(overview, *days), [*directions, *cells], (36, 30, 14, 22))


def _largest(sheets: Sheets, overview: Overview, names: Names) -> None:
    """Where an exposure is shown."""
    if not (names.largest and overview.money):
        return
    rows = (
        [one.name, one.duns, one.cents / 100, one.cents / overview.whole.cents, FAILURE.words(one.failure_class)]
        for one in names.largest
    )
    share = gettext("Share of exposure (0 to 1)")
    headings = [gettext("Company"), "D-U-N-S", exposure_in(overview.money.currency), share, str(FAILURE.title)]
    sheets.table(gettext("Ten largest companies"), headings, rows, (50, 16, 22, 26, 30))


def _concentration(sheets: Sheets, overview: Overview, names: Names) -> None:
    rows: list[Row] = []
    for one in overview.concentrations:
        title = str(one.dimension.title)
        for place in one.first:
            counts = *_counted(overview, place.count), *_counted(overview, place.high)
            rows.append([title, names.label(one, place), *counts])
        rows.append([title, gettext("All others"), *_counted(overview, one.rest)])
        rows.append([title, gettext("Unknown"), *_counted(overview, one.unknown)])
    high = [gettext("%(figure)s, high failure risk") % {"figure": name} for name in _headings(overview)]
    headings = [*_headings(overview, gettext("Group"), gettext("Item")), *high]
    sheets.table(gettext("Concentration"), headings, rows, (26, 60, 14, 22, 30, 36))
