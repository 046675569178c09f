"""What API views of several apps share: the caller, and examples for the description."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample
from rest_framework.request import Request

from core.actors import Actor, actor_of


def who(request: Request) -> Actor:
    """The key or person, as the audit calls them."""
    key: Any = request.auth
    return Actor(str(key), key.pk, key.created_by_id) if key else actor_of(request)


def an_answer(name: str, value: Any, *statuses: int) -> OpenApiExample:
    return OpenApiExample(name, value, response_only=True, status_codes=[str(status) for status in statuses or (200,)])


def a_request(name: str, value: Any) -> OpenApiExample:
    return OpenApiExample(name, value, request_only=True)
