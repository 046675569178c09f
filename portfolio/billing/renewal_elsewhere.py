"""Where companies renew although they are removed from some registrations: a company in any of them is billed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from core.db import in_batches
from portfolio.billing.contract_year import next_anniversary, renews
from portfolio.models import Company, Contract, Registration, Subject


@dataclass(frozen=True, slots=True)
class RenewsElsewhere:
    """A company, and its entries in other registrations of the same contract that keep it billed."""

    company: Company
    entries: Sequence[Subject]

    @property
    def references(self) -> list[str]:
        return sorted(entry.registration.reference for entry in self.entries)


def renewing_elsewhere(removed: Sequence[Subject]) -> list[RenewsElsewhere]:
    """Which of these companies renew at the anniversary of their contract, though these entries are removed before."""
    going = {row.pk for row in removed}
    found: dict[str, list[Subject]] = {}
    for contract, registrations in _contracts(removed).items():
        keys = {registration.pk: registration for registration in registrations}
        numbers = sorted({row.company_id for row in removed if row.registration_id in keys})
        for entry in _renewing(contract, list(keys), numbers):
            if entry.pk not in going:
                entry.registration = keys[entry.registration_id]
                found.setdefault(entry.company_id, []).append(entry)
    companies = Company.objects.in_bulk(list(found))
    return [RenewsElsewhere(companies[number], found[number]) for number in sorted(found)]


def _contracts(rows: Sequence[Subject]) -> dict[Contract, list[Registration]]:
    """Their contracts, with all registrations of each."""
    touched = Registration.objects.filter(pk__in={row.registration_id for row in rows})
    contracts = Contract.objects.in_bulk(list(set(touched.values_list("contract", flat=True))))
    found: dict[Contract, list[Registration]] = {contract: [] for contract in contracts.values()}
    for registration in Registration.objects.filter(contract__in=list(contracts)).defer("detail"):
        found[contracts[registration.contract_id]].append(registration)
    return found


def _renewing(contract: Contract, registrations: Sequence[UUID], numbers: Sequence[str]) -> Iterable[Subject]:
    condition = renews(next_anniversary(contract))
    for batch in in_batches(numbers):
        yield from Subject.objects.filter(condition, registration__in=registrations, company__in=batch)
