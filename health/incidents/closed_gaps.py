"""How a data gap was closed, written down at its incident: by whom, and what was found."""

from __future__ import annotations

from health.models import Incident
from monitoring.models import DataFetch

GAP = "gap:"


def note_of_gap(incident: Incident) -> tuple[str, str] | None:
    """Author and text; None for any other incident, and for a gap that somebody marked as resolved."""
    if not incident.dedup_key.startswith(GAP):
        return None
    rows = DataFetch.objects.filter(registration__reference=incident.dedup_key.removeprefix(GAP))
    fetch = rows.filter(closed_at__gte=incident.started_at).order_by("-closed_at").first()
    return (fetch.closed_by, fetch.found) if fetch else None
