"""What people do with an import: one function each, named by the word in its address; it returns what to tell."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext

from core.actors import actor_of
from core.visibility import is_restricted
from portfolio.call_budgets.confirmation import confirmed_in
from portfolio.companies.search import duns_digits
from portfolio.company_search.bulk import start_searches, stop_searches
from portfolio.company_search.decide import add_chosen
from portfolio.imports.apply import approve_undo, keep_requests, undo_import
from portfolio.imports.confirm import approve_import, cancel_import, confirm_import
from portfolio.imports.states import NotAllowed
from portfolio.imports.upload import choose_sheet, decide_zeros
from portfolio.jobs import start_import_work, start_search_work
from portfolio.models import ImportMode, ImportState, SubjectImport

UPLOAD = "portfolio.add_subjectimport"
SEARCH = "portfolio.search_company"
CONFIRM = "portfolio.confirm_import"
APPROVE = "portfolio.approve_import"
# Of those who may search rows, see company_search/bulk.py.
SEARCHES = frozenset({"find", "stop-search", "add-chosen"})
# The page reports the progress, which a message above it would repeat and outlive.
ON_THE_PAGE = ""


def addable(user: Any, text: str) -> str:
    """The D-U-N-S number that a search asks for, if the user may add companies."""
    number = duns_digits(text)
    return number if len(number) == 9 and user.has_perm(UPLOAD) and not is_restricted(user) else ""


def _demand_upload_right(request: HttpRequest) -> None:
    if not request.user.has_perm(UPLOAD):
        raise NotAllowed(
            gettext("You do not have permission to change imports. Ask a user who does, such as a portfolio manager.")
        )


def _decide(pad: bool) -> Callable[[HttpRequest, SubjectImport], str]:
    def decide(request: HttpRequest, row: SubjectImport) -> str:
        _demand_upload_right(request)
        decide_zeros(import_=row, pad=pad, decided_by=actor_of(request))
        if not pad:
            return gettext("Rows with eight digits will be skipped.")
        start_import_work(row.pk)
        return gettext("A leading zero was added to the numbers with eight digits. All rows are being checked again.")

    return decide


def _choose_sheet(request: HttpRequest, row: SubjectImport) -> str:
    _demand_upload_right(request)
    choose_sheet(import_=row, sheet=request.POST.get("sheet", ""), chosen_by=actor_of(request))
    start_import_work(row.pk)
    return gettext("Checking the sheet “%(sheet)s” instead.") % {"sheet": row.sheet}


def _confirm(request: HttpRequest, row: SubjectImport) -> str:
    confirm_import(
        import_=row,
        number=_number(request, "number"),
        removals=_number(request, "removals") if row.mode == ImportMode.EQUAL else None,
        confirmed_by=actor_of(request),
        may_confirm=request.user.has_perm(CONFIRM),
    )
    if row.state == ImportState.AWAITING_APPROVAL:
        return gettext("Import submitted. No changes will be made until another user approves it.")
    start_import_work(row.pk)
    return ON_THE_PAGE


def _number(request: HttpRequest, name: str) -> int:
    """As typed, thousands marked or not; what is no number never is the right one."""
    digits = "".join(request.POST.get(name, "").replace(",", "").split())
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 10 else -1


def _approve(request: HttpRequest, row: SubjectImport) -> str:
    if row.state == ImportState.AWAITING_UNDO:
        approve_undo(import_=row, approved_by=actor_of(request), may_approve=request.user.has_perm(APPROVE))
        start_import_work(row.pk)
        return ON_THE_PAGE
    approve_import(import_=row, approved_by=actor_of(request), may_approve=request.user.has_perm(APPROVE))
    start_import_work(row.pk)
    return ON_THE_PAGE


def _cancel(request: HttpRequest, row: SubjectImport) -> str:
    if not request.user.has_perm(CONFIRM):
        _demand_upload_right(request)
    if row.state == ImportState.AWAITING_UNDO:
        keep_requests(import_=row, maintained_by=actor_of(request))
        return gettext("The undo was cancelled. The import stays in effect.")
    cancel_import(import_=row, cancelled_by=actor_of(request))
    return gettext("Cancelled. No changes were made.")


def _undo(request: HttpRequest, row: SubjectImport) -> str:
    undo_import(import_=row, undone_by=actor_of(request), may_confirm=request.user.has_perm(CONFIRM))
    if row.state == ImportState.AWAITING_UNDO:
        return gettext("Undo submitted. The import stays in effect until another user approves the undo.")
    start_import_work(row.pk)
    return ON_THE_PAGE


def _find(request: HttpRequest, row: SubjectImport) -> str:
    _demand_search_right(request)
    start_searches(import_=row, confirmed=confirmed_in(request.POST), requested_by=actor_of(request))
    start_search_work(row.pk)
    return ON_THE_PAGE


def _stop_search(request: HttpRequest, row: SubjectImport) -> str:
    _demand_search_right(request)
    stop_searches(import_=row, stopped_by=actor_of(request))
    return gettext("The search was stopped. The candidates found so far are kept.")


def _demand_search_right(request: HttpRequest) -> None:
    if not request.user.has_perm(SEARCH):
        raise NotAllowed(gettext("You do not have permission to search for companies at D&B. Ask a user who does."))


def _add_chosen(request: HttpRequest, row: SubjectImport) -> HttpResponse:
    _demand_upload_right(request)
    import_ = add_chosen(import_=row, added_by=actor_of(request))
    start_import_work(import_.pk)
    return HttpResponseRedirect(reverse("admin:portfolio_subjectimport_change", args=[import_.pk]))


ACTIONS: Mapping[str, Callable[[HttpRequest, SubjectImport], str | HttpResponse]] = {
    "pad": _decide(pad=True),
    "leave-out": _decide(pad=False),
    "sheet": _choose_sheet,
    "find": _find,
    "stop-search": _stop_search,
    "add-chosen": _add_chosen,
    "confirm": _confirm,
    "approve": _approve,
    "cancel": _cancel,
    "undo": _undo,
}
