"""What waits for people in the portfolio, counted: proposals, imports, refusals, what companies hold."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from core.cached_counts import COUNTED, Numbers, counter
from core.models import Tally
from portfolio.billing.contract_year import contract_year
from portfolio.billing.usage import count_holdings, count_listed
from portfolio.models import (
    Contract,
    ImportState,
    Proposal,
    ProposalState,
    Registration,
    Subject,
    SubjectImport,
    SubjectState,
)


@dataclass(frozen=True, slots=True)
class Tallies:
    """All that was counted, by its name, and when the oldest of it was."""

    numbers: Mapping[str, Numbers] = field(default_factory=dict)
    counted_at: datetime | None = None

    def of(self, name: str) -> Numbers:
        return self.numbers.get(name, {})


def tallies() -> Tallies:
    rows = list(Tally.objects.all())
    found = {row.what: json.loads(row.numbers) for row in rows}
    return Tallies(found, min((row.counted_at for row in rows), default=None))


@counter
def proposals() -> Numbers:
    states = (ProposalState.OPEN, ProposalState.AWAITING_APPROVAL)
    return Counter(Proposal.objects.filter(state__in=states).values_list("state", flat=True)[:COUNTED])


@counter
def imports() -> Numbers:
    states = (ImportState.READ, ImportState.AWAITING_APPROVAL, ImportState.AWAITING_UNDO)
    return Counter(SubjectImport.objects.filter(state__in=states).values_list("state", flat=True)[:COUNTED])


@counter
def refused() -> Numbers:
    """Wanted companies that D&B refuses, by registration."""
    keys = list(Registration.objects.values_list("pk", flat=True))
    rows = Subject.objects.filter(registration__in=keys, wanted=True, state=SubjectState.REFUSED)
    return Counter(str(key) for key in rows.values_list("registration_id", flat=True)[:COUNTED])


@counter
def held() -> Numbers:
    """What registrations hold, and what the contract years count and pay for."""
    contracts = [_contract(contract) for contract in Contract.objects.order_by("name")]
    return {
        "listed": contracts[0]["year"].get("listed", 0) if len(contracts) == 1 else count_listed(),
        "registrations": {str(key): numbers for key, numbers in count_holdings().items()},
        "contracts": contracts,
    }


def _contract(contract: Contract) -> Numbers:
    year = contract_year(contract)
    return {
        "name": contract.name,
        "contracted": contract.contracted_number,
        "is_known": not year.unadopted,
        "year": year.numbers,
    }
