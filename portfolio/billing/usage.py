"""What registrations hold now, and how that stands against their contracts.

Wherever companies are counted, those count that D&B has, until it has confirmed their removal; and each company once,
however many registrations it is in.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Count, Q

from portfolio.billing.contract_year import LISTED, is_billed, next_anniversary, today
from portfolio.billing.new_billable import contract_year_start
from portfolio.models import Contract, Registration, Subject, SubjectState
from portfolio.registrations.pull_job import paused_pulls
from portfolio.registrations.status import Status, status

Numbers = Mapping[str, Any]
COUNTED = ("listed", "coming", "refused", "billed")


@dataclass(frozen=True, slots=True)
class Holding:
    """A registration as it is now: how it stands, and what D&B watches in it."""

    registration: Registration
    status: Status
    listed: int = 0
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


def count_holdings() -> dict[uuid.UUID, dict[str, int]]:
    """What is listed, coming, refused and billed in every registration, in one reading."""
    registrations = list(Registration.objects.select_related("contract").defer("detail"))
    rows = Subject.objects.filter(registration__in=[row.pk for row in registrations]).order_by()
    counted: Any = rows.values("registration").annotate(
        listed=Count("id", filter=Q(state__in=LISTED)),
        coming=Count("id", filter=Q(requested=True, state__in=(SubjectState.UNKNOWN, SubjectState.PENDING_ADD))),
        refused=Count("id", filter=Q(requested=True, state=SubjectState.REFUSED)),
        billed=Count("id", filter=_billed(registrations)),
    )
    return {row["registration"]: {name: row[name] for name in COUNTED} for row in counted}


def count_listed(registrations: Collection[uuid.UUID] | None = None) -> int:
    """Companies that D&B has in some of these registrations, or in any."""
    rows = Subject.objects.filter(state__in=LISTED).order_by()
    if registrations is not None:
        rows = rows.filter(registration__in=list(registrations))
    return rows.values("company").distinct().count()


def listed_in(held: Sequence[Holding], counted: Numbers) -> int:
    """Companies in all of these registrations together, as they were counted last where that tells."""
    if len(held) == 1:
        return held[0].listed
    keys = {one.registration.pk for one in held}
    if {str(key) for key in keys} >= counted["registrations"].keys():
        return int(counted["listed"])
    return count_listed(keys)


def holdings(registrations: Sequence[Registration], counted: Numbers) -> list[Holding]:
    """As they were counted last."""
    found, is_paused = counted["registrations"], paused_pulls() is not None
    return [
        Holding(row, status(row, pulls_paused=is_paused), **_counts(found.get(str(row.pk), {})))
        for row in registrations
    ]


def _counts(numbers: Mapping[str, int]) -> dict[str, int]:
    return {name: numbers.get(name, 0) for name in COUNTED}


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


def contract_states(registrations: Sequence[Registration], counted: Numbers) -> list[ContractState]:
    """The contracts of these registrations, all of whose registrations they are."""
    contracts = {row.contract_id: row.contract for row in registrations}
    billed = {one["name"]: one["year"].get("billed", 0) for one in counted["contracts"]}
    return [
        _state(contract, billed.get(name, 0), [row for row in registrations if row.contract_id == name])
        for name, contract in contracts.items()
    ]


def _state(contract: Contract, billed: int, registrations: Sequence[Registration]) -> ContractState:
    anniversary = next_anniversary(contract)
    return ContractState(
        contract=contract,
        billed=billed,
        is_known=all(row.adopted and row.is_list_complete for row in registrations),
        anniversary=anniversary,
        days_left=(anniversary - today()).days if anniversary else None,
    )
