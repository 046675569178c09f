"""A report over a week or month: one computation that page, PDF, XLSX and email show, so that their numbers agree.

Changes are counted in the daily counts and delays in the daily delays; events and alerts are read by index, up to a
limit. So a report costs the same at ten thousand notifications and at a million.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone

from core.cached_counts import last_count
from core.visibility import EVERYTHING, Scope, visible_to
from monitoring.company_page.timeline import line_of
from monitoring.deliveries.received_since import received_since
from monitoring.models import Measure
from monitoring.reports.alert_section import Delay, Handled, Waiting, delay_of, handled_in, waiting_alerts
from monitoring.reports.change_section import (
    Counts,
    Event,
    counts_of,
    critical_changes,
    event_of,
    name_what_was_counted,
)
from monitoring.reports.decision_section import DecisionSection, decisions_in
from monitoring.reports.periods import Period
from monitoring.reports.risk_section import RiskSection, risk_in
from monitoring.stats.latency import delays_between
from portfolio.billing.usage import ContractState, Holding, contract_states, holdings, listed_in
from portfolio.models import Registration

SHOWN = 25
MOST_EVENTS = 5_000


@dataclass(frozen=True, slots=True)
class Report:
    """All that a report shows. Its days are UTC days; moments are shown in the active zone."""

    period: Period
    made_at: datetime
    # Since when D&B's notifications are received, as counted last.
    received_since: datetime | None
    is_all: bool
    counts: Counts
    events: list[Event]
    recorded: Delay
    handed: Delay
    handled: Handled
    every: list[Registration]
    held: list[Holding]
    contracts: list[ContractState]
    # Companies that D&B has in these registrations, each once.
    listed: int
    waiting: list[Waiting]
    risk: RiskSection
    # None for readers who may not view decisions.
    decisions: DecisionSection | None

    @property
    def registrations(self) -> list[Registration]:
        return [one.registration for one in self.held]

    @property
    def more_events(self) -> int:
        """Critical ones that are not listed."""
        return max(self.counts.critical_count - len(self.events), 0)

    @property
    def waiting_count(self) -> int:
        return self.handled.waiting

    def reference(self, registration: uuid.UUID) -> str:
        return next((row.reference for row in self.registrations if row.pk == registration), "")

    @property
    def is_over(self) -> bool:
        return self.made_at >= self.period.moments[1]


def make_report(
    period: Period,
    chosen: Sequence[uuid.UUID] = (),
    *,
    events: int = SHOWN,
    seen_as: Scope = EVERYTHING,
    reader: Any = None,
) -> Report:
    """The report over a period, for some registrations or for all of them, with what the scope shows; and with the
    decisions that the reader may see."""
    rows = Registration.objects.select_related("contract").defer("detail").order_by("reference")
    every = list(visible_to(seen_as, rows))
    keys = [row.pk for row in every if not chosen or row.pk in chosen]
    is_all = not chosen and seen_as.sees_all
    scope = seen_as.only(keys)
    counts = counts_of(period, keys, is_all=is_all, scope=scope)
    is_later = not is_all and counts.reported_later > 0
    changes = critical_changes(period, keys, events, reported_later=is_later, scope=scope)
    elements = name_what_was_counted(counts, changes)
    delays = delays_between(period.start, period.end, keys)
    status, _ = last_count("held")
    waiting = waiting_alerts(keys, is_all=is_all, scope=scope)
    held = holdings([row for row in every if row.pk in keys], status)
    contracts = {one.contract_id for one in every if one.pk in keys}
    # A contract's numbers are those of all its registrations.
    beside = [row for row in every if row.contract_id in contracts and seen_as.sees_all]
    return Report(
        period=period,
        made_at=timezone.now(),
        received_since=received_since(),
        is_all=is_all,
        counts=counts,
        events=[event_of(line_of(change, elements)) for change in changes],
        recorded=delay_of(delays[Measure.RECORDED]),
        handed=delay_of(delays[Measure.HANDED]),
        handled=handled_in(period, keys, is_all=is_all, listed=len(waiting), scope=scope),
        every=every,
        held=held,
        contracts=contract_states(beside, status),
        listed=listed_in(held, status),
        waiting=waiting,
        risk=risk_in(period, keys, is_all=is_all),
        decisions=decisions_in(period, keys, is_all=is_all, scope=scope, reader=reader),
    )
