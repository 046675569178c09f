"""A company that a person, or another system, looks for."""

from __future__ import annotations

import uuid
from collections.abc import Mapping

from django.utils import timezone
from django.utils.translation import gettext

from core.audit import record
from core.db import clean_text, insert_new
from direct_plus.candidates import CompanyQuery
from portfolio.call_budgets.calls import confirm_calls, require_calls
from portfolio.company_search.search import SearchStopped, run_search
from portfolio.models import CallKind, CompanySearch, Contract


def search_company(
    *,
    contract: Contract,
    query: CompanyQuery,
    confirmed: Mapping[CallKind, int],
    requested_by: str,
    kind: CallKind = CallKind.MATCH,
    key: uuid.UUID | None = None,
) -> CompanySearch:
    """Ask D&B for candidates: one call. The same `key` again is the same search, and makes no call."""
    known = CompanySearch.objects.filter(pk=key).first() if key else None
    if known:
        return known
    confirm_calls({kind: 1}, confirmed)
    require_calls(contract, {kind: 1})
    search = _search(contract, query, kind, requested_by, key)
    if insert_new(CompanySearch, [search]):
        _record(search, requested_by)
        _run(search)
    return CompanySearch.objects.select_related("contract").get(pk=search.pk)


def _search(
    contract: Contract, query: CompanyQuery, kind: CallKind, requested_by: str, key: uuid.UUID | None
) -> CompanySearch:
    return CompanySearch(
        **({"id": key} if key else {}),
        contract=contract,
        kind=kind,
        name=clean_text(query.name, 300),
        country=query.country,
        street=clean_text(query.street, 200),
        city=clean_text(query.city, 100),
        postal_code=clean_text(query.postal_code, 20),
        registration_number=clean_text(query.registration_number, 60),
        telephone=clean_text(query.telephone, 40),
        requested_by=clean_text(requested_by, 200),
        requested_at=timezone.now(),
    )


def _run(search: CompanySearch) -> None:
    try:
        run_search(search)
    except SearchStopped:
        # The row says why.
        return


def _record(search: CompanySearch, requested_by: str) -> None:
    record(
        actor=requested_by,
        action="search.company",
        thing=search,
        summary=gettext("Company search at D&B: %(search)s") % {"search": search},
        after={"kind": search.kind, "calls": 1},
    )
