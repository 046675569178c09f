"""What waits for people in the portfolio, counted: proposals, imports, refusals, what companies hold."""

from __future__ import annotations

from collections import Counter

from core.cached_counts import COUNTED, Numbers, counter
from portfolio.billing.contract_year import contract_year
from portfolio.billing.usage import count_holdings, count_listed
from portfolio.models import (
    Company,
    Contract,
    ImportState,
    Proposal,
    ProposalState,
    Registration,
    Subject,
    SubjectImport,
    SubjectState,
)


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
    rows = Subject.objects.filter(registration__in=keys, requested=True, state=SubjectState.REFUSED)
    return Counter(str(key) for key in rows.values_list("registration_id", flat=True)[:COUNTED])


@counter
def countries() -> Numbers:
    """Countries of companies, by one look into the index for each: there are many companies and few countries."""
    codes = Company.objects.order_by("country").values_list("country", flat=True)
    found = [""]
    while code := codes.filter(country__gt=found[-1]).first():
        found.append(code)
    return {"codes": found[1:]}


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
        "is_known": year.is_exact,
        "year": year.numbers,
    }
