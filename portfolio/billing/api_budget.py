"""What a key may add by itself: reserved in its budget before it is requested, so that nothing is ever added beyond it.

A company counts once a contract year, however often it is asked for. What was reserved by a process that died is
spent when the same is asked for again, or falls back after a while.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from core.db import in_batches, insert_new
from portfolio.billing.new_billable import contract_year_start, new_billable
from portfolio.models import ApiKeyUsage, Contract, Registration
from portfolio.subjects.requests import RequestResult, SubjectEntry, request_subjects

BEGINNING = date(1970, 1, 1)
FALLS_BACK_AFTER = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Purse:
    """A key's budget in one contract, for the present contract year."""

    key: uuid.UUID
    budget: int
    contract: Contract

    @property
    def year(self) -> date:
        """All of time while the anniversary is not set."""
        return contract_year_start(self.contract) or BEGINNING

    def rows(self) -> QuerySet[ApiKeyUsage]:
        return ApiKeyUsage.objects.filter(api_key=self.key, contract=self.contract, year=self.year)

    def used(self) -> int:
        return self.rows().count()

    def left(self) -> int:
        return max(0, self.budget - self.used())

    def reserve(self, duns: Sequence[str]) -> bool:
        """All of them or none. Two at the same moment may both be refused, but never both be given too much."""
        self.let_fall_back()
        mine = insert_new(ApiKeyUsage, [self._row(number) for number in duns])
        if self.used() <= self.budget:
            return True
        self._give_back([row.company for row in mine])
        return False

    def has_room(self, duns: Sequence[str]) -> bool:
        """Whether they could be reserved now; those reserved before are counted once."""
        self.let_fall_back()
        reserved = sum(ApiKeyUsage.objects.filter(pk__in=batch).count() for batch in in_batches(self._keys(duns)))
        return self.used() + len(duns) - reserved <= self.budget

    def spend(self, duns: Sequence[str]) -> None:
        insert_new(ApiKeyUsage, [self._row(number) for number in duns])
        for batch in in_batches(self._keys(duns)):
            ApiKeyUsage.objects.filter(pk__in=batch).update(spent=True)

    def let_fall_back(self) -> None:
        self.rows().filter(spent=False, at__lt=timezone.now() - FALLS_BACK_AFTER).delete()

    def _give_back(self, duns: Sequence[str]) -> None:
        for batch in in_batches(self._keys(duns)):
            ApiKeyUsage.objects.filter(pk__in=batch, spent=False).delete()

    def _keys(self, duns: Sequence[str]) -> list[uuid.UUID]:
        return [ApiKeyUsage.key(self.key, self.contract.pk, self.year, number) for number in duns]

    def _row(self, duns: str) -> ApiKeyUsage:
        key = ApiKeyUsage.key(self.key, self.contract.pk, self.year, duns)
        return ApiKeyUsage(
            id=key, api_key=self.key, contract=self.contract, year=self.year, company=duns, at=timezone.now()
        )


def purse_of(key: Any, contract: Contract) -> Purse | None:
    """A key's; a person confirms what costs money by its number, in an import."""
    return None if key is None else Purse(key.pk, key.budget, contract)


def request_within(
    purse: Purse | None, *, registration: Registration, entries: Sequence[SubjectEntry], requested_by: str
) -> tuple[RequestResult | None, set[str]]:
    """Request them if what would be billed anew lies within the budget; None where a person has to confirm."""
    new = new_billable(registration.contract, [entry.duns for entry in entries])
    if new and (purse is None or not purse.reserve(sorted(new))):
        return None, new
    requested = request_subjects(registration=registration, entries=entries, requested_by=requested_by)
    if new and purse:
        purse.spend(sorted(new))
    return requested, new
