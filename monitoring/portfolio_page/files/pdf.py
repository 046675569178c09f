"""The overview as a PDF, for meetings and files."""

from __future__ import annotations

from collections.abc import Callable
from itertools import zip_longest
from typing import TypeVar

from django.utils import timezone
from django.utils.translation import gettext

from core.exports.paper import FAINT, INK, Paper, fonts
from core.text import counted, day_text
from monitoring.portfolio_page.comparison import compared
from monitoring.portfolio_page.files.sentences import about_lines, title_of
from monitoring.portfolio_page.filters import FLAGS
from monitoring.portfolio_page.measures.counts import Count
from monitoring.portfolio_page.measures.dimensions import DELINQUENCY, FAILURE, UNKNOWN
from monitoring.portfolio_page.measures.movement import DIRECTIONS, STATES
from monitoring.portfolio_page.movement_data import DIRECTION_WORDS, state_words
from monitoring.portfolio_page.names import Names, names_of
from monitoring.portfolio_page.overview import CLASSES, WITH_RISK, Overview
from monitoring.portfolio_page.view_data import share_text
from portfolio.companies.columns import exposure_in
from portfolio.exposure.money import amount_text, money_text
from portfolio.models.figures import FLAG_LABELS

LABELS, NUMBERS, AMOUNTS, HIGH = 34, 20, 40, 40
Key = TypeVar("Key")


def overview_pdf(overview: Overview) -> bytes:
    with fonts() as folder:
        paper = Paper(folder, title_of(overview), timezone.now())
        names = names_of(overview)
        for part in (_head, _matrix, _classes, _movement):
            part(paper, overview)
        _largest(paper, overview, names)
        _concentration(paper, overview, names)
        _loss(paper, overview)
        return bytes(paper.output())


def _head(paper: Paper, overview: Overview) -> None:
    for line in about_lines(overview):
        paper.write_line(line, size=9.5, color=FAINT)
    paper.ln(4)
    unknown = overview.failure.get(UNKNOWN, Count()).companies
    tiles = [
        (counted(overview.whole.companies), gettext("companies"), "calm"),
        (counted(overview.high_failure_risk.companies), gettext("high failure risk (class 4 or 5)"), "critical"),
        (counted(unknown), gettext("failure score unknown"), "high" if unknown else "calm"),
        (counted(overview.without_data.companies), gettext("without data"), "calm"),
    ]
    paper.tiles(tiles)


def _table(
    paper: Paper,
    overview: Overview,
    heads: list[str],
    rows: list[tuple[list[str], Count]],
    high: list[Count] | None = None,
) -> None:
    """Rows with their companies, and their exposure where it is shown; `high` has, of the first of them, those at high
    failure risk."""
    money = overview.money
    headings = [*heads, gettext("Companies"), *([exposure_in(money.currency)] if money else [])]
    lines = [
        [*words, counted(count.companies), *([amount_text(count.cents)] if money else [])] for words, count in rows
    ]
    numbers = [NUMBERS, *([AMOUNTS] if money else [])]
    if high is not None:
        numbers.append(HIGH)
        headings.append(gettext("High failure risk"))
        texts = [_high_text(overview, one, count) for one, (_, count) in zip(high, rows, strict=False)]
        lines = [[*line, text] for line, text in zip_longest(lines, texts, fillvalue="")]
    widths = [*((174 - sum(numbers)) // len(heads) for _ in heads), *numbers]
    paper.rows(headings, lines, widths, right=range(len(heads), len(headings)))


def _high_text(overview: Overview, high: Count, whole: Count) -> str:
    """Companies and exposure, each with its share of its line."""
    if not high.companies:
        return counted(0)
    text = f"{counted(high.companies)} ({share_text(high.companies, whole.companies)})"
    if not (overview.money and high.cents):
        return text
    return f"{text}\n{amount_text(high.cents)} ({share_text(high.cents, whole.cents)})"


def _matrix(paper: Paper, overview: Overview) -> None:
    paper.heading(gettext("Failure and delinquency"), room=70)
    paper.write_line(
        gettext("Companies by failure score class (rows) and delinquency score class (columns)."), size=9, color=FAINT
    )
    _square(paper, CLASSES, FAILURE.words, lambda row, column: overview.matrix.get((row, column), Count()))


def _square(
    paper: Paper, keys: tuple[Key, ...], words: Callable[[Key], str], count: Callable[[Key, Key], Count]
) -> None:
    headings = ["", *(words(key) for key in keys)]
    rows = [[words(row), *(counted(count(row, column).companies) for column in keys)] for row in keys]
    width = (174 - LABELS) // len(keys)
    paper.rows(headings, rows, [LABELS, *(width for _ in keys)], right=range(1, len(headings)))


def _classes(paper: Paper, overview: Overview) -> None:
    for dimension, counts in ((FAILURE, overview.failure), (DELINQUENCY, overview.delinquency)):
        paper.heading(str(dimension.title), room=50)
        rows = [([dimension.words(value)], counts.get(value, Count())) for value in CLASSES]
        _table(paper, overview, [gettext("Class")], rows)
    paper.heading(gettext("Risk flags"), room=50)
    signs = [([str(FLAG_LABELS[FLAGS[name]])], count) for name, count in overview.flags.items()]
    _table(paper, overview, [gettext("Flag")], signs)


def _movement(paper: Paper, overview: Overview) -> None:
    asked, movement = overview.asked, compared(overview.asked, overview.world, overview.money).movement
    days = {"since": day_text(asked.since), "day": day_text(asked.day)}
    paper.heading(gettext("Movement from %(since)s to %(day)s") % days, room=70)
    paper.write_line(f"{asked.dimension.title}.", size=9, color=FAINT)
    directions = [([str(DIRECTION_WORDS[name])], movement.directions[name]) for name in DIRECTIONS]
    _table(paper, overview, [gettext("Movement")], directions)
    paper.ln(4)
    _square(paper, STATES, lambda state: state_words(asked.dimension, state), movement.cell)


def _largest(paper: Paper, overview: Overview, names: Names) -> None:
    if not (names.largest and overview.money):
        return
    whole = overview.whole.cents
    paper.heading(gettext("Ten largest companies"), room=50)
    _share_of_first(paper, sum(one.cents for one in names.largest) / whole)
    headings = [
        gettext("Company"),
        exposure_in(overview.money.currency),
        gettext("Share of exposure"),
        str(FAILURE.title),
    ]
    rows = [
        [one.name, amount_text(one.cents), share_text(one.cents, whole), FAILURE.words(one.failure_class)]
        for one in names.largest
    ]
    paper.rows(headings, rows, [70, 34, 34, 36], right=(1, 2))


def _share_of_first(paper: Paper, share: float) -> None:
    words = gettext("Share of the ten largest: %(share)s") % {"share": share_text(share, 1)}
    paper.write_line(words, size=9, color=FAINT)


def _concentration(paper: Paper, overview: Overview, names: Names) -> None:
    for one in overview.concentrations:
        paper.heading(str(one.dimension.title), room=50)
        if one.others:
            _share_of_first(paper, one.share)
        rows = [([names.label(one, place)], place.count) for place in one.first]
        rest = [([gettext("All others")], one.rest)] if one.others else []
        unknown = [([gettext("Unknown")], one.unknown)] if one.unknown.companies else []
        high = [place.high for place in one.first] if one.dimension in WITH_RISK else None
        _table(paper, overview, [str(one.dimension.title)], [*rows, *rest, *unknown], high)


def _loss(paper: Paper, overview: Overview) -> None:
    if not (overview.loss and overview.money):
        return
    loss, money = overview.loss, overview.money
    paper.heading(gettext("Expected loss"), room=50)
    paper.write_line(money_text(loss.cents, money.currency), size=13, bold=True, color=INK)
    paper.ln(2)
    rows = [
        ([gettext("Exposure with a known default rate")], loss.rated),
        ([gettext("Exposure with no default rate available")], loss.unrated),
        ([gettext("Companies without an exposure")], Count(loss.unexposed)),
    ]
    _table(paper, overview, [gettext("Companies")], rows)
