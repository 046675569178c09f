"""What the pages of a fetch show: how far it is, its companies, and what one document changes."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext

from core.text import counted
from monitoring.company_page.document_table import facts_of, paths_between, turns
from monitoring.company_page.timeline import known_elements
from monitoring.data_fetch.effect import Effect, effect_of
from monitoring.data_fetch.finish import counts_of
from monitoring.data_fetch.plan import calls_to_resume
from monitoring.data_fetch.request import may_resume
from monitoring.models import DataFetch, FetchedCompany, FetchedState, FetchState
from portfolio.call_budgets.confirmation import planned_calls

ROWS_A_PAGE = 50
TONES = {
    FetchState.RUNNING: "info",
    FetchState.STOPPED: "warn",
    FetchState.OPEN: "warn",
    FetchState.DONE: "good",
}
ITEM_TONES = {
    FetchedState.READY: "warn",
    FetchedState.ACCEPTED: "good",
    FetchedState.CURRENT: "good",
    FetchedState.SAME: "good",
    FetchedState.TRANSFERRED: "bad",
    FetchedState.DELETED: "bad",
    FetchedState.UNKNOWN: "bad",
    FetchedState.FAILED: "bad",
}


def fetch_of(request: HttpRequest, row: DataFetch, *, may_decide: bool) -> dict[str, Any]:
    """The page of a fetch; what waits for a decision is shown first."""
    counts = counts_of(row)
    shown = request.GET.get("state", FetchedState.READY if counts.get(FetchedState.READY) else "")
    page = _whole_number(request.GET.get("page", ""))
    found = _some_rows(row, shown, page)
    resumes = may_decide and may_resume(row)
    return {
        "tone": TONES[FetchState(row.state)],
        "progress": _progress(row, sum(counts.values()), counts),
        "tiles": list(_tiles(counts, shown)),
        "rows": [(one, ITEM_TONES.get(FetchedState(one.state), "calm")) for one in found[:ROWS_A_PAGE]],
        "shown": shown,
        "page": page,
        "has_more": len(found) > ROWS_A_PAGE,
        "ready": counts.get(FetchedState.READY, 0),
        "failed": counts.get(FetchedState.FAILED, 0),
        "proposed": counts.get(FetchedState.TRANSFERRED, 0) + counts.get(FetchedState.DELETED, 0),
        "blocks": row.block_ids.split(","),
        "may_decide": may_decide,
        "is_running": row.state == FetchState.RUNNING,
        "calls": planned_calls(row.contract, calls_to_resume(row)) if resumes else None,
    }


def _progress(row: DataFetch, total: int, counts: dict[FetchedState, int]) -> dict[str, str] | None:
    if row.state != FetchState.RUNNING:
        return None
    done = total - counts.get(FetchedState.WAITING, 0) - counts.get(FetchedState.CALLED, 0)
    words = gettext("%(done)s of %(total)s companies") % {"done": counted(done), "total": counted(total)}
    return {"percent": f"{100 * done / max(total, 1):.1f}", "words": words}


def _tiles(counts: dict[FetchedState, int], shown: str) -> list[dict[str, Any]]:
    every = {"count": sum(counts.values()), "label": gettext("All"), "state": "", "tone": "info"}
    kinds = [
        {"count": count, "label": state.label, "state": state.value, "tone": ITEM_TONES.get(state, "calm")}
        for state, count in counts.items()
    ]
    return [{**tile, "is_on": tile["state"] == shown} for tile in (every, *kinds)]


def _some_rows(row: DataFetch, shown: str, page: int) -> list[FetchedCompany]:
    """One more than a page, where there are more."""
    rows = FetchedCompany.objects.filter(fetch=row).select_related("company").order_by("id")
    if shown in FetchedState.values:
        rows = rows.filter(state=shown)
    return list(rows[page * ROWS_A_PAGE : (page + 1) * ROWS_A_PAGE + 1])


def _whole_number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 5 else 0


def company_of(row: FetchedCompany, *, may_decide: bool) -> dict[str, Any]:
    """The page of one company of a fetch."""
    delivery = row.delivery
    effect = effect_of(delivery) if delivery and row.state != FetchedState.FAILED else None
    return {
        "row": row,
        "delivery": delivery,
        "tone": ITEM_TONES.get(FetchedState(row.state), "calm"),
        "is_ready": row.state == FetchedState.READY,
        "has_failed": row.state == FetchedState.FAILED,
        "may_decide": may_decide,
        **(_changes(effect) if effect else {"effect": None}),
    }


def _changes(effect: Effect) -> dict[str, Any]:
    elements = known_elements(paths_between(effect.before, effect.after))
    return {
        "effect": effect,
        "turns": turns(effect.before, effect.after, elements),
        "facts": facts_of(effect.after),
    }
