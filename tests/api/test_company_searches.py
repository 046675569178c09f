"""Company searches in the API: calls confirmed, candidates with what is monitored, decided by people only."""

from typing import Any

import pytest
from django.test import Client

from direct_plus.sandbox.control.client import SandboxControl
from dnbmon_site.accounts.models import IdempotencyKey
from portfolio.company_search.bulk import states_of
from portfolio.company_search.work import work_on_searches
from portfolio.imports.states import counts_of
from portfolio.imports.upload import read_import
from portfolio.models import (
    CallKind,
    CompanySearch,
    DnbCall,
    Registration,
    SearchState,
    SubjectImport,
    Validation,
)
from tests.builders.calls import a_budget
from tests.builders.company_searches import NAMES, a_search, an_import_of_names, known_at_dnb
from tests.builders.contracts import a_contract
from tests.builders.programs import Program, a_signed_in_person
from tests.builders.registrations import a_registration
from tests.builders.subjects import request_monitoring
from tests.builders.times import soon
from tests.builders.units import a_unit
from tests.visibility.members import a_key_of, a_person_of

pytestmark = pytest.mark.django_db
ACME = "804735132"
ASKED: dict[str, Any] = {"name": "nordwind logistik gmbh", "country": "de", "confirm_calls": {"match": 1}}


@pytest.fixture
def registration() -> Registration:
    a_contract(cap=100)
    return a_registration()


@pytest.fixture
def erp() -> Program:
    return Program.with_key(scopes="read, search:companies")


def test_a_search_returns_candidates_and_chooses_none(
    erp: Program, registration: Registration, control: SandboxControl
) -> None:
    numbers = known_at_dnb(control)
    request_monitoring(registration, [numbers[NAMES[0]]])
    found = erp.post("company-searches/", ASKED).json()
    (candidate,) = found["candidates"]
    assert (found["state"], found["chosen"], found["import"]) == ("found", None, None)
    assert (candidate["duns"], candidate["confidence"], candidate["recommended"]) == (numbers[NAMES[0]], 10, True)
    assert (candidate["match"], candidate["monitored_in"]) == (["Same: name"], [registration.reference])
    assert erp.read(f"company-searches/{found['id']}/") == found
    assert erp.read("company-searches/")["results"] == [found]


def test_a_repeated_search_is_paid_once_though_the_first_was_never_answered(
    erp: Program, registration: Registration, control: SandboxControl
) -> None:
    known_at_dnb(control)
    first = erp.post("company-searches/", ASKED, word="a").json()
    IdempotencyKey.objects.all().delete()
    assert erp.post("company-searches/", ASKED, word="a").json() == first
    other = erp.post("company-searches/", {**ASKED, "name": "alpenrose"}, word="b").json()
    assert other["id"] != first["id"] and DnbCall.objects.count() == 2


@pytest.mark.parametrize("confirmed", [{}, {"match": 2}, {"typeahead": 1}])
def test_without_the_right_number_of_calls_none_is_made(
    erp: Program, registration: Registration, confirmed: dict[str, int]
) -> None:
    answer = erp.post("company-searches/", {**ASKED, "confirm_calls": confirmed})
    assert answer.status_code == 409
    assert '{"match": 1}' in answer.json()["detail"]
    assert DnbCall.objects.count() == 0
    assert erp.post("company-searches/", {"name": "x", "country": "DE"}).status_code == 400


def test_a_used_up_budget_is_a_conflict(erp: Program, registration: Registration) -> None:
    a_budget(registration.contract, CallKind.MATCH, 0)
    assert erp.post("company-searches/", ASKED).status_code == 409


def test_a_search_that_fails_says_why(erp: Program, registration: Registration, control: SandboxControl) -> None:
    control.set_fault("server_error", on="match")
    found = erp.post("company-searches/", ASKED).json()
    assert (found["state"], bool(found["error"])) == ("failed", True)


def test_with_several_contracts_one_is_named(erp: Program, registration: Registration, control: SandboxControl) -> None:
    a_contract(name="second")
    assert erp.post("company-searches/", ASKED).status_code == 400
    assert erp.post("company-searches/", {**ASKED, "contract": "second"}).status_code == 200
    assert erp.post("company-searches/", {**ASKED, "contract": "third"}).status_code == 404
    assert CompanySearch.objects.get().contract_id == "second"


def test_rows_of_an_import_are_searched_once_confirmed(
    erp: Program, registration: Registration, control: SandboxControl
) -> None:
    known_at_dnb(control)
    import_ = an_import_of_names(registration)
    path = f"imports/{import_.pk}/candidates/"
    assert erp.read(path) == {"to_search": 3, "calls": {"match": 3}, "calls_left": 500, "states": {}}
    assert erp.post(path, {"confirm_calls": {"match": 2}}).status_code == 409
    assert erp.post(path, {"confirm_calls": {"match": 3}}).json()["states"] == {"waiting": 3}
    assert erp.post(path, {"confirm_calls": {"match": 3}}).status_code == 409
    work_on_searches(import_.pk, until=soon())
    assert states_of(import_) == {"found": 3}
    found = list(erp.walk("company-searches/", limit=2, **{"import": str(import_.pk), "state": "found"}))
    assert sorted(one["name"] for one in found) == sorted(NAMES)


def test_chosen_candidates_are_added_by_a_person_and_a_search_is_stopped(
    erp: Program, registration: Registration, control: SandboxControl
) -> None:
    numbers = known_at_dnb(control)
    import_ = an_import_of_names(registration)
    path = f"imports/{import_.pk}/candidates/"
    erp.post(path, {"confirm_calls": {"match": 3}})
    CompanySearch.objects.filter(line=4).update(state=SearchState.FOUND)
    assert erp.post(f"{path}stop/").json()["states"] == {"found": 1, "stopped": 2}
    assert erp.post(path, {"confirm_calls": {"match": 2}}).status_code == 200
    work_on_searches(import_.pk, until=soon())
    search = CompanySearch.objects.get(line=2)
    ann = a_signed_in_person("portfolio.add_subjectimport", "portfolio.view_companysearch")
    decision = f"company-searches/{search.pk}/decision/"
    ann.post(decision, {"duns": None})
    assert ann.delete(decision).json()["state"] == "found"
    assert ann.post(f"{path}add/").status_code == 409, "nothing is chosen"
    ann.post(decision, {"duns": numbers[search.name]})
    assert erp.post(f"{path}add/").status_code == 403
    assert ann.post(f"{path}add/").json()["id"] == str(import_.pk)
    import_.refresh_from_db()
    read_import(import_)
    assert counts_of(import_)[Validation.NEW] == 1
    assert ann.delete(decision).status_code == 409, "it is in the import"


def test_a_business_unit_starts_no_searches_that_its_pages_refuse(registration: Registration) -> None:
    import_ = an_import_of_names(registration)
    unit = a_unit("Credit", registration)
    path, body = f"imports/{import_.pk}/candidates/", {"confirm_calls": {"match": 3}}
    amy = Program(Client())
    amy.client.force_login(a_person_of(unit))
    for program in (a_key_of(unit), amy):
        assert program.get(f"imports/{import_.pk}/").status_code == 200
        refused = [program.get(path), program.post(path, body)]
        assert [answer.status_code for answer in refused] == [403, 403]
        assert "Calls to D&B belong to the whole contract" in refused[1].json()["detail"]
    assert not CompanySearch.objects.exists()


def test_people_decide_and_keys_do_not(erp: Program, registration: Registration) -> None:
    search = a_search(registration.contract)
    path, body = f"company-searches/{search.pk}/decision/", {"duns": ACME, "registration": registration.reference}
    assert erp.post(path, body).status_code == 403
    ann = a_signed_in_person("portfolio.add_subjectimport")
    assert ann.post(path, {"duns": ACME}).status_code == 400
    decided = ann.post(path, body).json()
    assert (decided["state"], decided["chosen"]) == ("chosen", ACME)
    assert decided["added_to"] == str(SubjectImport.objects.get().pk)
    assert ann.post(path, {"duns": None}).status_code == 409


def test_none_of_the_candidates(registration: Registration) -> None:
    search = a_search(registration.contract)
    ann = a_signed_in_person("portfolio.add_subjectimport")
    assert ann.post(f"company-searches/{search.pk}/decision/", {"duns": None}).json()["state"] == "rejected"
