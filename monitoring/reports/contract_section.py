"""The contracts of a report in words: companies billed in the contract year, compared with the contracted number."""

from __future__ import annotations

from django.utils.formats import date_format
from django.utils.translation import gettext, ngettext

from core.text import counted
from monitoring.reports.compute import Report
from portfolio.billing.usage import ContractState


def contract_sentences(report: Report) -> list[str]:
    """Each contract; by its name only where there are several."""
    are_several = len({row.contract_id for row in report.every}) > 1
    return [_sentence(one, is_named=are_several) for one in report.contracts]


def _sentence(state: ContractState, *, is_named: bool) -> str:
    """ "Contract: 1,200 companies billed of 2,000 contracted in this contract year; …"."""
    number = state.contract.contracted_number
    name = gettext("Contract “%(name)s”") % {"name": state.contract.name} if is_named else gettext("Contract")
    words = {"contract": name, "billed": _billed(state), "ends": _ends(state)}
    if number is None:
        return gettext("%(contract)s: %(billed)s in this contract year%(ends)s.") % words
    words |= {"number": counted(number), "over": counted(state.billed - number)}
    if state.billed <= number:
        text = gettext("%(contract)s: %(billed)s of %(number)s contracted in this contract year%(ends)s.")
    else:
        text = gettext(
            "%(contract)s: %(billed)s of %(number)s contracted in this contract year, %(over)s over the limit%(ends)s."
        )
    return text % words


def _billed(state: ContractState) -> str:
    if state.is_known:
        text = ngettext("%(count)s company billed", "%(count)s companies billed", state.billed)
    else:
        text = ngettext("at least %(count)s company billed", "at least %(count)s companies billed", state.billed)
    return text % {"count": counted(state.billed)}


def _ends(state: ContractState) -> str:
    if state.anniversary is None or state.days_left is None:
        return ""
    text = ngettext(
        "; the next year begins on %(day)s, in %(count)s day",
        "; the next year begins on %(day)s, in %(count)s days",
        state.days_left,
    )
    return text % {"day": date_format(state.anniversary, "j F Y"), "count": counted(state.days_left)}
