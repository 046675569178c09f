"""Checks by what they are about, as the page of health shows them."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from health.checks.result import Result

AREAS: tuple[tuple[str | Promise, tuple[str, ...]], ...] = (
    (_("Connection to D&B"), ("dnb", "clock", "configuration", "throttle", "quota", "entitlements")),
    (_("Registrations"), ("fresh", "pulling", "stopped", "reading", "gap", "replay")),
    (_("Data processing"), ("in-doubt", "unread", "unpublished", "dead-letters", "verification", "sync")),
    (_("Messages"), ("messages", "receivers", "dead-messages", "listeners")),
    (_("Worker and jobs"), ("jobs", "schedules", "paused", "queue", "failed")),
    (_("System"), ("database", "disk", "backup", "outside")),
)


def by_area(results: Iterable[Result]) -> list[tuple[str, list[Result]]]:
    """Each area that has checks, in the order in which they are named above."""
    found = list(results)
    areas = ((str(label), [one for one in found if one.check in checks]) for label, checks in AREAS)
    return [(label, ones) for label, ones in areas if ones]
