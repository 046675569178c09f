"""Changes, notifications and alerts as files and in chosen columns; `core.lists.listings` writes the files."""

from __future__ import annotations

from copy import copy
from typing import Any

from django.contrib.auth import get_user_model
from django.utils.translation import gettext_lazy as _

from core.actors import person_text
from core.lists.listings import Column, Listing, declare
from core.text import country_name
from monitoring.company_page.timeline import lines_of
from monitoring.feed.feed import Entry
from monitoring.feed.said import present_verb
from monitoring.models import Alert, Change, Notification, Verb
from portfolio.companies.columns import EXPOSURE_HEADING, SEE_EXPOSURE, units
from portfolio.exports import COMPANY_COLUMNS, with_both
from portfolio.models import Company, Registration


def _with_words(rows: list[Any]) -> None:
    with_both(rows)
    for row, line in zip(rows, lines_of(rows), strict=True):
        row.line = line


def row_of(entry: Entry) -> Any:
    """A change as an entry of the feed tells of it: the same change may come with several."""
    row: Any = copy(entry.change)
    row.verb, row.registration_id = entry.verb, entry.registration
    return row


def _verb(row: Any) -> str:
    return str(Verb(getattr(row, "verb", None) or present_verb(row)).label)


def _of_alerts(rows: list[Any]) -> None:
    """An alert may concern several companies or registrations, and may be unassigned."""
    _give(rows, "company", Company.objects.all())
    _give(rows, "registration", Registration.objects.defer("detail"))
    _give(rows, "assignee", get_user_model().objects.only("pk", "username", "first_name", "last_name"))


def _give(rows: list[Any], name: str, known: Any) -> None:
    keys = {getattr(row, f"{name}_id") for row in rows} - {None}
    found = known.in_bulk(list(keys)) if keys else {}
    for row in rows:
        setattr(row, name, found.get(getattr(row, f"{name}_id")))


declare(
    Listing(
        Change,
        (
            *COMPANY_COLUMNS,
            Column("changed_at", _("Changed at D&B"), lambda row: row.changed_at, 26),
            Column("severity", _("Severity"), lambda row: row.get_severity_display(), 10),
            Column("kind", _("Change type"), lambda row: row.get_kind_display()),
            Column("label", _("Change"), lambda row: row.line.label, 30),
            Column("told", _("Description"), lambda row: str(row.line), 60),
            Column("element", _("Data element"), lambda row: row.element, 40),
            Column("previous", _("Source value before"), lambda row: row.previous, 36),
            Column("current", _("Source value after"), lambda row: row.current, 36),
            Column("registration", _("Registration"), lambda row: row.registration.reference),
            Column("id", _("Change ID"), lambda row: str(row.pk), 38),
            Column("verb", _("Status"), _verb, 14),
            Column("replaced_by", _("Replaced by"), lambda row: str(row.replaced_by or ""), 38),
        ),
        complete=_with_words,
        duns=lambda row: str(row.company_id),
    )
)
declare(
    Listing(
        Notification,
        (
            *COMPANY_COLUMNS,
            Column("type", _("Type"), lambda row: row.type),
            Column("delivered_at", _("Delivered by D&B"), lambda row: row.delivered_at, 26),
            Column("recorded_at", _("Recorded"), lambda row: row.recorded_at, 26),
            Column("retained_duns", _("Merged into"), lambda row: row.retained_duns, 14),
            Column("registration", _("Registration"), lambda row: row.registration.reference),
            Column("id", _("Notification ID"), lambda row: str(row.pk), 38),
        ),
        complete=with_both,
        duns=lambda row: str(row.company_id),
    )
)
declare(
    Listing(
        Alert,
        (
            Column("title", _("Alert"), lambda row: row.title, 60),
            Column("severity", _("Severity"), lambda row: row.get_severity_display(), 10),
            Column("state", _("State"), lambda row: row.get_state_display(), 14),
            Column("duns", "D-U-N-S", lambda row: row.company_id, 12),
            Column("name", _("Name"), lambda row: row.company.name if row.company else "", 36),
            Column("exposure", EXPOSURE_HEADING, lambda row: units(row.exposure), 16, right=SEE_EXPOSURE),
            Column("country", _("Country code"), lambda row: row.company.country if row.company else "", 8),
            Column("country_name", _("Country"), lambda row: country_name(row.company.country) if row.company else ""),
            Column("assignee", _("Assignee"), lambda row: person_text(row.assignee) if row.assignee else ""),
            Column("due_at", _("Due"), lambda row: row.due_at, 26),
            Column("snoozed_until", _("Snoozed until"), lambda row: row.snoozed_until, 26),
            Column("escalated_at", _("Escalated"), lambda row: row.escalated_at, 26),
            Column("raised_at", _("Raised"), lambda row: row.raised_at, 26),
            Column("happened_at", _("Changed at D&B"), lambda row: row.happened_at, 26),
            Column("rule_name", _("Rule"), lambda row: row.rule_name, 30),
            Column("reason", _("Reason"), lambda row: row.reason, 48),
            Column("kind", _("Type"), lambda row: row.get_kind_display(), 26),
            Column("fact_count", _("Changes"), lambda row: row.fact_count, 12),
            Column("reversal", _("Reversed"), lambda row: row.reversal, 36),
            Column(
                "registration", _("Registration"), lambda row: row.registration.reference if row.registration else ""
            ),
            Column("acknowledged_by", _("Acknowledged by"), lambda row: row.acknowledged_by),
            Column("acknowledged_at", _("Acknowledged"), lambda row: row.acknowledged_at, 26),
            Column("closed_by", _("Closed by"), lambda row: row.closed_by),
            Column("closed_at", _("Closed"), lambda row: row.closed_at, 26),
            Column("close_reason", _("Reason for closing"), lambda row: row.get_close_reason_display(), 26),
            Column("id", _("Alert ID"), lambda row: str(row.pk), 38),
        ),
        complete=_of_alerts,
    )
)
