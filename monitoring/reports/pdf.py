"""A report as a PDF, for recipients of the email and for meetings."""

from __future__ import annotations

from django.utils.formats import date_format
from django.utils.translation import gettext

from core.exports.paper import FAINT, INK, LINE, SOFT, TONES, Paper, fonts
from core.text import counted, country_name, moment_text
from monitoring.elements.formatting import lower_first
from monitoring.models import Severity
from monitoring.reports.compute import Report
from monitoring.reports.contract_section import contract_sentences
from monitoring.reports.coverage import about_line, made
from monitoring.reports.decision_section import BY, SHOWN, over_limit_text
from monitoring.reports.sentences import (
    SEVERITIES,
    as_of,
    entries_note,
    more_worse_words,
    pulled_words,
    risk_note,
    severities,
    speeds,
    summary,
    title_of,
    waited_words,
    waiting_words,
    worth,
)

CHART_HEIGHT = 30
EVENTS = 25
LABEL_EVERY = {"week": 1, "month": 5}


def report_pdf(report: Report) -> bytes:
    with fonts() as folder:
        paper = Paper(folder, title_of(report), report.made_at, footer=report.period.title)
        for part in (_head, _tiles, _chart, _value, _events, _kinds, _risk, _decisions, _portfolio, _waiting):
            part(paper, report)
        return bytes(paper.output())


def _head(paper: Paper, report: Report) -> None:
    paper.write_line(about_line(report), size=9.5, color=FAINT)
    paper.write_line(made(report), size=9.5, color=FAINT)
    paper.ln(5)
    for sentence in summary(report):
        paper.write_line(sentence, size=10.5, color=INK, height=1.45)
        paper.ln(1.6)
    paper.ln(2)


def _tiles(paper: Paper, report: Report) -> None:
    severity = report.counts.by_severity
    paper.tiles(
        [
            (counted(report.counts.total), gettext("changes"), "calm"),
            (
                counted(severity[Severity.CRITICAL]),
                gettext("critical"),
                "critical" if severity[Severity.CRITICAL] else "calm",
            ),
            (counted(severity[Severity.HIGH]), gettext("high"), "high" if severity[Severity.HIGH] else "calm"),
            (counted(report.waiting_count), gettext("open alerts"), "high" if report.waiting_count else "calm"),
            (counted(report.listed), gettext("companies"), "calm"),
        ]
    )
    note = gettext("Open alerts and companies: %(as_of)s.") % {"as_of": lower_first(as_of(report))}
    paper.write_line(note, size=9, color=FAINT)


def _chart(paper: Paper, report: Report) -> None:
    paper.heading(gettext("Changes by day"), room=CHART_HEIGHT + 30)
    days = report.counts.by_day
    highest = max((sum(counts.values()) for counts in days.values()), default=0) or 1
    left, base = paper.l_margin + 10, paper.get_y() + CHART_HEIGHT
    step = (paper.epw - 10) / len(days)
    paper.set_draw_color(*LINE)
    for share in (0, 0.5, 1):
        line = base - share * (CHART_HEIGHT - 4)
        paper.line(left, line, paper.l_margin + paper.epw, line)
        if share in (0, 1) or highest > 1:
            paper.place(
                paper.l_margin, line - 1.6, 8, counted(round(highest * share)), size=7.5, color=FAINT, align="R"
            )
    for number, (day, counts) in enumerate(days.items()):
        top = base
        for severity in SEVERITIES:
            height = counts[severity] / highest * (CHART_HEIGHT - 4)
            top -= height
            if height:
                paper.box(left + (number + 0.15) * step, top, step * 0.7, height, TONES[severity.name.lower()])
        if number % LABEL_EVERY[report.period.noun] == 0:
            label = date_format(day, "D j M" if report.period.noun == "week" else "j M")
            paper.place(left + (number - 0.25) * step, base + 1.2, step * 1.5, label, size=7.5, color=FAINT, align="C")
    paper.place(paper.l_margin, base - CHART_HEIGHT - 1.5, 30, gettext("Changes"), size=7.5, color=FAINT)
    paper.place(left, base + 5.2, paper.epw - 10, gettext("Day (UTC)"), size=7.5, color=FAINT, align="R")
    paper.set_xy(left, base + 9)
    _legend(paper, report)


def _legend(paper: Paper, report: Report) -> None:
    left, top = paper.l_margin + 10, paper.get_y()
    for severity, count in severities(report):
        paper.box(left, top + 0.6, 2.6, 2.6, TONES[severity.name.lower()])
        text = f"{severity.label} {counted(count)}"
        paper.place(left + 4, top, 34, text, size=8.5)
        left += paper.get_string_width(text) + 11
    paper.set_xy(paper.l_margin, top + 5)


def _value(paper: Paper, report: Report) -> None:
    paper.heading(gettext("Key figures"), room=44)
    paper.rows(
        (gettext("Figure"), gettext("Value"), gettext("Description")),
        [(one.what, one.value, one.meaning) for one in worth(report)],
        (48, 26, 100),
    )
    rows = [(one.way, one.median, one.most, one.of) for one in speeds(report)]
    if not rows:
        return
    paper.ln(4)
    if paper.will_page_break(36):
        paper.add_page()
    headings = (
        gettext("Time to detection"),
        gettext("Median"),
        gettext("95th percentile"),
        gettext("Count"),
    )
    paper.rows(headings, rows, (92, 26, 28, 28), right=(1, 2, 3))


def _events(paper: Paper, report: Report) -> None:
    paper.heading(gettext("Critical changes"))
    if not report.events:
        paper.write_line(gettext("No critical changes in this period."))
        return
    rows = [
        (
            moment_text(event.at),
            f"{event.company} {event.duns}".strip(),
            event.what,
            report.reference(event.registration),
        )
        for event in report.events[:EVENTS]
    ]
    headings = (
        gettext("Date"),
        gettext("Company, D-U-N-S number"),
        gettext("Change"),
        gettext("Registration"),
    )
    paper.rows(headings, rows, (30, 56, 50, 38))
    more = report.more_events + len(report.events) - len(rows)
    if more:
        paper.ln(1.5)
        paper.write_line(
            gettext("and %(count)s more in the spreadsheet") % {"count": counted(more)}, size=9, color=FAINT
        )


def _kinds(paper: Paper, report: Report) -> None:
    if not report.counts.total:
        return
    longest = max(len(report.counts.what), len(report.counts.countries))
    paper.heading(gettext("Most frequent changes and countries"), room=longest * 8.6 + 18)
    width, top = paper.epw / 2 - 5, paper.get_y()
    paper.bar_lines(report.counts.what, paper.l_margin, width)
    bottom = paper.get_y()
    paper.set_y(top)
    countries = [(country_name(code), count) for code, count in report.counts.countries]
    paper.bar_lines(countries, paper.l_margin + width + 10, width)
    paper.set_xy(paper.l_margin, max(bottom, paper.get_y()))


def _risk(paper: Paper, report: Report) -> None:
    paper.heading(gettext("Portfolio risk"), room=60)
    paper.write_line(risk_note(report), size=9, color=FAINT)
    rows = [(one.label, counted(one.companies)) for one in report.risk.figures]
    paper.rows((gettext("Figure"), gettext("Companies")), rows, (144, 30), right=(1,))
    if report.risk.worse:
        paper.ln(4)
        moved = [(f"{one.name} {one.duns}".strip(), one.was, one.now) for one in report.risk.worse]
        paper.rows(
            (gettext("Moved to a higher failure score class"), gettext("From"), gettext("To")), moved, (86, 44, 44)
        )
    if report.risk.more_worse:
        paper.write_line(more_worse_words(report), size=9, color=FAINT)


def _decisions(paper: Paper, report: Report) -> None:
    section = report.decisions
    if section is None:
        return
    paper.heading(gettext("Decisions"), room=40)
    rows = [
        (moment_text(one.at), f"{one.company} {one.duns}".strip(), one.what, one.state, one.by)
        for one in section.decided[:SHOWN]
    ]
    if rows:
        headings = gettext("Date"), gettext("Company, D-U-N-S number"), gettext("Decision"), gettext("State"), BY
        paper.rows(tuple(map(str, headings)), rows, (30, 54, 38, 28, 24))
    else:
        paper.write_line(gettext("No decisions in this period."))
    if section.count > len(rows):
        more = gettext("and %(count)s more") % {"count": counted(section.count - len(rows))}
        paper.write_line(more, size=9, color=FAINT)
    if section.over_limit is not None:
        paper.ln(1.5)
        paper.write_line(f"{as_of(report)}: {over_limit_text(section.over_limit)}")


def _portfolio(paper: Paper, report: Report) -> None:
    paper.heading(gettext("Portfolio and contract"))
    paper.write_line(f"{as_of(report)}. {entries_note(report)}", size=9, color=FAINT)
    rows = [
        (
            one.registration.reference,
            f"{one.status.word}, {pulled_words(one, report)}",
            counted(one.listed),
            counted(one.coming),
            counted(one.refused),
            counted(report.counts.by_registration[one.registration.pk]),
        )
        for one in report.held
    ]
    headings = (
        gettext("Registration"),
        gettext("State"),
        gettext("Monitored"),
        gettext("Additions pending"),
        gettext("Refused"),
        gettext("Changes"),
    )
    if rows:
        paper.rows(headings, rows, (48, 54, 18, 22, 18, 18), right=(2, 3, 4, 5))
        paper.ln(3)
    for state, sentence in zip(report.contracts, contract_sentences(report), strict=True):
        paper.write_line(sentence)
        number = state.contract.contracted_number
        if number:
            whole = max(number, state.billed)
            top = paper.get_y() + 1.5
            paper.box(paper.l_margin, top, paper.epw, 3, SOFT)
            tone = TONES["critical" if state.billed > number else "calm"]
            paper.box(paper.l_margin, top, paper.epw * state.billed / whole, 3, tone)
            paper.set_xy(paper.l_margin, top + 5)


def _waiting(paper: Paper, report: Report) -> None:
    paper.heading(gettext("Open alerts, most severe first"))
    paper.write_line(f"{as_of(report)}.", size=9, color=FAINT)
    if not report.waiting:
        paper.write_line(gettext("All alerts are acknowledged."))
        return
    rows = [(one.severity, one.title, waited_words(one)) for one in report.waiting]
    paper.rows((gettext("Severity"), gettext("Alert"), gettext("Open for")), rows, (20, 128, 26))
    if report.waiting_count > len(rows):
        paper.ln(1.5)
        paper.write_line(
            gettext("%(waiting)s. The most severe are listed here.") % {"waiting": waiting_words(report)},
            size=9,
            color=FAINT,
        )
