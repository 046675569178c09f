"""What API views of several apps share: who may, who it is, and examples for the description."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiExample
from rest_framework.request import Request

READ = "read"
WRITE_PORTFOLIO = "write:portfolio"
WRITE_REFERENCES = "write:references"
PULL = "pull"
ALERTS = "alerts"
# Scopes of keys, in the words of the page on which keys are made.
SCOPES = {
    READ: _("Read companies, changes, notifications, registrations, subjects, imports and references"),
    WRITE_PORTFOLIO: _("Say which companies are wanted, within the key's budget"),
    WRITE_REFERENCES: _("Keep what other systems call companies"),
    PULL: _("Pull registrations now"),
    ALERTS: _("Read, acknowledge and close alerts"),
}


def who(request: Request) -> str:
    """The key or person, as the audit calls them."""
    return str(request.auth) if request.auth else request.user.get_username()


def an_answer(name: str, value: Any, *statuses: int) -> OpenApiExample:
    return OpenApiExample(name, value, response_only=True, status_codes=[str(status) for status in statuses or (200,)])


def a_request(name: str, value: Any) -> OpenApiExample:
    return OpenApiExample(name, value, request_only=True)
