"""What registrations hold now, and how that stands against their contracts: for reports."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from django.db.models import Count, Q

from portfolio.contract_year import LISTED, is_billed, next_anniversary, today
from portfolio.models import Contract, Registration, Subject, SubjectState
from portfolio.wanting import contract_year_start
from portfolio.wording import Standing, standing


@dataclass(frozen=True, slots=True)
class Holding:
    """A registration as it is now: how it stands, and what D&B watches in it."""

    registration: Registration
    standing: Standing
    monitored: int = 0
    coming: int = 0
    refused: int = 0
    billed: int = 0


@dataclass(frozen=True, slots=True)
class ContractState:
    """The present contract year over all registrations of the contract, as far as known."""

    contract: Contract
    billed: int
    is_known: bool
    anniversary: date | None
    days_left: int | None


def holdings(registrations: Sequence[Registration]) -> list[Holding]:
    """All of them in one reading; the registrations come with their contracts."""
    rows = Subject.objects.filter(registration__in=[row.pk for row in registrations]).order_by()
    counted = rows.values_list("registration").annotate(
        monitored=Count("id", filter=Q(state=SubjectState.MONITORED)),
        coming=Count("id", filter=Q(wanted=True, state__in=(SubjectState.UNKNOWN, SubjectState.PENDING_ADD))),
        refused=Count("id", filter=Q(wanted=True, state=SubjectState.REFUSED)),
        billed=Count("id", filter=_billed(registrations)),
    )
    found = {registration: numbers for registration, *numbers in counted}
    return [Holding(row, standing(row), *found.get(row.pk, ())) for row in registrations]


def _billed(registrations: Iterable[Registration]) -> Q:
    """Each in the contract year of its own contract."""
    keys: dict[str, list[uuid.UUID]] = {}
    contracts = {row.contract_id: row.contract for row in registrations}
    for row in registrations:
        keys.setdefault(row.contract_id, []).append(row.pk)
    condition = Q(state__in=LISTED)
    for name, contract in contracts.items():
        condition |= Q(registration__in=keys[name]) & is_billed(contract_year_start(contract))
    return condition


def contract_states(held: Sequence[Holding]) -> list[ContractState]:
    """A company in two registrations of a contract is billed once, so only there it takes another reading."""
    contracts = {one.registration.contract_id: one.registration.contract for one in held}
    return [
        _state(contract, [one for one in held if one.registration.contract_id == contract.pk])
        for contract in contracts.values()
    ]


def _state(contract: Contract, held: Sequence[Holding]) -> ContractState:
    filled = [one for one in held if one.billed]
    anniversary = next_anniversary(contract)
    return ContractState(
        contract=contract,
        billed=sum(one.billed for one in filled) if len(filled) < 2 else _distinct(contract, filled),
        is_known=all(one.registration.adopted for one in held),
        anniversary=anniversary,
        days_left=(anniversary - today()).days if anniversary else None,
    )


def _distinct(contract: Contract, held: Sequence[Holding]) -> int:
    rows = Subject.objects.filter(registration__in=[one.registration.pk for one in held])
    return rows.filter(is_billed(contract_year_start(contract))).order_by().values("company").distinct().count()
