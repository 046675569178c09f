"""What D&B permits with each contract's key: known, and not about to end."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from django.utils.translation import gettext

from core import plurals
from core.text import day_text
from health.checks.context import Look
from health.checks.result import Result
from health.models import State
from portfolio.entitlements.rights import rights_in
from portfolio.models import Contract, Entitlements

# Days before the end; notices are sent 60, 30 and 7 days before.
WARNING, CRITICAL = 60, 7


def checks_of_entitlements(look: Look) -> Iterator[Result]:
    known = Entitlements.objects.in_bulk([contract.pk for contract in look.contracts])
    for contract in look.contracts:
        yield entitlements(look, contract, known.get(contract.pk))


def entitlements(look: Look, contract: Contract, row: Entitlements | None) -> Result:
    title = gettext("D&B contract")
    if row is None or not row.answer:
        sentence = gettext("The entitlements are not known yet. A job reads them every night.")
        return Result("entitlements", title, State.UNKNOWN, sentence, subject=contract.name)
    end = rights_in(row.answer).expires
    if end is None:
        sentence = gettext("D&B does not state when the contract ends.")
        return Result("entitlements", title, State.OK, sentence, subject=contract.name)
    left = (end - look.now.date()).days
    do = gettext("Ask D&B to renew the contract.") if left <= WARNING else ""
    return Result("entitlements", title, _state(left), _sentence(end, left), left, "days", do, contract.name)


def _state(left: int) -> State:
    if left <= CRITICAL:
        return State.CRITICAL
    return State.WARNING if left <= WARNING else State.OK


def _sentence(end: date, left: int) -> str:
    if left < 0:
        return gettext("The contract with D&B ended on %(day)s.") % {"day": day_text(end)}
    words = gettext("The contract with D&B ends on %(day)s, in %(days)s.")
    return words % {"day": day_text(end), "days": plurals.days(left)}
