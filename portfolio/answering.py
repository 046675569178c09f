"""What API views of several apps share: who it is, and examples for the description."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample
from rest_framework.request import Request


def who(request: Request) -> str:
    """The key or person, as the audit calls them."""
    return str(request.auth) if request.auth else request.user.get_username()


def an_answer(name: str, value: Any, *statuses: int) -> OpenApiExample:
    return OpenApiExample(name, value, response_only=True, status_codes=[str(status) for status in statuses or (200,)])


def a_request(name: str, value: Any) -> OpenApiExample:
    return OpenApiExample(name, value, request_only=True)
