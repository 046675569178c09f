"""What is known of a company after its events up to a moment: its state, and what pages show of how it came about."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from monitoring.history.score_series import ScoreSeries
from monitoring.history.state import CompanyState, Event, states_after
from monitoring.models import Kind

REVIEWS = (Kind.UNDER_REVIEW, Kind.REVIEWED)


@dataclass(slots=True)
class Known:
    """All that is known of a company after its events up to a moment."""

    state: CompanyState = field(default_factory=CompanyState)
    # When D&B's notifications about it began, by registration.
    notified: dict[uuid.UUID, datetime] = field(default_factory=dict)
    # The last notice of a review, whether it begins or ends.
    review: Event | None = None
    has_baseline: bool = False
    # Whether a snapshot stands for what happened before.
    is_cut: bool = False
    scores: ScoreSeries = field(default_factory=ScoreSeries)

    @property
    def begins(self) -> datetime | None:
        return min(self.notified.values(), default=None)

    def take(self, events: Sequence[Event], before: Sequence[Event] = ()) -> Iterator[Event]:
        """Apply events that come after all that is in it, in their order; `before` are its last changes. Yields each
        when it is applied."""
        for event, state in states_after(events, self.state, before):
            self.notified.setdefault(event.registration, event.moment)
            self.has_baseline = self.has_baseline or event.seed is not None
            self.is_cut = self.is_cut or event.carried is not None
            if event.kind in REVIEWS:
                self.review = event
            self.scores.note(event, state)
            yield event
