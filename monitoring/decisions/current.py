"""What holds for companies now: the decision, whether it has expired or waits for confirmation, and the next review."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext

from core.actors import names_of
from core.text import day_text
from monitoring.decisions.decide import in_words, is_expired
from monitoring.decisions.reviews import last_review
from monitoring.models import Decision, DecisionKind, DecisionState, Review
from portfolio.exposure.days import today
from portfolio.models import Company, Tier

TONES = {
    DecisionKind.APPROVE: "good",
    DecisionKind.LIMIT: "info",
    DecisionKind.HOLD: "warn",
    DecisionKind.STOP: "bad",
}
STATE_TONES = {DecisionState.PROPOSED: "warn", DecisionState.FINAL: "good", DecisionState.REFUSED: "calm"}
RECENT = 5
TIER_TONES = {Tier.CRITICAL: "bad", Tier.IMPORTANT: "warn", Tier.NORMAL: "calm"}


@dataclass(frozen=True, slots=True)
class Shown:
    """A decision with its words and colour."""

    row: Decision
    words: str
    tone: str
    is_expired: bool


@dataclass(frozen=True, slots=True)
class Standing:
    """Of one company."""

    holds: Shown | None
    waiting: Shown | None
    # The last proposal of all, where it was refused.
    refused: Decision | None
    number: int
    last_review: Review | None
    is_due: bool
    is_overdue: bool

    @property
    def limit(self) -> tuple[int, str] | None:
        """Cents and currency, of a decision that is still valid."""
        if self.holds is None or self.holds.is_expired or self.holds.row.amount_cents is None:
            return None
        return self.holds.row.amount_cents, self.holds.row.currency

    @property
    def proposal(self) -> str:
        """Of one that waits: who proposed what, and when."""
        if self.waiting is None:
            return ""
        row = self.waiting.row
        return gettext("Proposed by %(person)s on %(day)s: %(decision)s.") % {
            "person": names_of([row.decided_by]).get(row.decided_by, row.decided_by),
            "day": day_text(timezone.localdate(row.decided_at)),
            "decision": self.waiting.words,
        }

    @property
    def refusal(self) -> str:
        """Of the last proposal: who refused it, when and why; for its proposer, too."""
        if self.refused is None or self.refused.confirmed_at is None:
            return ""
        row = self.refused
        return gettext("%(person)s refused the proposal “%(decision)s” on %(day)s: %(reason)s") % {
            "person": names_of([row.confirmed_by]).get(row.confirmed_by, row.confirmed_by),
            "decision": in_words(row),
            "day": day_text(timezone.localdate(row.confirmed_at)),
            "reason": row.refusal,
        }

    @property
    def seen(self) -> str:
        return self.last_review.pk.hex if self.last_review else ""


def shown(row: Decision) -> Shown:
    return Shown(row, in_words(row), TONES[DecisionKind(row.kind)], is_expired(row))


def standing_of(company: Company) -> Standing:
    """Two queries, or three where most of the last decisions were refused."""
    rows = Decision.objects.filter(company=company.pk).order_by("-number").defer("known")
    recent = list(rows[:RECENT])
    relevant = [row for row in recent if row.state != DecisionState.REFUSED]
    if len(recent) == RECENT and not any(row.state == DecisionState.FINAL for row in relevant):
        relevant = list(rows.exclude(state=DecisionState.REFUSED)[:2])
    waiting = next((row for row in relevant if row.state == DecisionState.PROPOSED), None)
    holds = next((row for row in relevant if row.state == DecisionState.FINAL), None)
    day = company.next_review_on
    return Standing(
        holds=shown(holds) if holds else None,
        waiting=shown(waiting) if waiting else None,
        refused=recent[0] if recent and recent[0].state == DecisionState.REFUSED else None,
        number=relevant[0].number if relevant else 0,
        last_review=last_review(company.duns),
        is_due=day is not None and day <= today(),
        is_overdue=day is not None and day < today(),
    )


def current_decisions(duns: Iterable[str]) -> dict[str, Decision]:
    """The last final one of each company."""
    rows = Decision.objects.filter(company__in=list(duns), state=DecisionState.FINAL)
    return {row.company_id: row for row in rows.order_by("number").defer("known")}


def with_decisions(rows: list[Any]) -> None:
    """Gives companies of a list what holds for them."""
    found = current_decisions({row.duns for row in rows})
    for row in rows:
        row.decision = found.get(row.duns)


def key_of(text: str) -> uuid.UUID | None:
    """Of the review that a form was shown with; none where it is empty, or no key."""
    try:
        return uuid.UUID(text)
    except ValueError:
        return None
