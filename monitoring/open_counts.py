"""What stands at the moment of D&B's news, in numbers: alerts that nobody has taken, the unreadable, the doubtful."""

from __future__ import annotations

from core.cached_counts import COUNTED, Numbers, counter
from monitoring.alerts.own_alerts import told
from monitoring.models import Alert, AlertState, DeadLetter, DeadLetterState, Delivery, DeliveryState, Severity
from portfolio.models import Registration

DOUBTS = 10_000
HEAVY = (Severity.CRITICAL, Severity.HIGH)
NEWEST = 3


@counter
def alerts() -> Numbers:
    """Not acknowledged yet, by weight, and the newest critical ones themselves."""
    waiting = {weight: Alert.objects.filter(severity=weight, state=AlertState.NEW) for weight in HEAVY}
    newest = waiting[Severity.CRITICAL].order_by("-raised_at")[:NEWEST]
    return {
        **{weight.name.lower(): rows[:COUNTED].count() for weight, rows in waiting.items()},
        "newest": [told(alert) for alert in newest.only("title", "raised_at")],
    }


@counter
def unreadable() -> Numbers:
    keys = list(Registration.objects.values_list("pk", flat=True))
    # The index begins with the registration.
    return {"open": DeadLetter.objects.filter(registration__in=keys, state=DeadLetterState.OPEN)[:COUNTED].count()}


@counter
def doubts() -> Numbers:
    """Calls in doubt, by registration."""
    found: dict[str, int] = {}
    rows = Delivery.objects.filter(state=DeliveryState.DOUBTFUL)
    for key in rows.values_list("registration_id", flat=True)[:DOUBTS]:
        found[str(key)] = found.get(str(key), 0) + 1
    return found
