"""The cache in Redis is never unpickled."""

import pickle

import pytest
from django.core.cache.backends.redis import RedisCache

from dnbmon_site.cache import JSONValues, redis_cache


def test_values_come_back_as_they_were() -> None:
    values = JSONValues()
    assert [values.loads(values.dumps(value)) for value in (1.5, "a", None)] == [1.5, "a", None]


@pytest.mark.parametrize("data", [pickle.dumps(1.5), b"[" * 100_000, b"\xff"])
def test_what_somebody_else_wrote_is_not_there(data: bytes) -> None:
    assert JSONValues().loads(data) is None


def test_the_cache_in_redis_uses_them() -> None:
    params = redis_cache("redis://127.0.0.1:1/0")["default"]
    assert isinstance(RedisCache(params["LOCATION"], params)._cache._serializer, JSONValues)  # type: ignore[attr-defined]
