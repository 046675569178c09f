"""The numbers beside the menu's entries: what waits for a person, as counted last."""

from __future__ import annotations

from django.http import HttpRequest

from core.cached_counts import OpenCounts, open_counts, up_to
from monitoring.alerts.own_alerts import own_alerts

# Cached counts, and which right makes them the reader's concern.
CONCERNED = {"proposals": "portfolio.view_proposal", "imports": "portfolio.view_subjectimport"}


def waiting_text(request: HttpRequest, name: str) -> str:
    """Nothing where nothing waits."""
    count = own_alerts(request.user)["open"] if name == "own_alerts" else _counted(request, name)
    return up_to(count) if count else ""


def _counted(request: HttpRequest, name: str) -> int:
    if name not in CONCERNED or not request.user.has_perm(CONCERNED[name]):
        return 0
    return sum(counts_of(request).of(name).values())


def counts_of(request: HttpRequest) -> OpenCounts:
    """Read once a request: the menu and the page below it ask for the same rows."""
    known: OpenCounts | None = getattr(request, "open_counts", None)
    if known is None:
        known = open_counts()
        setattr(request, "open_counts", known)  # noqa: B010  the request has no such field in its type
    return known
