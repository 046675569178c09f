"""The budgets of a contract with what was used of them, and changing one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from django.utils.translation import gettext

from core.audit import record
from core.db import insert_new
from core.text import counted
from portfolio.call_budgets.calls import this_month
from portfolio.models import CallBudget, CallKind, CallMonth, Contract


@dataclass(frozen=True, slots=True)
class BudgetMonth:
    """A budget in the present month."""

    budget: CallBudget
    used: int

    @property
    def kind(self) -> CallKind:
        return CallKind(self.budget.kind)

    @property
    def left(self) -> int:
        return max(0, self.budget.limit - self.used)

    @property
    def is_default(self) -> bool:
        return self.budget.calls_per_month is None


def budgets_of(contracts: Iterable[Contract]) -> list[BudgetMonth]:
    """Of every kind, in the order of contracts and kinds; also those that nobody has set."""
    rows = [_row(contract, kind) for contract in contracts for kind in CallKind]
    known = CallBudget.objects.in_bulk([row.pk for row in rows])
    month = this_month()
    used = {row.pk: row.used for row in CallMonth.objects.filter(month=month)}
    return [
        BudgetMonth(known.get(row.pk, row), used.get(CallMonth.key(row.contract_id, row.kind, month), 0))
        for row in rows
    ]


def ensure_budgets() -> None:
    """A row for each, for pages that change one."""
    insert_new(CallBudget, [_row(contract, kind) for contract in Contract.objects.all() for kind in CallKind])


def budget_of(contract: Contract, kind: CallKind) -> CallBudget:
    """The row to set, also where nobody has set it before."""
    insert_new(CallBudget, [row := _row(contract, kind)])
    return row


def earlier_months(contract: Contract, count: int = 12) -> list[tuple[date, dict[str, int]]]:
    """Used calls by kind in months before this one, the latest first."""
    rows = CallMonth.objects.filter(contract=contract, month__lt=this_month()).order_by("-month")
    months: dict[date, dict[str, int]] = {}
    for row in rows[: count * len(CallKind)]:
        months.setdefault(row.month, {})[row.kind] = row.used
    return list(months.items())[:count]


def set_budget(budget: CallBudget, calls_per_month: int | None, *, changed_by: str) -> None:
    """From now on, also for the present month; nothing where it is the same."""
    before = CallBudget.objects.filter(pk=budget.pk).values_list("calls_per_month", flat=True).first()
    if before == calls_per_month:
        return
    CallBudget.objects.filter(pk=budget.pk).update(calls_per_month=calls_per_month)
    budget.calls_per_month = calls_per_month
    summary = gettext("Call budget %(budget)s: %(limit)s calls per month")
    record(
        actor=changed_by,
        action="call_budget.changed",
        thing=budget,
        summary=summary % {"budget": budget, "limit": counted(budget.limit)},
        before={"calls_per_month": before},
        after={"calls_per_month": calls_per_month},
    )


def _row(contract: Contract, kind: CallKind) -> CallBudget:
    return CallBudget(id=CallBudget.key(contract.pk, kind), contract=contract, kind=kind)
