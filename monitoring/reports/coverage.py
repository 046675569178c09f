"""What a report covers: its registrations, when it was created, and whether there is data for the whole period."""

from __future__ import annotations

from django.utils.translation import gettext

from core.text import counted, moment_text
from monitoring.deliveries.received_since import incomplete_text
from monitoring.reports.compute import Report


def about(report: Report) -> str:
    """Which registrations it covers."""
    names = [row.reference for row in report.registrations]
    if not names:
        return gettext("no registrations")
    listed = ", ".join(names[:5])
    if len(names) > 5:
        listed = gettext("%(names)s and %(count)s more") % {"names": listed, "count": counted(len(names) - 5)}
    return gettext("all registrations: %(names)s") % {"names": listed} if report.is_all else listed


def about_line(report: Report) -> str:
    return gettext("Covers %(registrations)s.") % {"registrations": about(report)}


def made(report: Report) -> str:
    created = gettext("Created on %(moment)s. Days are in UTC.") % {"moment": moment_text(report.made_at)}
    return " ".join(
        filter(None, [created, _unfinished(report), incomplete_text(report.received_since, report.period.start)])
    )


def _unfinished(report: Report) -> str:
    if report.is_over:
        return ""
    is_week = report.period.noun == "week"
    return gettext("The week is not over yet.") if is_week else gettext("The month is not over yet.")
