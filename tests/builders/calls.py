"""Budgets of calls that may cost."""

from portfolio.models import CallBudget, CallKind, Contract


def a_budget(contract: Contract, kind: CallKind, calls_per_month: int | None) -> CallBudget:
    row, _ = CallBudget.objects.update_or_create(
        id=CallBudget.key(contract.pk, kind),
        defaults={"contract": contract, "kind": kind, "calls_per_month": calls_per_month},
    )
    return row
