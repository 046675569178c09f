"""How often a key may call: evenly a minute's number of calls, all of them at once if it likes.

Counted in the cache: over all processes where that is Redis, else in each process by itself.
"""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

from django.core.cache import cache
from rest_framework.throttling import BaseThrottle

from dnbmon_site.models import ApiKey

if TYPE_CHECKING:
    from rest_framework.request import Request
    from rest_framework.views import APIView

MINUTE = 60.0


class KeyRate(BaseThrottle):
    """One number a key: when all calls until now will have been paid for at the even rate."""

    seconds: float = 0.0

    def allow_request(self, request: Request, view: APIView) -> bool:
        if not isinstance(request.auth, ApiKey) or not request.auth.calls_per_minute:
            return True
        name, now = f"api-rate-{request.auth.pk}", time.time()
        paid_at = max(cache.get(name, now), now) + MINUTE / request.auth.calls_per_minute
        self.seconds = paid_at - now - MINUTE
        if self.seconds > 0:
            return False
        cache.set(name, paid_at, timeout=2 * MINUTE)
        return True

    def wait(self) -> float:
        return max(1.0, math.ceil(self.seconds))
