"""What the Overview would else ask each time: the guided start that was dismissed, and keys with unknown scopes."""

from __future__ import annotations

from core.cached_counts import Numbers, counter
from core.models import AuditEntry
from dnbmon_site.accounts.models import ApiKey

DISMISSED = "guided-start.dismiss"


def is_dismissed() -> bool:
    return AuditEntry.objects.filter(action=DISMISSED).exists()


@counter
def guided_start() -> Numbers:
    return {"dismissed": is_dismissed()}


@counter
def api_keys() -> Numbers:
    return {"unknown": sum(bool(key.unknown_scopes) for key in ApiKey.objects.valid())}
