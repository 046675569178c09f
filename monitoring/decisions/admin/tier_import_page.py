"""What the page of a tier import shows."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext

from monitoring.decisions.tier_file import TierCheck, TierRow
from monitoring.decisions.upload import accepted, changing, rows_of
from monitoring.models import TierImport
from portfolio.imports.admin.uploads import ROWS_A_PAGE, TONES, page_number, progress_of, rows_on, tiles_of, waits_long
from portfolio.imports.chunks import CHUNK
from portfolio.imports.lifecycle import CANCELLABLE
from portfolio.imports.states import IN_WORK, counts_of
from portfolio.models import Company, ImportState

CHECK_TONES = {TierCheck.CHANGED: "good", TierCheck.SAME: "calm", TierCheck.DUPLICATE: "warn"}


def page_of(request: HttpRequest, row: TierImport) -> dict[str, Any]:
    shown, page = request.GET.get("validation", ""), page_number(request.GET.get("page", ""))
    found = rows_on(page, rows_of(row, shown))
    names = Company.objects.in_bulk(list({one.duns for one in found if one.duns}))
    return {
        "tone": TONES[ImportState(row.state)],
        "lead": _lead_of(row),
        "is_in_work": row.state in IN_WORK,
        "waits_long": waits_long(row),
        "progress": progress_of(row, _rows_done(row)),
        "tiles": list(tiles_of(counts_of(row), TierCheck.choices, CHECK_TONES, shown)) if row.chunks else [],
        "rows": [(one, _tone_of(one), names.get(one.duns)) for one in found[:ROWS_A_PAGE]],
        "has_more": len(found) > ROWS_A_PAGE,
        "page": page,
        "shown": shown,
        "count": accepted(row),
        "changes": changing(row),
        "may_confirm": row.state == ImportState.READ and accepted(row) > 0,
        "may_cancel": row.state in CANCELLABLE,
        "may_undo": row.state == ImportState.APPLIED,
    }


def _tone_of(row: TierRow) -> str:
    return CHECK_TONES.get(TierCheck(row.validation), "bad")


def _rows_done(row: TierImport) -> int:
    """While tiers are set or restored, the position counts chunks."""
    is_reading = row.state in (ImportState.UPLOADED, ImportState.READING)
    return row.position if is_reading else min(row.position * CHUNK, row.total or 0)


def _lead_of(row: TierImport) -> str:
    return {
        ImportState.UPLOADED: gettext("The file is uploaded. Checking starts in a moment. You may leave this page."),
        ImportState.READING: gettext("Every row is being checked. You may leave this page."),
        ImportState.CONFIRMED: gettext("Confirmed. The import is being applied. You may leave this page."),
        ImportState.APPLIED: gettext("Applied. Tier rules do not change these tiers."),
        ImportState.UNDOING: gettext("The import is being undone. You may leave this page."),
        ImportState.UNDONE: gettext("Undone. The previous tiers are restored."),
        ImportState.CANCELLED: gettext("Cancelled. No changes were made."),
    }.get(ImportState(row.state), "")
