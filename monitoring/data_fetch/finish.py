"""The end of a fetch: all companies decided, and what was found; a data gap is closed with it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence

from django.db.models import Count
from django.utils import timezone
from django.utils.translation import gettext

from core.audit import record
from core.text import counted
from monitoring.deliveries.gaps import close_gap
from monitoring.models import BEING_WRITTEN, DataFetch, FetchedCompany, FetchedState, FetchState

# Of these, nobody can say yet what D&B has.
OPEN = (FetchedState.WAITING, FetchedState.CALLED, FetchedState.READY, FetchedState.FAILED)
UNENDED = (FetchState.OPEN, FetchState.STOPPED)
AUTOMATIC = "data fetch"


def counts_of(fetch: DataFetch) -> dict[FetchedState, int]:
    """Companies by what became of them, in the order of the states."""
    return counts_by_fetch([fetch])[fetch.pk]


def counts_by_fetch(fetches: Sequence[DataFetch]) -> dict[uuid.UUID, dict[FetchedState, int]]:
    """The same of several, in one query."""
    rows = FetchedCompany.objects.filter(fetch__in=[fetch.pk for fetch in fetches]).order_by()
    found = {
        (key, state): count for key, state, count in rows.values_list("fetch", "state").annotate(found=Count("id"))
    }
    return {
        fetch.pk: {state: found[fetch.pk, state] for state in FetchedState if (fetch.pk, state) in found}
        for fetch in fetches
    }


def finish(fetch: DataFetch, *, by: str = AUTOMATIC) -> None:
    """Say where it stands; close it, and the data gap, when nothing is open. Again, it does nothing."""
    counts = counts_of(fetch)
    if counts.get(FetchedState.WAITING) or counts.get(FetchedState.CALLED):
        return
    rows = DataFetch.objects.filter(pk=fetch.pk).exclude(BEING_WRITTEN).exclude(state=FetchState.DONE)
    if any(counts.get(state) for state in OPEN):
        rows.update(state=FetchState.OPEN)
    elif rows.exists():
        # A process that dies in between leaves the fetch open, and it is finished again.
        _close_gap(fetch, by, found_text(counts))
        rows.update(state=FetchState.DONE, closed_at=timezone.now(), closed_by=by, found=found_text(counts))


def finish_decided() -> None:
    """Those of which the last decision was carried out by a process that died before it could finish them."""
    for fetch in DataFetch.objects.select_related("registration").filter(state__in=UNENDED).exclude(BEING_WRITTEN):
        if not FetchedCompany.objects.filter(fetch=fetch, state__in=OPEN).exists():
            finish(fetch)


def _close_gap(fetch: DataFetch, by: str, found: str) -> None:
    """A gap that has grown since needs another look."""
    registration = fetch.registration
    if registration is None or fetch.gap_from is None:
        return
    if close_gap(registration, fetch.gap_from, fetch.gap_until):
        summary = gettext("Data gap of %(name)s closed. %(found)s") % {"name": registration.reference, "found": found}
        record(actor=by, action="registration.gap-closed", thing=registration, summary=summary)


def found_text(counts: Mapping[FetchedState, int]) -> str:
    """ "Accepted: 3. No changes at D&B: 97." """
    return " ".join(f"{state.label}: {counted(count)}." for state, count in counts.items())
