"""The parts of a company page: each has an address of its own, which keeps the day that the page shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

OVERVIEW, TIMELINE, OWNERSHIP = "overview", "timeline", "ownership"
TABS: Mapping[str, Promise] = {
    OVERVIEW: _("Overview"),
    TIMELINE: _("Timeline"),
    OWNERSHIP: _("Ownership"),
    "data": _("Data"),
}


@dataclass(frozen=True, slots=True)
class Tab:
    """One of the links above the parts."""

    key: str
    label: Promise
    address: str
    is_current: bool


def tabs(current: str, as_of: str) -> list[Tab]:
    return [Tab(key, label, address_of(key, as_of), key == current) for key, label in TABS.items()]


def address_of(tab: str, as_of: str = "") -> str:
    """The first one is what the page shows without being asked."""
    asked = {"tab": "" if tab == OVERVIEW else tab, "as_of": as_of}
    return "?" + urlencode({name: value for name, value in asked.items() if value})


def tab_of(asked: str, before: str) -> str:
    """An address from before there were tabs that names a stretch of the timeline leads to it."""
    return asked if asked in TABS else TIMELINE if before else OVERVIEW
