"""What waits for people in the portfolio, counted: proposals, imports, refusals, what companies hold."""

from __future__ import annotations

from collections import Counter
from typing import Any

from django.db.models import QuerySet

from core.cached_counts import COUNTED, Numbers, counter
from portfolio.billing.contract_year import contract_year
from portfolio.billing.usage import count_holdings, count_listed
from portfolio.companies.notes import split_tags
from portfolio.exposure.rates import exposure_settings
from portfolio.imports.states import lacks_numbers
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

LACKS_NUMBERS = "lacks_numbers"
# Of the values of a filter.
OFFERED = 300


@counter
def proposals() -> Numbers:
    states = (ProposalState.OPEN, ProposalState.AWAITING_APPROVAL)
    return Counter(Proposal.objects.filter(state__in=states).values_list("state", flat=True)[:COUNTED])


@counter
def imports() -> Numbers:
    """By state; those with nothing to confirm yet by themselves."""
    states = (ImportState.READ, ImportState.AWAITING_APPROVAL, ImportState.AWAITING_UNDO)
    rows = SubjectImport.objects.filter(state__in=states).only("state", "counts", "removals")[:COUNTED]
    return Counter(LACKS_NUMBERS if lacks_numbers(row) else row.state for row in rows)


@counter
def refused() -> Numbers:
    """Wanted companies that D&B refuses, by registration."""
    keys = list(Registration.objects.values_list("pk", flat=True))
    rows = Subject.objects.filter(registration__in=keys, requested=True, state=SubjectState.REFUSED)
    return Counter(str(key) for key in rows.values_list("registration_id", flat=True)[:COUNTED])


@counter
def countries() -> Numbers:
    """Countries of companies, by one look into the index for each: there are many companies and few countries."""
    return {"codes": [code for (code,) in _occurring(Company.objects.all(), "country")]}


@counter
def company_values() -> Numbers:
    """What companies can be filtered by, as far as it occurs."""
    companies, entries = Company.objects.all(), Subject.objects.all()
    tags = (tag for (text,) in _occurring(entries.exclude(tags=""), "tags") for tag in split_tags(text))
    return {
        "rating": [rating for (rating,) in _occurring(companies, "rating")],
        "operating_status": [status for (status,) in _occurring(companies, "operating_status")],
        "industry_code": _occurring(companies, "industry_code", "industry", "industry_scheme"),
        "owner": [owner for (owner,) in _occurring(entries.exclude(owner=""), "owner")],
        "tag": sorted(set(tags))[:OFFERED],
    }


def _occurring(rows: QuerySet[Any], column: str, *others: str) -> list[tuple[str, ...]]:
    """Each value of an indexed column, with others of its first row, by one look into the index for each."""
    found: list[tuple[str, ...]] = []
    ordered = rows.order_by(column).values_list(column, *others)
    while len(found) < OFFERED and (row := ordered.filter(**{f"{column}__gt": found[-1][0] if found else ""}).first()):
        found.append(row)
    return found


@counter
def exposure() -> Numbers:
    """The currency that lists name in the heading of amounts."""
    return {"currency": exposure_settings().reporting_currency}


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
