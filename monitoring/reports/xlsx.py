"""A report as a spreadsheet: the same numbers as numbers, and more of the critical changes than a page shows."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.utils.translation import gettext

from core.exports.sheets import Sheets, workbook
from core.exports.spreadsheet_escape import harmless
from monitoring.reports.compute import Report
from monitoring.reports.coverage import about_line, made
from monitoring.reports.decision_section import BY, over_limit_text
from monitoring.reports.sentences import (
    SEVERITIES,
    as_of,
    entries_note,
    more_worse_words,
    pulled_words,
    risk_note,
    speeds,
    summary,
    title_of,
    worth,
)

SECONDS_A_DAY = 86_400


def report_xlsx(report: Report) -> bytes:
    parts = (_summary, _days, _kinds, _events, _risk, _decisions, _registrations, _waiting)
    return workbook(title_of(report), report.made_at, (partial(part, report=report) for part in parts))


def _summary(sheets: Sheets, report: Report) -> None:
    sheet = sheets.sheet(gettext("Summary"))
    sheet.set_column(0, 0, 54)
    sheet.set_column(1, 3, 22)
    sheet.write_string(0, 0, title_of(report), sheets.title)
    told = [about_line(report), made(report), "", *summary(report)]
    for line, text in enumerate(told, 1):
        sheet.merge_range(line, 0, line, 3, harmless(text), sheets.wrapped)
        sheet.set_row(line, 16 * (1 + len(text) // 118))
    line = len(told) + 2
    sheets.line(sheet, line, (gettext("Figure"), gettext("Value"), gettext("Description"), ""), sheets.head)
    numbers = (report.counts.total, report.counts.critical_count)
    for number, one in enumerate(worth(report)):
        value = numbers[number] if number < len(numbers) else one.value
        sheets.line(sheet, line + 1 + number, (one.what, value, one.meaning))
    line += len(worth(report)) + 2
    headings = (
        gettext("Time to detection"),
        gettext("Median"),
        gettext("95th percentile"),
        gettext("Count"),
    )
    sheets.line(sheet, line, headings, sheets.head)
    for number, way in enumerate(speeds(report), 1):
        sheets.line(sheet, line + number, (way.way, way.median, way.most, way.of))


def _days(sheets: Sheets, report: Report) -> None:
    days = report.counts.by_day
    rows = [(day, *(counts[severity] for severity in SEVERITIES), sum(counts.values())) for day, counts in days.items()]
    totals = (
        gettext("Total"),
        *(report.counts.by_severity[severity] for severity in SEVERITIES),
        report.counts.total,
    )
    headings = (gettext("Day (UTC)"), *(str(severity.label) for severity in SEVERITIES), gettext("Total"))
    sheet = sheets.table(gettext("By day"), headings, [*rows, totals], (14, 12, 12, 12, 12, 12))
    chart = sheets.book.add_chart({"type": "column", "subtype": "stacked"})
    for number, (severity, color) in enumerate(
        zip(SEVERITIES, ("#c3243b", "#d9730d", "#2479b0", "#b0bec9"), strict=True), 1
    ):
        chart.add_series(
            {
                "name": str(severity.label),
                "categories": [sheet.get_name(), 1, 0, len(rows), 0],
                "values": [sheet.get_name(), 1, number, len(rows), number],
                "fill": {"color": color},
                "gap": 40,
            }
        )
    chart.set_title({"name": gettext("Changes by day"), "name_font": {"size": 12}})
    chart.set_x_axis({"name": gettext("Day (UTC)"), "text_axis": True, "num_format": "yyyy-mm-dd"})
    chart.set_y_axis({"name": gettext("Changes"), "major_gridlines": {"visible": True, "line": {"color": "#dde4ea"}}})
    chart.set_legend({"position": "bottom"})
    chart.set_size({"width": 720, "height": 340})
    sheet.insert_chart("H2", chart)


def _kinds(sheets: Sheets, report: Report) -> None:
    counts = report.counts
    is_week = report.period.noun == "week"
    before = gettext("Changes in the previous week") if is_week else gettext("Changes in the previous month")
    rows = [
        *((gettext("Most frequent changes"), label, count) for label, count in counts.what),
        *((gettext("Most frequent critical changes"), label, count) for label, count in counts.critical),
        *((gettext("Countries"), country, count) for country, count in counts.countries),
        (gettext("Other counts"), gettext("Minor updates (noise)"), counts.noise),
        (gettext("Other counts"), gettext("Notifications from D&B"), counts.notifications),
        (gettext("Other counts"), before, counts.before),
    ]
    sheets.table(
        gettext("Changes and countries"), (gettext("Group"), gettext("Item"), gettext("Count")), rows, (28, 52, 12)
    )


def _events(sheets: Sheets, report: Report) -> None:
    rows = (
        (one.at, one.duns, one.company, one.country, one.what, report.reference(one.registration))
        for one in report.events
    )
    headings = (
        gettext("Date"),
        gettext("D-U-N-S number"),
        gettext("Company"),
        gettext("Country"),
        gettext("Change"),
        gettext("Registration"),
    )
    sheet = sheets.table(gettext("Critical changes"), headings, rows, (18, 16, 44, 10, 80, 28))
    sheet.autofilter(0, 0, max(len(report.events), 1), len(headings) - 1)


def _risk(sheets: Sheets, report: Report) -> None:
    rows = ((one.label, one.companies) for one in report.risk.figures)
    sheet = sheets.table(gettext("Portfolio risk"), (gettext("Figure"), gettext("Companies")), rows, (44, 14))
    _note(sheets, sheet, len(report.risk.figures), risk_note(report))
    moved = [(one.name, one.duns, one.was, one.now) for one in report.risk.worse]
    headings = gettext("Company"), gettext("D-U-N-S number"), gettext("From"), gettext("To")
    sheet = sheets.table(gettext("Higher failure score class"), headings, moved, (44, 16, 26, 26))
    if report.risk.more_worse:
        _note(sheets, sheet, len(moved), more_worse_words(report))


def _decisions(sheets: Sheets, report: Report) -> None:
    section = report.decisions
    if section is None:
        return
    rows = ((one.at, one.duns, one.company, one.what, one.state, one.by) for one in section.decided)
    headings = (
        gettext("Date"),
        gettext("D-U-N-S number"),
        gettext("Company"),
        gettext("Decision"),
        gettext("State"),
        str(BY),
    )
    sheet = sheets.table(gettext("Decisions"), headings, rows, (18, 16, 44, 24, 22, 24))
    if section.over_limit is not None:
        _note(sheets, sheet, len(section.decided), f"{as_of(report)}: {over_limit_text(section.over_limit)}")


def _registrations(sheets: Sheets, report: Report) -> None:
    rows = (
        (
            one.registration.reference,
            f"{one.status.word}, {pulled_words(one, report)}",
            one.listed,
            one.coming,
            one.refused,
            report.counts.by_registration[one.registration.pk],
        )
        for one in report.held
    )
    headings = (
        gettext("Registration"),
        gettext("State"),
        gettext("Monitored"),
        gettext("Additions pending"),
        gettext("Refused"),
        gettext("Changes"),
    )
    sheet = sheets.table(gettext("Registrations"), headings, rows, (28, 40, 12, 20, 12, 12))
    _note(sheets, sheet, len(report.held), f"{as_of(report)}. {entries_note(report)}")


def _waiting(sheets: Sheets, report: Report) -> None:
    rows = (
        (one.severity, one.title, one.raised_at, round(one.waited.total_seconds() / SECONDS_A_DAY, 2))
        for one in report.waiting
    )
    headings = (gettext("Severity"), gettext("Alert"), gettext("Raised"), gettext("Days open"))
    sheet = sheets.table(gettext("Open alerts"), headings, rows, (12, 90, 18, 14))
    _note(sheets, sheet, len(report.waiting), f"{as_of(report)}.")


def _note(sheets: Sheets, sheet: Any, rows: int, text: str) -> None:
    """Below a table, with a line between."""
    sheet.write_string(rows + 2, 0, text.strip(), sheets.text)
