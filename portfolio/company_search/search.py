"""One search: waiting → called → found. Its row is written before the call, and its result before anything else."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext

from core.db import clean_text
from direct_plus.candidates import CompanyQuery, MatchCandidate
from direct_plus.client import DirectPlus
from direct_plus.errors import BadRequest, DirectPlusError
from direct_plus.session import error_of
from portfolio.call_budgets.calls import BudgetUsedUp, counted_call
from portfolio.company_search.candidates import MOST, stored
from portfolio.dnb_client import NotConfigured, client_for, longest_call
from portfolio.models import CallKind, CompanySearch, SearchState

# After this, the process that made the call has ended.
MARGIN = timedelta(minutes=1)


class SearchStopped(Exception):
    """No further search will succeed for now; the message says why."""


def move(search: CompanySearch, *before: SearchState, **fields: Any) -> bool:
    """Write the fields unless somebody has moved the search on; False when somebody has."""
    moved = CompanySearch.objects.filter(pk=search.pk, state__in=before).update(**fields)
    if moved:
        for name, value in fields.items():
            setattr(search, name, value)
    return bool(moved)


def run_search(search: CompanySearch) -> None:
    """Ask D&B, once. Raises SearchStopped where no other search would succeed either."""
    if not move(search, SearchState.WAITING, state=SearchState.CALLED, called_at=timezone.now()):
        return
    try:
        client = _ready(client_for(search.contract))
        with counted_call(search.contract, CallKind(search.kind), about=search.name, requested_by=search.requested_by):
            _keep(search, _ask(client, search))
    except BudgetUsedUp as error:
        _end(search, SearchState.STOPPED, str(error))
        raise SearchStopped(str(error)) from error
    except BadRequest as error:
        # About this row alone.
        _end(search, SearchState.FAILED, str(error))
    except (DirectPlusError, NotConfigured) as error:
        _end(search, SearchState.FAILED, str(error))
        raise SearchStopped(str(error)) from error


def _ready(client: DirectPlus) -> DirectPlus:
    """With a token at hand: what lacks it makes no call, and uses none of the budget."""
    refusal = client.session.ensure_token()
    error = error_of(refusal) if refusal else None
    if error:
        raise error
    return client


def _ask(client: DirectPlus, search: CompanySearch) -> list[MatchCandidate]:
    if search.kind == CallKind.TYPEAHEAD:
        return client.typeahead(search.name, country=search.country, limit=MOST)
    return client.match(query_of(search), limit=MOST)


def query_of(search: CompanySearch) -> CompanyQuery:
    return CompanyQuery(
        search.name,
        search.country,
        search.street,
        search.city,
        search.postal_code,
        search.registration_number,
        search.telephone,
    )


def _keep(search: CompanySearch, found: list[MatchCandidate]) -> None:
    state = SearchState.FOUND if found else SearchState.NOTHING
    # An answer that comes after its search counted as interrupted was paid all the same.
    move(search, SearchState.CALLED, SearchState.FAILED, state=state, candidates=stored(found), error="")


def _end(search: CompanySearch, state: SearchState, error: str) -> None:
    move(search, SearchState.CALLED, state=state, error=clean_text(error, 500))


def note_interrupted() -> int:
    """Searches of processes that ended: whether D&B answered is not known, so people decide on another call."""
    words, ended = gettext("The search was interrupted. D&B may have counted the call."), _ended_before()
    # A search for a person is made at once or not at all; those of imports wait for a worker.
    single = CompanySearch.objects.filter(subject_import=None, state=SearchState.WAITING, requested_at__lt=ended)
    single.update(state=SearchState.STOPPED, error=gettext("The search was interrupted before D&B was called."))
    rows = CompanySearch.objects.filter(state=SearchState.CALLED, called_at__lt=ended)
    return rows.update(state=SearchState.FAILED, error=words)


def _ended_before() -> datetime:
    return timezone.now() - longest_call() - MARGIN


def stop_all_searches(reason: str) -> None:
    """After a backup was put back: those that were to be made may have been paid since."""
    open_ = CompanySearch.objects.filter(state__in=(SearchState.WAITING, SearchState.CALLED))
    open_.update(state=SearchState.STOPPED, error=clean_text(reason, 500))
