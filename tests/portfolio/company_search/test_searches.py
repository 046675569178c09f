"""One search is one call, confirmed before; its result is kept, and what goes wrong is said."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from core.models import AuditEntry
from direct_plus.candidates import CompanyQuery
from direct_plus.sandbox.control.client import SandboxControl
from portfolio.call_budgets.calls import BudgetUsedUp, CallsChanged, calls_left
from portfolio.company_search.candidates import Candidate, candidates_of, confidence_text
from portfolio.company_search.search import note_interrupted, run_search
from portfolio.company_search.single import search_company
from portfolio.models import CallKind, CompanySearch, Contract, DnbCall, SearchState
from tests.builders.calls import a_budget
from tests.builders.company_searches import NAMES, a_search, known_at_dnb
from tests.builders.contracts import a_contract
from tests.builders.times import ago
from tests.servers.sandbox import calls_of

pytestmark = pytest.mark.django_db
ONE_MATCH, ONE_TYPEAHEAD = {CallKind.MATCH: 1}, {CallKind.TYPEAHEAD: 1}


@pytest.fixture
def contract() -> Contract:
    return a_contract()


def searched(contract: Contract, name: str = "nordwind logistik gmbh", **how: Any) -> CompanySearch:
    usual: dict[str, Any] = {"confirmed": ONE_MATCH, "requested_by": "ann"}
    return search_company(contract=contract, query=CompanyQuery(name, "DE"), **{**usual, **how})


def test_finds_candidates_with_one_call_that_is_counted(contract: Contract, control: SandboxControl) -> None:
    numbers = known_at_dnb(control)
    search = searched(contract)
    (found,) = candidates_of(search)
    assert (search.state, found.duns) == (SearchState.FOUND, numbers["Nordwind Logistik GmbH"])
    assert (found.is_recommended, found.grade_words) == (True, ["Same: name"])
    assert len(calls_of(control, "match")) == 1
    assert calls_left(contract, CallKind.MATCH) == 499
    call = DnbCall.objects.get()
    assert (call.about, call.requested_by, call.outcome) == ("nordwind logistik gmbh", "ann", "answered")
    assert AuditEntry.objects.filter(action="search.company").count() == 1


@pytest.mark.parametrize("reading", ["404", "empty_list", "no_list"])
def test_nothing_found_is_a_result(contract: Contract, control: SandboxControl, reading: str) -> None:
    control.switch("match_empty", reading)
    search = searched(contract, "zzz")
    assert (search.state, candidates_of(search)) == (SearchState.NOTHING, [])


def test_candidates_are_found_in_every_layout(contract: Contract, control: SandboxControl) -> None:
    numbers = known_at_dnb(control)
    same: list[str] = ["Same: name"]
    absent: list[str] = []
    for switch, reading, grades in (
        ("match_grades", "letters", same), ("match_grades", "components", same), ("match_grades", "absent", absent),
        ("match_address", "absent", absent), ("match_country", "optional", absent),
    ):  # fmt: skip
        control.switch(switch, reading)
        (found,) = candidates_of(searched(contract))
        assert (found.duns, found.confidence, found.grade_words) == (numbers[NAMES[0]], 10, grades), (switch, reading)
    control.switch("match_empty_code", None)
    assert searched(contract, "zzz").state == SearchState.NOTHING


def test_no_call_that_was_not_confirmed(contract: Contract, control: SandboxControl) -> None:
    with pytest.raises(CallsChanged):
        searched(contract, confirmed={})
    with pytest.raises(CallsChanged):
        searched(contract, confirmed=ONE_TYPEAHEAD)
    assert (calls_of(control, "match"), CompanySearch.objects.count()) == ([], 0)


def test_no_call_beyond_the_budget(contract: Contract, control: SandboxControl) -> None:
    a_budget(contract, CallKind.MATCH, 0)
    with pytest.raises(BudgetUsedUp):
        searched(contract)
    assert (calls_of(control, "match"), CompanySearch.objects.count()) == ([], 0)


def test_the_same_form_sent_twice_is_one_call(contract: Contract, control: SandboxControl) -> None:
    key = uuid.uuid4()
    assert searched(contract, key=key).pk == searched(contract, key=key).pk
    assert len(calls_of(control, "match")) == 1


def test_typeahead_finds_by_the_beginning(contract: Contract, control: SandboxControl) -> None:
    numbers = known_at_dnb(control)
    search = searched(contract, "alpen", kind=CallKind.TYPEAHEAD, confirmed=ONE_TYPEAHEAD)
    (found,) = candidates_of(search)
    assert (found.duns, found.is_recommended) == (numbers["Alpenrose Feinkost AG"], False)
    assert confidence_text(found) == "Not rated"
    assert (len(calls_of(control, "typeahead")), calls_of(control, "match")) == (1, [])


def test_a_failure_is_said_and_makes_no_second_call(contract: Contract, control: SandboxControl) -> None:
    control.set_fault("server_error", on="match")
    search = searched(contract)
    assert search.state == SearchState.FAILED
    assert search.error
    assert len(calls_of(control, "match")) == 1


@pytest.mark.parametrize("secret", ["", "wrong"])
def test_without_a_key_that_works_no_call_is_counted(
    contract: Contract, control: SandboxControl, monkeypatch: pytest.MonkeyPatch, secret: str
) -> None:
    monkeypatch.setenv("DNB_API_SECRET", secret)
    search = searched(contract)
    assert search.state == SearchState.FAILED
    assert DnbCall.objects.count() == 0


def test_a_search_of_a_process_that_died_is_not_made_again(contract: Contract, control: SandboxControl) -> None:
    search = a_search(contract, state=SearchState.CALLED, called_at=ago(hours=1))
    a_search(contract, state=SearchState.CALLED, called_at=timezone.now() - timedelta(seconds=5))
    assert note_interrupted() == 1
    search.refresh_from_db()
    assert (search.state, "interrupted" in search.error) == (SearchState.FAILED, True)
    run_search(search)
    assert calls_of(control, "match") == []


def test_a_single_search_that_was_never_made_is_stopped(contract: Contract, control: SandboxControl) -> None:
    search = a_search(contract, state=SearchState.WAITING, requested_at=ago(hours=1))
    young = a_search(contract, state=SearchState.WAITING, requested_at=timezone.now() - timedelta(seconds=5))
    note_interrupted()
    search.refresh_from_db()
    young.refresh_from_db()
    assert (search.state, young.state) == (SearchState.STOPPED, SearchState.WAITING)
    assert "before D&B was called" in search.error


@pytest.mark.parametrize("shape", ["html", "empty", "fault"])
def test_a_gateways_404_is_no_answer(contract: Contract, control: SandboxControl, shape: str) -> None:
    control.set_fault("http_error", on="match", status=404, code=None, shape=shape)
    assert searched(contract).state == SearchState.FAILED
    assert DnbCall.objects.get().outcome == "refused"


def test_grades_in_words() -> None:
    candidate = Candidate(
        "804735132", grades={"Name": "A", "City": "A", "Phone": "F", "Street Name": "B", "State": "Z"}
    )
    assert candidate.grade_words == ["Same: name, city", "Similar: street", "Different: telephone"]


@pytest.mark.parametrize(("confidence", "expected"), [(10, True), (8, True), (7, False), (None, False)])
def test_from_eight_on_a_candidate_is_recommended(confidence: int | None, expected: bool) -> None:
    assert Candidate("804735132", confidence=confidence).is_recommended is expected
