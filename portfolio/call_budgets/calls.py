"""Each call that may cost is taken from the month's budget and written down before it is made.

A call counts from then on, whatever becomes of it: nobody knows whether D&B bills a call whose answer was lost.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date

from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext

from core import plurals
from core.db import clean_text, insert_new
from core.text import counted
from direct_plus.errors import (
    DirectPlusError,
    Gone,
    NotFound,
    ServerTrouble,
    Transferred,
    UnknownPath,
    Unreachable,
    Unreadable,
)
from portfolio.models import CallBudget, CallKind, CallMonth, CallOutcome, Contract, DnbCall


class BudgetUsedUp(Exception):
    """The calls are more than are left this month; the message says who can raise the limit."""

    def __init__(self, contract: Contract, kind: CallKind, *, left: int, needed: int) -> None:
        self.contract, self.kind, self.left, self.needed = contract, kind, left, needed
        super().__init__(
            gettext(
                "The budget of %(kind)s calls is not sufficient: %(needed)s needed, %(left)s left this month. An "
                "administrator can raise the limit of contract “%(contract)s” under “Call budgets”."
            )
            % {"kind": kind.label, "needed": plurals.calls(needed), "left": counted(left), "contract": contract.name}
        )


class CallsChanged(Exception):
    """The confirmed number of calls is not the number that would be made now."""

    def __init__(self, planned: Mapping[CallKind, int]) -> None:
        self.planned = planned
        super().__init__(
            gettext(
                "No call was made, because the number of calls has changed. It is now: %(calls)s. Confirm it again."
            )
            % {"calls": _listed(planned)}
        )


def this_month() -> date:
    """D&B counts in UTC."""
    return timezone.now().astimezone(UTC).date().replace(day=1)


def limit_of(contract: Contract, kind: CallKind) -> int:
    key = CallBudget.key(contract.pk, kind)
    return (CallBudget.objects.filter(pk=key).first() or CallBudget(kind=kind)).limit


def calls_used(contract: Contract, kind: CallKind) -> int:
    key = CallMonth.key(contract.pk, kind, this_month())
    return CallMonth.objects.filter(pk=key).values_list("used", flat=True).first() or 0


def calls_left(contract: Contract, kind: CallKind) -> int:
    return max(0, limit_of(contract, kind) - calls_used(contract, kind))


def require_calls(contract: Contract, planned: Mapping[CallKind, int]) -> None:
    """Raises BudgetUsedUp for an act of several calls that would end half-way. Takes nothing: each call does."""
    for kind, needed in planned.items():
        if needed > (left := calls_left(contract, kind)):
            raise BudgetUsedUp(contract, kind, left=left, needed=needed)


def confirm_calls(planned: Mapping[CallKind, int], confirmed: Mapping[CallKind, int]) -> None:
    """Raises CallsChanged unless exactly the planned calls were shown to whoever confirms them."""
    if _some(planned) != _some(confirmed):
        raise CallsChanged(_some(planned))


@contextmanager
def counted_call(contract: Contract, kind: CallKind, *, about: str, requested_by: str) -> Iterator[DnbCall]:
    """Take one call from the month's budget and write it down, before the block makes it; raises BudgetUsedUp.

    Make the client before the block, so that a missing setting uses no call; and open no transaction around it, which
    would take back what was written down about a call that was made.
    """
    _take(contract, kind)
    call = DnbCall.objects.create(
        contract=contract,
        kind=kind,
        about=clean_text(about, 200),
        requested_by=clean_text(requested_by, 200),
        called_at=timezone.now(),
    )
    try:
        yield call
    except Exception as error:
        _end(call, _outcome_of(error), getattr(error, "code", None) or type(error).__name__)
        raise
    _end(call, CallOutcome.ANSWERED)


def _take(contract: Contract, kind: CallKind) -> None:
    limit, month = limit_of(contract, kind), this_month()
    key = CallMonth.key(contract.pk, kind, month)
    insert_new(CallMonth, [CallMonth(id=key, contract=contract, kind=kind, month=month)])
    # Compared and counted in one statement about one row: no two processes get the same call on any engine.
    if not CallMonth.objects.filter(pk=key, used__lt=limit).update(used=F("used") + 1):
        raise BudgetUsedUp(contract, kind, left=0, needed=1)


def _end(call: DnbCall, outcome: CallOutcome, code: str = "") -> None:
    call.outcome, call.code, call.ended_at = outcome, clean_text(code, 64), timezone.now()
    call.save(update_fields=["outcome", "code", "ended_at"])


def _outcome_of(error: Exception) -> CallOutcome:
    """That D&B knows no such company is an answer; that it takes no such call is a refusal."""
    if isinstance(error, Transferred) or (
        isinstance(error, Gone | NotFound) and error.is_from_dnb and not isinstance(error, UnknownPath)
    ):
        return CallOutcome.ANSWERED
    is_refused = isinstance(error, DirectPlusError) and not isinstance(error, Unreachable | Unreadable | ServerTrouble)
    return CallOutcome.REFUSED if is_refused else CallOutcome.FAILED


def _some(calls: Mapping[CallKind, int]) -> dict[CallKind, int]:
    return {kind: number for kind, number in calls.items() if number}


def _listed(planned: Mapping[CallKind, int]) -> str:
    return ", ".join(f"{kind.label} {counted(number)}" for kind, number in planned.items()) or counted(0)
