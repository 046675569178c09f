"""A fetch, company by company: each call is announced, made once, and its answer stored before it is read.

A process that dies leaves at most one call of which nobody knows whether D&B answered. It is not made again before
somebody has confirmed that; what had been answered and stored is read by the next process.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext

from core.blobs import store_bytes
from core.db import clean_text
from core.ids import time_first_id
from core.leases import Hold, HoldLost, releasing
from direct_plus.client import DirectPlus
from direct_plus.errors import (
    BadRequest,
    ContractDates,
    DirectPlusError,
    Gone,
    NotFound,
    ServerTrouble,
    Transferred,
    UnknownDuns,
    UnknownPath,
    Unreachable,
    Unreadable,
)
from direct_plus.session import error_of
from monitoring.data_fetch.documents import keep, read_kept
from monitoring.data_fetch.finish import finish
from monitoring.data_fetch.moved import propose_merger, propose_removal
from monitoring.models import DataFetch, FetchedCompany, FetchedState, FetchState
from monitoring.story_order import next_turn
from portfolio.call_budgets.calls import BudgetUsedUp, counted_call
from portfolio.dnb_client import NotConfigured, client_for, longest_call
from portfolio.models import CallKind, DnbCall

AT_ONCE = 100
# In a row: all further calls would fare alike.
MOST_FAILURES = 3
WITHOUT_ANSWER = (Unreachable, Unreadable, ServerTrouble)


class Stop(Exception):
    """Why no further call is made; the message is for people."""


def run_fetch(fetch: DataFetch, *, until: datetime) -> bool:
    """Go on with it; False where its time was over first. Does nothing while another process works on it."""
    rows = DataFetch.objects.filter(pk=fetch.pk)
    hold = Hold.take(rows.filter(state=FetchState.RUNNING), longest_call())
    if hold is None:
        return True
    hold.row = rows
    with releasing(hold):
        try:
            return _run(fetch, hold, until)
        except (Stop, BudgetUsedUp, NotConfigured) as reason:
            rows.filter(state=FetchState.RUNNING).update(state=FetchState.STOPPED, reason=clean_text(str(reason)))
        except HoldLost:
            pass
    return True


def _run(fetch: DataFetch, hold: Hold[DataFetch], until: datetime) -> bool:
    client, failures = client_for(fetch.contract), 0
    _take_up(fetch)
    for item in _waiting(fetch):
        if timezone.now() >= until:
            return False
        hold.renew()
        if not DataFetch.objects.filter(pk=fetch.pk, state=FetchState.RUNNING).exists():
            return True
        failures = 0 if look_at(item, fetch, client, hold) else failures + 1
        if failures == MOST_FAILURES:
            raise Stop(item.message)
        hold.update(moved_at=timezone.now())
    finish(fetch)
    return True


def _waiting(fetch: DataFetch) -> Iterator[FetchedCompany]:
    """Each leaves this state when it is looked at, or ends the run."""
    rows = FetchedCompany.objects.filter(fetch=fetch, state=FetchedState.WAITING).select_related("registration")
    while batch := list(rows.order_by("id")[:AT_ONCE]):
        yield from batch


def _take_up(fetch: DataFetch) -> None:
    """What a process that died has left: a stored answer is read, any other call is in doubt."""
    for item in FetchedCompany.objects.filter(fetch=fetch, state=FetchedState.CALLED).select_related("registration"):
        if not read_kept(item):
            _fail(item, gettext("The process ended during the call. It is not known whether D&B answered."))


def look_at(item: FetchedCompany, fetch: DataFetch, client: DirectPlus, hold: Hold[DataFetch]) -> bool:
    """False where nothing valid came of it. What D&B refuses for all companies alike ends the run."""
    try:
        if fetch.check_since and item.checked_at is None and not _has_changes(item, fetch, client):
            move(item, FetchedState.CURRENT)
        else:
            # A refresh check may have used up the time for one call.
            hold.renew()
            _fetch(item, fetch, client)
    except DirectPlusError as error:
        _note_error(item, error)
    except BudgetUsedUp:
        move(item, FetchedState.WAITING, turn=0, delivery_key=None)
        raise
    return item.state != FetchedState.FAILED


def _note_error(item: FetchedCompany, error: DirectPlusError) -> None:
    if _is_about_company(error):
        _note_answer(item, error)
    elif isinstance(error, WITHOUT_ANSWER) or _is_refused_alone(error):
        _fail(item, str(error))
    else:
        move(item, FetchedState.WAITING, turn=0, delivery_key=None)
        raise Stop(str(error)) from error


def _is_about_company(error: DirectPlusError) -> bool:
    """A status alone may be a gateway's, and says nothing about a company."""
    return isinstance(error, Transferred | UnknownDuns) or (isinstance(error, Gone) and error.is_from_dnb)


def _is_refused_alone(error: DirectPlusError) -> bool:
    """D&B may take the same call for another company."""
    if isinstance(error, BadRequest):
        return not isinstance(error, ContractDates)
    return isinstance(error, NotFound) and error.is_from_dnb and not isinstance(error, UnknownPath)


def _has_changes(item: FetchedCompany, fetch: DataFetch, client: DirectPlus) -> bool:
    assert fetch.check_since is not None
    demand_token(client)
    move(item, FetchedState.CALLED)
    with _counted(item, fetch, CallKind.REFRESH_CHECK):
        has_changes = client.refresh_check(
            item.company_id,
            product_id=fetch.product_id,
            version_id=fetch.version_id,
            reference_date=fetch.check_since,
        )
    if has_changes:
        item.checked_at = timezone.now()
        item.save(update_fields=["checked_at"])
    return has_changes


def _fetch(item: FetchedCompany, fetch: DataFetch, client: DirectPlus) -> None:
    if FetchedCompany.objects.filter(fetch=fetch, turn__gt=0).count() >= fetch.confirmed_calls:
        move(item, FetchedState.WAITING)
        raise Stop(gettext("The confirmed number of calls is used up. Continue to confirm more."))
    demand_token(client)
    key = time_first_id()
    move(item, FetchedState.CALLED, turn=next_turn(item.registration), delivery_key=key, called_at=timezone.now())
    with _counted(item, fetch, CallKind.DATA_BLOCKS):
        answer = client.data_blocks(item.company_id, block_ids=fetch.block_ids.split(","))
        error = error_of(answer)
        if error:
            raise error
        if answer.body:
            store_bytes(key, answer.body)
    if not answer.body:
        _fail(item, gettext("The response is empty."))
        return
    keep(item, answer.body, answer.dnb_time)
    read_kept(item)


def demand_token(client: DirectPlus) -> None:
    """What lacks it makes no call, and uses none of the budget."""
    refusal = client.session.ensure_token()
    error = error_of(refusal) if refusal else None
    if error:
        raise Stop(str(error)) from error


def _counted(item: FetchedCompany, fetch: DataFetch, kind: CallKind) -> AbstractContextManager[DnbCall]:
    return counted_call(fetch.contract, kind, about=item.company_id, requested_by=fetch.requested_by)


def _note_answer(item: FetchedCompany, error: DirectPlusError) -> None:
    """The company goes on under another number, or is no more: a person decides what follows."""
    if isinstance(error, Transferred):
        propose_merger(item, error.replacement or "")
        move(item, FetchedState.TRANSFERRED, replacement=error.replacement or "", message=str(error))
    elif isinstance(error, Gone):
        propose_removal(item)
        move(item, FetchedState.DELETED, message=str(error))
    else:
        move(item, FetchedState.UNKNOWN, message=str(error))


def _fail(item: FetchedCompany, message: str) -> None:
    move(item, FetchedState.FAILED, message=message)


def move(item: FetchedCompany, state: FetchedState, **fields: object) -> None:
    """Only the process that holds the fetch does this."""
    for name, value in {"state": state, **fields}.items():
        setattr(item, name, clean_text(value) if isinstance(value, str) else value)
    item.save(update_fields=["state", *fields])
