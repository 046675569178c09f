"""What changes and notifications hold as files; how they are written is in `portfolio.exporting`."""

from __future__ import annotations

from typing import Any

from monitoring.models import Change, Notification
from monitoring.timeline import lines_of
from portfolio.exporting import COMPANY_COLUMNS, Column, Listing, declare, with_both


def _with_words(rows: list[Any]) -> None:
    with_both(rows)
    for row, line in zip(rows, lines_of(rows), strict=True):
        row.line = line


declare(
    Listing(
        Change,
        (
            *COMPANY_COLUMNS,
            Column("changed_at", "Happened", lambda row: row.changed_at, 26),
            Column("severity", "Weight", lambda row: row.get_severity_display(), 10),
            Column("kind", "Kind", lambda row: row.get_kind_display()),
            Column("label", "What", lambda row: row.line.label, 30),
            Column("told", "In words", lambda row: str(row.line), 60),
            Column("element", "D&B's element", lambda row: row.element, 40),
            Column("previous", "Before, as sent", lambda row: row.previous, 36),
            Column("current", "After, as sent", lambda row: row.current, 36),
            Column("registration", "Registration", lambda row: row.registration.reference),
            Column("id", "Change", lambda row: str(row.pk), 38),
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
            Column("type", "Type", lambda row: row.type),
            Column("delivered_at", "Delivered by D&B", lambda row: row.delivered_at, 26),
            Column("recorded_at", "Recorded here", lambda row: row.recorded_at, 26),
            Column("retained_duns", "Merged into", lambda row: row.retained_duns, 14),
            Column("registration", "Registration", lambda row: row.registration.reference),
            Column("id", "Notification", lambda row: str(row.pk), 38),
        ),
        complete=with_both,
        duns=lambda row: str(row.company_id),
    )
)
