"""Who reported each change of a company's timeline, how and when."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from core.visibility import Scope, visible_to
from monitoring.company_page.timeline import Page
from monitoring.history.sources import reports_of
from portfolio.models import Registration


@dataclass(frozen=True, slots=True)
class Source:
    """A registration that reported a change."""

    registration: Registration
    how: str
    at: datetime


def name_sources(page: Page, registrations: Mapping[uuid.UUID, Registration], scope: Scope) -> None:
    """Give each line of the page its sources, the earliest first."""
    lines = [line for day in page.days for line in (*day.lines, *day.small)]
    reports = reports_of([line.change for line in lines])
    named = dict(registrations)
    if missing := {one.registration for found in reports.values() for one in found} - named.keys():
        named |= visible_to(scope, Registration.objects.defer("detail")).in_bulk(list(missing))
    for line in lines:
        line.sources = [
            Source(named[one.registration], str(one.how.label), one.observed_at)
            for one in reports[line.change.pk]
            if one.registration in named
        ]
