"""Calls that may cost, in the API."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rest_framework import serializers

from portfolio.call_budgets.calls import BudgetUsedUp, CallsChanged
from portfolio.imports.api import Conflict
from portfolio.models import CallKind

CONFIRM_HELP = (
    'Number of calls to D&B that you confirm, by kind, such as `{"match": 12}`. If it is not the number that the '
    "request would make, no call is made, and the response (409) states that number."
)


class ConfirmCallsField(serializers.DictField):
    """`confirm_calls` of a request whose calls may cost."""

    child = serializers.IntegerField(min_value=0, max_value=10**9)

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"help_text": CONFIRM_HELP, **options})

    def to_internal_value(self, data: Any) -> dict[CallKind, int]:
        sent = super().to_internal_value(data)
        if unknown := sorted(sent.keys() - set(CallKind.values)):
            raise serializers.ValidationError(f"Unknown kinds of calls: {', '.join(unknown)}.")
        return {CallKind(kind): number for kind, number in sent.items()}


@contextmanager
def conflicts_of_calls() -> Iterator[None]:
    """409 where the calls are not within the budget, or not those confirmed."""
    try:
        yield
    except (BudgetUsedUp, CallsChanged) as error:
        raise Conflict(str(error)) from error
