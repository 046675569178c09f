"""What a page shows before an act makes calls, and the numbers that come back with the confirmation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.formats import date_format
from django.utils.translation import gettext, ngettext

from core.text import counted
from portfolio.call_budgets.calls import BudgetUsedUp, calls_left, limit_of, require_calls, this_month
from portfolio.models import CallKind, Contract

PREFIX = "calls_"


@dataclass(frozen=True, slots=True)
class PlannedCalls:
    """For `portfolio/call_budgets/confirm.html`, inside the form that confirms them."""

    sentences: list[str]
    fields: list[tuple[str, int]]
    # Why they cannot be made.
    refusal: str = ""


def planned_calls(contract: Contract, planned: Mapping[CallKind, int]) -> PlannedCalls:
    made = {kind: number for kind, number in planned.items() if number}
    sentences = [_sentence(contract, kind, number) for kind, number in made.items()]
    if sentences:
        sentences.append(gettext("D&B may bill these calls."))
    fields = [(f"{PREFIX}{kind}", number) for kind, number in made.items()]
    return PlannedCalls(
        sentences or [gettext("This action makes no calls that may incur costs.")], fields, _refusal(contract, made)
    )


def confirmed_in(posted: Mapping[str, str]) -> dict[CallKind, int]:
    """The numbers in a form that was sent back; what is not a number confirms nothing."""
    sent = {kind: posted.get(f"{PREFIX}{kind}", "") for kind in CallKind}
    return {kind: int(text) for kind, text in sent.items() if text.isascii() and text.isdigit() and len(text) < 10}


def _sentence(contract: Contract, kind: CallKind, number: int) -> str:
    words = ngettext(
        "This action makes %(count)s %(kind)s call; %(left)s of %(limit)s are left in %(month)s.",
        "This action makes %(count)s %(kind)s calls; %(left)s of %(limit)s are left in %(month)s.",
        number,
    )
    return words % {
        "count": counted(number),
        "kind": kind.label,
        "left": counted(calls_left(contract, kind)),
        "limit": counted(limit_of(contract, kind)),
        "month": date_format(this_month(), "F"),
    }


def _refusal(contract: Contract, planned: Mapping[CallKind, int]) -> str:
    try:
        require_calls(contract, planned)
    except BudgetUsedUp as error:
        return str(error)
    return ""
