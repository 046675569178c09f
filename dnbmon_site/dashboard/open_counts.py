"""What the Overview would else ask each time: the guided start that was dismissed, and keys with unknown scopes."""

from __future__ import annotations

from core.cached_counts import Numbers, OpenCounts, counter
from core.models import AuditEntry
from dnbmon_site.accounts.models import ApiKey

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
