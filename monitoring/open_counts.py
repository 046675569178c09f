"""What is open of D&B's news, in numbers: alerts that nobody has taken, the unreadable, what is in doubt."""

from __future__ import annotations

from datetime import UTC, datetime

from core.cached_counts import COUNTED, Numbers, counter
from core.visibility import EVERYTHING, Scope, visible_to
from monitoring.alerts.own_alerts import SHOWN, items_of
from monitoring.alerts.workflow.inbox import awake
from monitoring.decisions.over_limit import companies_over_limit
from monitoring.models import (
    Alert,
    AlertState,
    DeadLetter,
    DeadLetterState,
    Decision,
    DecisionState,
    Delivery,
    DeliveryState,
    Severity,
)
from portfolio.models import Company, Registration

IN_DOUBT = 10_000
# Companies above their limit that the Overview names.
NAMED = 3
SEVERE = (Severity.CRITICAL, Severity.HIGH)


def in_use_since() -> datetime | None:
    """When D&B's data came for the first time: until then, people are setting the program up."""
    first = Delivery.objects.exclude(received_at=None).order_by("pk")
    return first.values_list("received_at", flat=True).first()


@counter
def in_use() -> Numbers:
    """Since when D&B's data is received; empty where none was."""
    since = in_use_since()
    return {"since": since.isoformat() if since else ""}


@counter
def alerts() -> Numbers:
    return waiting_alerts(EVERYTHING)


def waiting_alerts(scope: Scope) -> Numbers:
    """Not acknowledged yet and not snoozed, by severity, and some of the critical ones themselves."""
    rows = visible_to(scope, Alert.objects.all())
    waiting = {severity: rows.filter(awake(), severity=severity, state=AlertState.NEW) for severity in SEVERE}
    critical = waiting[Severity.CRITICAL].order_by("-raised_at").only(*SHOWN)
    return {
        **{severity.name.lower(): rows[:COUNTED].count() for severity, rows in waiting.items()},
        **items_of(list(critical[:COUNTED]), scope),
    }


@counter
def reviews() -> Numbers:
    return due_reviews(EVERYTHING)


def due_reviews(scope: Scope) -> Numbers:
    """Due today, and before."""
    today, rows = datetime.now(UTC).date(), visible_to(scope, Company.objects.all())
    overdue = rows.filter(next_review_on__isnull=False, next_review_on__lt=today)
    due = rows.filter(next_review_on=today)
    return {"overdue": overdue[:COUNTED].count(), "due": due[:COUNTED].count()}


@counter
def decisions() -> Numbers:
    return proposed_decisions(EVERYTHING)


def proposed_decisions(scope: Scope) -> Numbers:
    """Waiting for a second person."""
    rows = visible_to(scope, Decision.objects.filter(state=DecisionState.PROPOSED))
    return {"proposed": rows[:COUNTED].count()}


@counter
def over_limit() -> Numbers:
    """The companies themselves, the largest excess first: the list that the Overview leads to has those that it counts,
    and their limits."""
    found = companies_over_limit()[:COUNTED]
    return {
        "companies": [one.duns for one in found],
        "limits": {one.duns: one.limit for one in found},
        "top": [{**one._asdict(), "excess": one.excess} for one in found[:NAMED]],
    }


@counter
def unreadable() -> Numbers:
    keys = list(Registration.objects.values_list("pk", flat=True))
    # The index begins with the registration.
    return {"open": DeadLetter.objects.filter(registration__in=keys, state=DeadLetterState.OPEN)[:COUNTED].count()}


@counter
def in_doubt() -> Numbers:
    """Calls in doubt, by registration."""
    found: dict[str, int] = {}
    rows = Delivery.objects.filter(state=DeliveryState.IN_DOUBT)
    for key in rows.values_list("registration_id", flat=True)[:IN_DOUBT]:
        found[str(key)] = found.get(str(key), 0) + 1
    return found
