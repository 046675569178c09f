"""Rows of an import without a number: a call for each, confirmed, counted, and paid once wherever a process dies."""

from collections.abc import Callable
from typing import Any

import pytest

from direct_plus.sandbox.control.client import SandboxControl
from portfolio import jobs
from portfolio.call_budgets.calls import BudgetUsedUp, CallsChanged, calls_left
from portfolio.company_search import search as search_module
from portfolio.company_search.bulk import (
    calls_planned,
    rows_to_search,
    start_searches,
    states_of,
    stop_searches,
    waiting_imports,
)
from portfolio.company_search.candidates import candidates_of
from portfolio.company_search.decide import add_chosen, choose
from portfolio.company_search.search import note_interrupted
from portfolio.company_search.work import work_on_searches
from portfolio.imports.confirm import cancel_import
from portfolio.imports.states import Refused, counts_of
from portfolio.imports.upload import choose_sheet, create_import, read_import
from portfolio.imports.validate import validated_rows
from portfolio.models import CallKind, CompanySearch, DnbCall, Registration, SearchState, SubjectImport, Validation
from tests.builders.calls import a_budget
from tests.builders.company_searches import NAMES, a_search, an_import_of_names, known_at_dnb, searched
from tests.builders.contracts import a_contract
from tests.builders.people import an_actor
from tests.builders.registrations import a_registration
from tests.builders.times import soon
from tests.builders.workbooks import two_sheets
from tests.servers.sandbox import calls_of

pytestmark = pytest.mark.django_db


class Killed(BaseException):
    """The process ends here."""


@pytest.fixture
def registration() -> Registration:
    a_contract(cap=100)
    return a_registration()


def start(import_: SubjectImport, calls: int = len(NAMES)) -> int:
    return start_searches(import_=import_, confirmed={CallKind.MATCH: calls}, requested_by="ann")


def names_paid() -> list[str]:
    """For which a call was taken from the budget, in their order."""
    return list(DnbCall.objects.order_by("id").values_list("about", flat=True))


def to_search(import_: SubjectImport) -> int:
    return rows_to_search(import_, states_of(import_))


def test_rows_with_a_name_and_a_country_can_be_found(registration: Registration) -> None:
    lines = ["Firma,Land,D-U-N-S", "Acme,Germany,804735132", "Nordwind,Germany,", "Nowhere,Atlantis,"]
    lines += ["Alone,,", ",France,"]
    made: dict[str, Any] = {"file_name": "", "mode": "add", "source": "upload", "requested_by": "ann"}
    import_ = create_import(registration=registration, content="\n".join(lines).encode(), **made)
    read_import(import_)
    flaws = dict.fromkeys((Validation.INVALID, Validation.UNKNOWN_COUNTRY, Validation.NO_NAME), 1)
    assert counts_of(import_) == {Validation.NEW: 1, Validation.NO_NUMBER: 1, **flaws}
    (found,) = validated_rows(import_, Validation.NO_NUMBER)
    assert (found.name, found.country) == ("Nordwind", "DE")
    assert "“Atlantis” is not a country" in [row.reason for row in validated_rows(import_)][2]


def test_a_list_needs_no_numbers(registration: Registration) -> None:
    assert counts_of(an_import_of_names(registration)) == {Validation.NO_NUMBER: 3}


def test_who_removes_companies_names_their_numbers(registration: Registration) -> None:
    assert counts_of(an_import_of_names(registration, mode="remove")) == {Validation.INVALID: 3}


def test_each_row_gets_its_candidates_with_one_call(registration: Registration, control: SandboxControl) -> None:
    numbers = known_at_dnb(control)
    import_ = an_import_of_names(registration)
    found = searched(import_)
    assert [candidates_of(one)[0].duns for one in found] == list(numbers.values())
    assert {one.state for one in found} == {SearchState.FOUND}
    assert len(calls_of(control, "match")) == DnbCall.objects.count() == 3
    assert to_search(import_) == 0
    with pytest.raises(Refused, match="already"):
        start(import_)


def test_nothing_is_searched_before_exactly_these_calls_are_confirmed(
    registration: Registration, control: SandboxControl
) -> None:
    import_ = an_import_of_names(registration)
    with pytest.raises(CallsChanged):
        start(import_, 4)
    assert (CompanySearch.objects.count(), calls_of(control, "match")) == (0, [])


def test_no_more_rows_than_the_budget_has_left(registration: Registration, control: SandboxControl) -> None:
    known_at_dnb(control)
    a_budget(registration.contract, CallKind.MATCH, 2)
    import_ = an_import_of_names(registration)
    assert calls_planned(import_, states_of(import_)) == 2
    assert [one.state for one in searched(import_, 2)] == [SearchState.FOUND] * 2
    assert to_search(import_) == 1
    with pytest.raises(BudgetUsedUp):
        start(import_, 1)
    assert len(calls_of(control, "match")) == 2


def test_a_budget_used_up_elsewhere_stops_the_rest(registration: Registration, control: SandboxControl) -> None:
    import_ = an_import_of_names(registration)
    start(import_)
    a_budget(registration.contract, CallKind.MATCH, 1)
    work_on_searches(import_.pk, until=soon())
    assert states_of(import_) == {SearchState.NOTHING: 1, SearchState.STOPPED: 2}
    assert len(calls_of(control, "match")) == 1
    assert "Call budgets" in CompanySearch.objects.filter(state=SearchState.STOPPED)[0].error


def test_stopped_and_resumed_each_row_is_paid_once(registration: Registration, control: SandboxControl) -> None:
    known_at_dnb(control)
    import_ = an_import_of_names(registration)
    start(import_)
    search_module.run_search(CompanySearch.objects.order_by("line").select_related("contract")[0])
    assert stop_searches(import_=import_, stopped_by="bob") == 2
    work_on_searches(import_.pk, until=soon())
    assert (len(calls_of(control, "match")), to_search(import_)) == (1, 2)
    start(import_, 2)
    work_on_searches(import_.pk, until=soon())
    assert states_of(import_) == {SearchState.FOUND: 3}
    assert names_paid() == list(NAMES)
    assert len(calls_of(control, "match")) == 3


def test_what_cannot_succeed_for_any_row_is_tried_once(registration: Registration, control: SandboxControl) -> None:
    control.set_fault("not_authorised", on="match")
    import_ = an_import_of_names(registration)
    searched(import_)
    assert states_of(import_) == {SearchState.FAILED: 1, SearchState.STOPPED: 2}
    assert DnbCall.objects.count() == 1


def test_a_row_that_dnb_refuses_holds_up_no_other(registration: Registration, control: SandboxControl) -> None:
    known_at_dnb(control)
    control.set_fault("http_error", on="match", status=400, code="10002", times=1)
    import_ = an_import_of_names(registration)
    searched(import_)
    assert states_of(import_) == {SearchState.FAILED: 1, SearchState.FOUND: 2}


@pytest.mark.parametrize("step", ["client_for", "_ask", "stored", "counted_call"])
@pytest.mark.parametrize("is_before", [True, False])
def test_wherever_a_process_is_killed_no_answered_row_is_paid_again(
    registration: Registration, control: SandboxControl, monkeypatch: pytest.MonkeyPatch, step: str, is_before: bool
) -> None:
    known_at_dnb(control)
    import_ = an_import_of_names(registration)
    start(import_)
    with monkeypatch.context() as patched:
        patched.setattr(search_module, step, _dying(getattr(search_module, step), at=2, is_before=is_before))
        with pytest.raises(Killed):
            work_on_searches(import_.pk, until=soon())
    work_on_searches(import_.pk, until=soon())
    CompanySearch.objects.filter(state=SearchState.CALLED).update(called_at="2026-01-01T00:00Z")
    assert note_interrupted() == 1
    assert states_of(import_) == {SearchState.FOUND: 2, SearchState.FAILED: 1}
    paid = names_paid()
    assert len(calls_of(control, "match")) <= len(paid) <= 3
    start(import_, 1)
    work_on_searches(import_.pk, until=soon())
    assert (names_paid()[len(paid) :], states_of(import_)) == ([NAMES[1]], {SearchState.FOUND: 3})


def _dying(deed: Callable[..., Any], *, at: int, is_before: bool) -> Callable[..., Any]:
    calls = 0

    def do(*args: Any, **named: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == at and is_before:
            raise Killed
        result = deed(*args, **named)
        if calls == at:
            raise Killed
        return result

    return do


def test_the_worker_searches_and_picks_up_what_was_left(registration: Registration, control: SandboxControl) -> None:
    known_at_dnb(control)
    import_ = an_import_of_names(registration)
    start(import_)
    assert waiting_imports() == [import_.pk]
    assert jobs.continue_searches() == 1
    assert states_of(import_) == {SearchState.FOUND: 3}
    assert jobs.continue_searches() == 0


def test_a_single_search_holds_up_no_job(registration: Registration, control: SandboxControl) -> None:
    a_search(registration.contract, state=SearchState.WAITING)
    import_ = an_import_of_names(registration)
    start(import_)
    assert waiting_imports() == [import_.pk]
    assert jobs.continue_searches() == 1


def test_a_cancelled_import_pays_no_further_search(registration: Registration, control: SandboxControl) -> None:
    import_ = an_import_of_names(registration)
    start(import_)
    CompanySearch.objects.filter(line=2).update(sheet="another")
    cancel_import(import_=import_, cancelled_by=an_actor("ann"))
    assert not work_on_searches(import_.pk, until=soon())
    assert set(CompanySearch.objects.values_list("state", "error")) == {
        (SearchState.STOPPED, "The import was cancelled.")
    }
    assert names_paid() == []


def test_another_sheet_stops_the_searches_of_the_first(registration: Registration, control: SandboxControl) -> None:
    made: dict[str, Any] = {"file_name": "l.xlsx", "mode": "add", "source": "upload", "requested_by": "ann"}
    import_ = create_import(registration=registration, content=two_sheets(), **made)
    read_import(import_)
    search = a_search(registration.contract, subject_import=import_, state=SearchState.WAITING)
    choose_sheet(import_=import_, sheet="France", chosen_by=an_actor("ann"))
    search.refresh_from_db()
    assert search.state == SearchState.STOPPED


def test_who_starts_while_it_is_cancelled_pays_nothing(registration: Registration, control: SandboxControl) -> None:
    import_ = an_import_of_names(registration)
    cancel_import(import_=SubjectImport.objects.get(), cancelled_by=an_actor("ann"))
    with pytest.raises(Refused, match="cancelled"):
        start(import_)
    assert states_of(import_) == {SearchState.STOPPED: 3}


def test_a_row_whose_company_came_into_the_import_is_not_searched_again(
    registration: Registration, control: SandboxControl
) -> None:
    numbers = known_at_dnb(control)
    import_ = an_import_of_names(registration)
    first = searched(import_)[0]
    choose(search=first, duns=numbers[NAMES[0]], decided_by="ann")
    add_chosen(import_=import_, added_by="ann")
    read_import(import_)
    assert counts_of(import_) == {Validation.NEW: 1, Validation.NO_NUMBER: 2}
    assert to_search(import_) == 0
    assert calls_left(registration.contract, CallKind.MATCH) == 497
