"""The numbers beside the menu's entries: what waits for a person, as counted last."""

from __future__ import annotations

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from core.cached_counts import recent_count, up_to
from core.visibility import is_restricted
from monitoring.alerts.own_alerts import own_alerts

# Cached counts, and which right makes them the reader's concern.
CONCERNED = {
    "proposals": "portfolio.view_proposal",
    "imports": "portfolio.view_subjectimport",
    "reviews": "monitoring.decide_company",
    "decisions": "monitoring.confirm_decision",
}


WHAT = {
    "own_alerts": _("Your open alerts"),
    "proposals": _("Open proposals"),
    "imports": _("Imports to confirm"),
    "reviews": _("Reviews due"),
    "decisions": _("Decisions to confirm"),
}


def waiting_badge(request: HttpRequest, names: str) -> dict[str, str]:
    """The number of one or several kinds, and what it counts; empty where nothing waits."""
    counts = {name: count for name in names.split() if (count := _waiting(request, name))}
    return {
        "badge": up_to(sum(counts.values())) if counts else "",
        "badge_words": ", ".join(f"{WHAT[name]}: {up_to(count)}" for name, count in counts.items()),
    }


def _waiting(request: HttpRequest, name: str) -> int:
    return own_alerts(request.user)["open"] if name == "own_alerts" else _counted(request, name)


def _counted(request: HttpRequest, name: str) -> int:
    if name not in CONCERNED or not request.user.has_perm(CONCERNED[name]) or is_restricted(request.user):
        return 0
    return sum(recent_count(name).values())
