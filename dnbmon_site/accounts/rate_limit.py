"""How often a key may call: evenly a minute's number of calls, or all of them in one burst.

Counted in the cache: over all processes where that is Redis, else in each process alone. Every call with a valid
key counts, whatever becomes of it.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

from django.core.cache import cache
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from dnbmon_site.accounts.api_keys import key_of
from dnbmon_site.accounts.models import ApiKey
from dnbmon_site.api.problems import problem

MINUTE = 60.0
# Sums of fractions of a second: a minute's last call is not refused for a millionth.
ROUNDING = 0.001


@dataclass(frozen=True, slots=True)
class Pace:
    """Where a key stands: for how many seconds it has called ahead of the even pace."""

    limit: int
    ahead: float
    wait: int = 0

    @property
    def left(self) -> int:
        return max(0, math.floor((MINUTE - self.ahead + ROUNDING) * self.limit / MINUTE))

    def headers(self) -> dict[str, str]:
        """In the words of the IETF's draft that clients read."""
        found = {
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(self.left),
            "RateLimit-Reset": str(math.ceil(self.ahead - ROUNDING)),
        }
        return found | ({"Retry-After": str(self.wait)} if self.wait else {})


def spend(key: ApiKey) -> Pace | None:
    """Count a call; None where there is no limit. One number a key: when all its calls are paid for."""
    if not key.calls_per_minute:
        return None
    name, now, one = f"api-rate-{key.pk}", time.time(), MINUTE / key.calls_per_minute
    paid_at = cache.get(name)
    ahead = max(0.0, paid_at - now) if isinstance(paid_at, float) else 0.0
    if ahead + one > MINUTE + ROUNDING:
        return Pace(key.calls_per_minute, ahead, wait=max(1, math.ceil(ahead + one - MINUTE)))
    cache.set(name, now + ahead + one, timeout=2 * MINUTE)
    return Pace(key.calls_per_minute, ahead + one)


class ApiAnswers:
    """What every response of the API has: no cache keeps it, and a key reads how many calls it has left."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not request.path_info.startswith("/api/"):
            return self.get_response(request)
        key = key_of(request)
        pace = spend(key) if key else None
        answer = too_many(pace) if pace and pace.wait else self.get_response(request)
        answer["Cache-Control"] = "no-store"
        for name, value in (pace.headers() if pace else {}).items():
            answer[name] = value
        return answer


def too_many(pace: Pace) -> HttpResponseBase:
    return problem(429, too_many_words(pace))


def too_many_words(pace: Pace) -> str:
    return f"This API key is limited to {pace.limit} calls per minute. Retry in {pace.wait} s."
