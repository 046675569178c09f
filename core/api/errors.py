"""Errors that several of the API's views answer with."""

from __future__ import annotations

from rest_framework.exceptions import APIException


class Conflict(APIException):
    """409: the state is not, or no longer, what the caller assumes."""

    status_code = 409
    default_code = "conflict"
    default_detail = "The object has changed since you read it."
