"""The dossier as a PDF, whole: for auditors, and for the file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import groupby
from textwrap import shorten, wrap

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext

from core.exports.paper import FAINT, INK, Paper, fonts
from core.text import counted, day_text
from monitoring.dossier.dossier import Dossier
from monitoring.dossier.lines import Line, Topic
from monitoring.dossier.reading_guide import GUIDE
from monitoring.dossier.summary import summary_of

# A table of more takes minutes to set.
MOST_LINES = 5_000
HOW_MANY_NAMED = 8
# Of the summary.
MOST_OF_A_LINE = 300
# A row must fit a page: so many lines of so many characters, and twice as many where characters are wide.
LINES_OF_ROW, CHARACTERS, CHARACTERS_OF_SOURCES = 24, 45, 70


def dossier_pdf(dossier: Dossier, *, by: str) -> bytes:
    title = gettext("Dossier of %(company)s") % {"company": dossier.company}
    with fonts() as folder:
        paper = Paper(folder, title, dossier.made_at)
        for sentence in _about(dossier, by):
            paper.write_line(sentence, size=9.5, color=FAINT)
        _summary(paper, dossier)
        _figures(paper, dossier)
        _lines(paper, dossier)
        _guide(paper)
        _appendix(paper, dossier)
        return bytes(paper.output())


def _about(dossier: Dossier, by: str) -> Iterator[str]:
    span, zone = dossier.span, timezone.get_current_timezone_name()
    yield gettext("D-U-N-S number %(duns)s. From %(first)s to %(last)s, in the time zone %(zone)s.") % {
        "duns": dossier.company.duns,
        "first": day_text(span.first),
        "last": day_text(span.last),
        "zone": zone,
    }
    counts = {"lines": counted(len(dossier.lines)), "minor": counted(dossier.minor)}
    yield gettext("Lines: %(lines)s (minor: %(minor)s). Minor lines are combined by day.") % counts
    yield gettext("Created by %(user)s: %(moment)s.") % {"user": by, "moment": moment_words(dossier.made_at)}
    if dossier.left_out:
        yield gettext("Not included, because of missing permissions: %(parts)s.") % {
            "parts": ", ".join(str(part.label) for part in dossier.left_out)
        }
    yield from dossier.limits


def _summary(paper: Paper, dossier: Dossier) -> None:
    for point in summary_of(dossier):
        paper.heading(point.heading)
        for line in point.lines:
            paper.write_line(f"{day_text(line.day)}: {_in_a_line(line)}")
        if rest := point.more_words if point.lines else point.empty:
            paper.write_line(rest, color=FAINT)
        if point.also:
            paper.write_line(point.also, color=FAINT)


def _in_a_line(line: Line) -> str:
    text = f"{line.text} ({line.severity.label})" if line.severity is not None else line.text
    return shorten(f"{line.by}: {text}" if line.by else text, MOST_OF_A_LINE, placeholder=" …")


def moment_words(moment: datetime) -> str:
    """In the reader's zone, and in UTC where that is another one."""
    local, in_utc = timezone.localtime(moment), moment.astimezone(UTC)
    words = f"{day_text(local.date())} {date_format(local, 'H:i:s')} {local.tzname()}"
    if local.utcoffset() == in_utc.utcoffset():
        return words
    return f"{words} ({day_text(in_utc.date())} {date_format(in_utc, 'H:i:s')} UTC)"


def _figures(paper: Paper, dossier: Dossier) -> None:
    knows_before = dossier.knows_before
    both, one_only = gettext("The company before and after"), gettext("The company at the end of the period")
    paper.heading(both if knows_before or not dossier.figures else one_only)
    if not dossier.figures:
        paper.write_line(gettext("D&B had reported no figures by then."))
        return
    rows = [(one.label, one.before or "–", one.after or "–") for one in dossier.figures]
    headings = (
        gettext("Figure"),
        gettext("Before %(day)s") % {"day": day_text(dossier.span.first)},
        gettext("At the end of %(day)s") % {"day": day_text(dossier.span.last)},
    )
    if knows_before:
        paper.rows(headings, rows, (50, 62, 62))
    else:
        paper.rows(headings[::2], [row[::2] for row in rows], (50, 124))


def _lines(paper: Paper, dossier: Dossier) -> None:
    # With the table's headings and its first row, which may be high.
    paper.heading(gettext("Timeline"), room=80)
    rows = list(_rows(dossier.lines))
    if not rows:
        paper.write_line(gettext("No records in this period."))
        return
    headings = (gettext("No."), gettext("Time"), gettext("Type"), gettext("Event"))
    paper.rows(headings, rows[:MOST_LINES], (12, 34, 24, 104))
    if len(rows) > MOST_LINES:
        numbers = {"most": counted(MOST_LINES), "all": counted(len(rows))}
        text = gettext("Only the first %(most)s of %(all)s lines are included. Choose a shorter period.")
        paper.write_line(text % numbers, bold=True, color=INK)


def _guide(paper: Paper) -> None:
    paper.heading(gettext("How to read this dossier"), room=80)
    paper.rows((gettext("Term"), gettext("Meaning")), [(str(term), str(text)) for term, text in GUIDE], (50, 124))


def _appendix(paper: Paper, dossier: Dossier) -> None:
    """The rows that each line of the timeline is taken from, and the hashes of what D&B sent."""
    rows = [
        (number if place == 0 else "", piece)
        for number, line in _numbered(dossier.lines)
        for place, piece in enumerate(_pieces(_sources(line), CHARACTERS_OF_SOURCES))
        if piece
    ]
    if rows:
        paper.heading(gettext("Appendix: sources"), room=80)
        paper.write_line(gettext("By the number of the line in the timeline."), size=9, color=FAINT)
        paper.rows((gettext("No."), gettext("Source")), rows[:MOST_LINES], (12, 162))


def _numbered(lines: list[Line]) -> Iterator[tuple[str, Line]]:
    """Those that have a row of their own."""
    for number, line in enumerate((line for line in lines if not line.is_minor), 1):
        yield counted(number), line


def _rows(lines: list[Line]) -> Iterator[tuple[str, str, str, str]]:
    numbers = {id(line): number for number, line in _numbered(lines)}
    for day, its in groupby(lines, key=lambda line: line.day):
        group = list(its)
        for line in group:
            if not line.is_minor:
                yield from _rows_of(numbers[id(line)], line)
        if minor := [line for line in group if line.is_minor]:
            yield "", day_text(day), "", _combined(minor)


def _rows_of(number: str, line: Line) -> Iterator[tuple[str, str, str, str]]:
    """Several for a line that does not fit a page, such as a decision with all figures."""
    first = number, _time(line), str(line.topic.label)
    for event in _pieces(_event(line), CHARACTERS):
        yield *first, event
        first = "", "", ""


def _pieces(paragraphs: Iterable[str], characters: int) -> Iterator[str]:
    piece: list[str] = []
    room = LINES_OF_ROW
    for text in (part for one in paragraphs for part in wrap(one, characters * LINES_OF_ROW // 2) or [""]):
        lines = len(text) // characters + 1
        if lines > room:
            yield "\n".join(piece)
            piece, room = [], LINES_OF_ROW
        piece.append(text)
        room -= lines
    yield "\n".join(piece)


def _time(line: Line) -> str:
    return day_text(line.day) if line.is_day else moment_words(line.at)


def _event(line: Line) -> Iterator[str]:
    severity = f" ({line.severity.label})" if line.severity is not None and line.topic != Topic.MESSAGE else ""
    yield f"{line.text}{severity}"
    if line.by:
        yield gettext("By %(who)s") % {"who": line.by}
    for label, value in line.details:
        yield f"{label}: {moment_words(value) if isinstance(value, datetime) else value}"


def _sources(line: Line) -> Iterator[str]:
    for one in line.sources:
        yield f"{one.name} {one.key}"
        if one.sha256:
            yield f"SHA-256 {one.sha256}"


def _combined(minor: list[Line]) -> str:
    named = "; ".join(line.text for line in minor[:HOW_MANY_NAMED])
    more = len(minor) - HOW_MANY_NAMED
    words = gettext("Minor lines (%(count)s): %(named)s") % {"count": counted(len(minor)), "named": named}
    return gettext("%(words)s; and %(count)s more") % {"words": words, "count": counted(more)} if more > 0 else words
