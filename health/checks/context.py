"""What several checks need, read once for a look."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.utils import timezone

from core.jobs import Schedule
from health.models import Probe
from portfolio.models import Contract, Registration
from portfolio.registrations.pull_job import Pause, paused_among, pauses_of


@dataclass(frozen=True, slots=True)
class Look:
    """One look at everything: when, at which registrations, and what D&B answered each contract last."""

    now: datetime
    contracts: list[Contract]
    registrations: list[Registration]
    probes: dict[str, Probe]
    schedules: list[Schedule]
    # Paused jobs by the key of their schedule.
    pauses: Mapping[str, Pause] = field(default_factory=dict)
    # Where a user has paused the job that pulls: then no registration is late.
    paused_pulls: Pause | None = None
    # Not full: without what changes slowly, for the look of every minute.
    is_full: bool = True

    def dnb_now(self, contract: str) -> datetime:
        """D&B's clock, on which pulling and loss are counted; ours where D&B was not asked yet."""
        probe = self.probes.get(contract)
        return self.now + timedelta(seconds=probe.clock_offset if probe else 0)


def begin_look(*, is_full: bool = True) -> Look:
    schedules = list(Schedule.objects.order_by("id"))
    pauses = pauses_of(schedules)
    return Look(
        is_full=is_full,
        now=timezone.now(),
        contracts=list(Contract.objects.order_by("name")),
        registrations=list(Registration.objects.order_by("reference")),
        schedules=schedules,
        pauses=pauses,
        paused_pulls=paused_among(schedules, pauses),
        probes={probe.contract: probe for probe in Probe.objects.all()},
    )
