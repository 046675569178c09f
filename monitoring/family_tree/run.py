"""A tree, page by page: each call is announced, made once, and its answer stored before it is read.

A process that dies leaves at most one call of which nobody knows whether D&B answered. It is not made again before
somebody has confirmed that; what had been answered and stored is read by the next process.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from django.utils import timezone
from django.utils.translation import gettext

from core.blobs import delete_bytes, load_bytes, store_bytes
from core.db import clean_text
from core.leases import Hold, HoldLost, releasing
from core.text import counted
from direct_plus.client import DirectPlus
from direct_plus.errors import DirectPlusError, Gone, NotFound, Transferred, UnknownPath
from direct_plus.session import error_of
from direct_plus.transport import Answer
from monitoring.data_fetch.run import WITHOUT_ANSWER, Stop, demand_token
from monitoring.family_tree.pages import ReadPage, read_page
from monitoring.family_tree.plan import CannotFetchTree
from monitoring.family_tree.rivals import demand_no_rival
from monitoring.models import FamilyTree, TreeKind, TreeState
from portfolio.call_budgets.calls import BudgetUsedUp, counted_call
from portfolio.dnb_client import NotConfigured, client_for, longest_call
from portfolio.models import CallKind


class Ran(StrEnum):
    """How a run ended: the tree is over or stopped by people, its time was over, it failed, or all would fail."""

    ENDED = "ended"
    PAUSED = "paused"
    FAILED = "failed"
    REFUSED = "refused"


class Failed(Stop):
    """The call failed, or its answer is invalid; the call of another tree may not."""


class OnlyThis(Stop):
    """Nothing that another tree would meet too: its confirmed calls are used up, or another one has its family."""


def run_tree(tree: FamilyTree, *, until: datetime) -> Ran:
    """Go on with it. Does nothing while another process works on it."""
    rows = FamilyTree.objects.filter(pk=tree.pk)
    hold = Hold.take(rows.filter(state=TreeState.RUNNING), longest_call())
    if hold is None:
        return Ran.ENDED
    hold.row = rows
    with releasing(hold):
        try:
            return _run(hold, until)
        except HoldLost:
            return Ran.ENDED
        except (Stop, BudgetUsedUp, NotConfigured) as reason:
            rows.filter(state=TreeState.RUNNING).update(state=TreeState.STOPPED, reason=clean_text(str(reason)))
            return _ran(reason)


def _ran(reason: Exception) -> Ran:
    if isinstance(reason, OnlyThis):
        return Ran.ENDED
    return Ran.FAILED if isinstance(reason, Failed) else Ran.REFUSED


def _run(hold: Hold[FamilyTree], until: datetime) -> Ran:
    tree = hold.held().select_related("contract").get()
    client = client_for(tree.contract)
    if tree.calling:
        _take_up(tree, hold)
    while tree.state == TreeState.RUNNING:
        if timezone.now() >= until:
            return Ran.PAUSED
        _next_page(tree, client, hold)
        tree.refresh_from_db()
    return Ran.ENDED


def _take_up(tree: FamilyTree, hold: Hold[FamilyTree]) -> None:
    """What a process that died has left: a stored answer is read, any other call is in doubt."""
    if not load_bytes(tree.page_key(tree.calling)):
        hold.update(calling=0)
        raise Failed(gettext("The process ended during the call. It is not known whether D&B answered."))
    _read(tree, tree.calling, hold)
    tree.refresh_from_db()


def _next_page(tree: FamilyTree, client: DirectPlus, hold: Hold[FamilyTree]) -> None:
    number = tree.pages_read + 1
    if tree.calls >= tree.confirmed_calls:
        raise OnlyThis(gettext("The confirmed number of calls is used up. Continue to confirm more."))
    hold.renew()
    demand_token(client)
    # Of a call before, whose answer was not valid.
    delete_bytes(tree.page_key(number))
    hold.update(calling=number, calls=tree.calls + 1, keeps_bytes=True)
    try:
        _demand_alone(tree)
        _fetch(tree, number, client)
    except (BudgetUsedUp, OnlyThis):
        hold.update(calling=0, calls=tree.calls)
        raise
    except DirectPlusError as error:
        _note_error(tree, error, hold)
        return
    _read(tree, number, hold)


def _demand_alone(tree: FamilyTree) -> None:
    """Nobody knew of whose family it is before its first page; and others may have been continued since."""
    try:
        demand_no_rival(tree)
    except CannotFetchTree as error:
        raise OnlyThis(str(error)) from error


def _fetch(tree: FamilyTree, number: int, client: DirectPlus) -> None:
    with counted_call(tree.contract, CallKind.FAMILY_TREE, about=tree.duns, requested_by=tree.requested_by):
        answer = _called(tree, number, client)
        error = error_of(answer)
        if error:
            raise error
        store_bytes(tree.page_key(number), answer.body)


def _called(tree: FamilyTree, number: int, client: DirectPlus) -> Answer:
    if tree.kind == TreeKind.UPWARD:
        return client.upward_tree(tree.duns)
    return client.family_tree(tree.duns, page=number)


def _note_error(tree: FamilyTree, error: DirectPlusError, hold: Hold[FamilyTree]) -> None:
    """That there is no tree, or no further page, is an answer; a status alone may be a gateway's, and says nothing."""
    if _is_about_company(error):
        hold.update(calling=0, moved_at=timezone.now(), **_end_by(tree, error))
        return
    hold.update(calling=0)
    if isinstance(error, WITHOUT_ANSWER):
        raise Failed(str(error)) from error
    raise Stop(str(error)) from error


def _end_by(tree: FamilyTree, error: DirectPlusError) -> dict[str, object]:
    """Pages that were read before are the whole tree only where D&B has stated no further ones."""
    if not tree.pages_read:
        reason = _no_tree(tree) if isinstance(error, NotFound) else str(error)
        return {"state": TreeState.NONE, "reason": clean_text(reason)}
    if not isinstance(error, NotFound):
        return {"state": TreeState.STOPPED, "reason": clean_text(str(error))}
    if tree.page_count is None:
        return {"state": TreeState.DONE, "page_count": tree.pages_read, "reason": ""}
    words = gettext(
        "D&B has stated %(pages)s pages, but returned no page %(number)s: %(error)s Continue to request it again."
    ) % {"pages": counted(tree.page_count), "number": counted(tree.pages_read + 1), "error": error}
    return {"state": TreeState.STOPPED, "reason": clean_text(words)}


def _no_tree(tree: FamilyTree) -> str:
    """D&B's own words are those for any number that it does not find."""
    if tree.kind == TreeKind.UPWARD:
        return gettext("D&B has no upward chain for this company.")
    return gettext("D&B has no family tree for this company.")


def _is_about_company(error: DirectPlusError) -> bool:
    is_gone = isinstance(error, Gone | NotFound) and error.is_from_dnb and not isinstance(error, UnknownPath)
    return is_gone or isinstance(error, Transferred)


def _read(tree: FamilyTree, number: int, hold: Hold[FamilyTree]) -> None:
    try:
        found = read_page(tree, number)
    except ValueError as error:
        hold.update(calling=0)
        raise Failed(gettext("The response is invalid: %(error)s") % {"error": error}) from error
    page, pages, now = found.page, _page_count(tree, number, found), timezone.now()
    done = {"state": TreeState.DONE} if pages == number else {}
    hold.update(
        calling=0,
        pages_read=number,
        page_count=pages,
        member_count=tree.member_count if page.count is None else page.count,
        top=page.top or tree.top or _without_parent(found),
        fetched_at=now,
        moved_at=now,
        **done,
    )


def _page_count(tree: FamilyTree, number: int, found: ReadPage) -> int | None:
    """None: unknown. A page that repeats the one before is the last one, since all further ones would be paid too."""
    if tree.kind == TreeKind.UPWARD or found.repeats:
        return number
    pages = found.page.pages(number) or tree.page_count
    return pages if pages is None or not found.page.has_next else max(pages, number + 1)


def _without_parent(found: ReadPage) -> str:
    return next((one.duns for one in found.page.members if not one.parent), "")
