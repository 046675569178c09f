"""What the cache in Redis holds is JSON: Django's own way would unpickle whatever somebody wrote there."""

from __future__ import annotations

import json
from typing import Any


def redis_cache(url: str) -> dict[str, Any]:
    """For the settings."""
    return {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": url,
            "OPTIONS": {"serializer": "dnbmon_site.cache.JSONValues"},
        }
    }


class JSONValues:
    def dumps(self, value: Any) -> bytes:
        return json.dumps(value).encode()

    def loads(self, data: bytes) -> Any:
        """None, as if nothing was there, for what this program did not write."""
        try:
            return json.loads(data)
        except (ValueError, RecursionError):
            return None
