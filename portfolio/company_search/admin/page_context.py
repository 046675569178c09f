"""What the pages show of a search: the candidates, where they are monitored, and what can be done."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse

from portfolio.company_search.admin.find_page import FIELDS
from portfolio.company_search.candidates import MOST, candidates_of, confidence_text, monitored_in
from portfolio.imports.admin.actions import SEARCH, UPLOAD
from portfolio.models import CompanySearch, Registration, SearchState

TONES = {
    SearchState.WAITING: "info",
    SearchState.CALLED: "info",
    SearchState.FOUND: "warn",
    SearchState.NOTHING: "calm",
    SearchState.STOPPED: "warn",
    SearchState.FAILED: "bad",
    SearchState.CHOSEN: "good",
    SearchState.REJECTED: "calm",
}
ACTIVE = "Active"


def search_context(request: HttpRequest, search: CompanySearch) -> dict[str, Any]:
    is_single = search.subject_import_id is None
    return {
        **shown(request, [search])[0],
        "tone": TONES[SearchState(search.state)],
        "registrations": _registrations(search) if is_single else [],
        "may_reopen": search.state in (SearchState.CHOSEN, SearchState.REJECTED) and not search.added_to,
        "again": _again(search) if is_single and request.user.has_perm(SEARCH) else "",
    }


def shown(request: HttpRequest, searches: Sequence[CompanySearch], most: int = MOST) -> list[dict[str, Any]]:
    """Each search with its first candidates, and how many more there are."""
    every = {search.pk: candidates_of(search) for search in searches}
    found = {key: candidates[:most] for key, candidates in every.items()}
    monitored: dict[Any, dict[str, list[str]]] = {}
    for contract in {search.contract for search in searches}:
        numbers = [one.duns for search in searches if search.contract == contract for one in found[search.pk]]
        monitored[contract] = monitored_in(contract, numbers, request.user)
    may_decide = request.user.has_perm(UPLOAD)
    return [
        {
            "row": search,
            "more": len(every[search.pk]) - len(found[search.pk]),
            "candidates": [
                {
                    "candidate": one,
                    "confidence": confidence_text(one),
                    "monitored": ", ".join(monitored[search.contract].get(one.duns, [])),
                    "status": "" if one.status == ACTIVE else one.status,
                    "is_chosen": one.duns == search.chosen,
                }
                for one in found[search.pk]
            ],
            "is_open": may_decide and search.state == SearchState.FOUND,
            "may_decide": may_decide,
            "known": ", ".join(filter(None, (getattr(search, name) for name in FIELDS[2:]))),
        }
        for search in searches
    ]


def _registrations(search: CompanySearch) -> list[Registration]:
    return list(Registration.objects.filter(contract=search.contract).defer("detail").order_by("reference"))


def _again(search: CompanySearch) -> str:
    known = {name: getattr(search, name) for name in FIELDS if getattr(search, name)}
    return f"{reverse('admin:portfolio_companysearch_find')}?{urlencode({**known, 'contract': search.contract_id})}"
