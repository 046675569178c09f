"""Errors that several of the API's views answer with."""

from __future__ import annotations

from typing import Any

from rest_framework.exceptions import APIException


class Conflict(APIException):
    """409: the state is not, or no longer, what the caller assumes."""

    status_code = 409
    default_code = "conflict"
    default_detail = "The object has changed since you read it."

    def __init__(self, detail: str | None = None, **members: Any) -> None:
        """`members` are what a program needs of the detail, further members of the problem document."""
        super().__init__(detail)
        self.members = members


class BeingCounted(APIException):
    """503: what was asked for is made in the background, and not there yet."""

    status_code = 503
    default_code = "being_counted"
    default_detail = "The numbers are being counted. Retry in a minute."
    # For the header `Retry-After`.
    wait = 60
