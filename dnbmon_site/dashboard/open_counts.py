"""What the Overview would else ask each time: the guided start that was dismissed, and keys with unknown scopes."""

from __future__ import annotations

from core.cached_counts import Numbers, OpenCounts, counter, open_counts
from core.models import AuditEntry
from core.visibility import Scope, visible_to
from dnbmon_site.accounts.models import ApiKey
from monitoring.open_counts import due_reviews, proposed_decisions, waiting_alerts
from portfolio.models import Company

DISMISSED = "guided-start.dismiss"


@counter
def guided_start() -> Numbers:
    return {"dismissed": AuditEntry.objects.filter(action=DISMISSED).exists()}


def is_dismissed(numbers: OpenCounts) -> bool:
    """It stays dismissed: what was counted once need not be asked again."""
    return bool(numbers.of("guided_start").get("dismissed") or guided_start()["dismissed"])


@counter
def api_keys() -> Numbers:
    return {"unknown": sum(bool(key.unknown_scopes) for key in ApiKey.objects.valid())}


def counts_of_scope(scope: Scope) -> OpenCounts:
    """What is open for someone who sees some: counted for each page, as there are many such scopes."""
    kept = open_counts()
    numbers = {name: kept.of(name) for name in ("exposure", "in_use")}
    numbers["alerts"] = waiting_alerts(scope)
    numbers["reviews"], numbers["decisions"] = due_reviews(scope), proposed_decisions(scope)
    numbers["held"] = {"listed": visible_to(scope, Company.objects.all()).count()}
    return OpenCounts(numbers, kept.counted_at)
