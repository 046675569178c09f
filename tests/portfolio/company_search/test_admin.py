"""The pages: find a company, decide on candidates, and what an import offers for rows without a number."""

import uuid
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from core.cached_counts import update_counts
from direct_plus.sandbox.control.client import SandboxControl
from portfolio.company_search.bulk import states_of
from portfolio.company_search.work import work_on_searches
from portfolio.entitlements.fetch import fetch_entitlements
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
from tests.builders.company_searches import NAMES, a_search, an_import_of_names, known_at_dnb, searched
from tests.builders.contracts import a_contract
from tests.builders.pages import text_of
from tests.builders.people import a_person
from tests.builders.registrations import a_registration
from tests.builders.subjects import request_monitoring
from tests.builders.times import soon
from tests.servers.sandbox import calls_of

pytestmark = pytest.mark.django_db
ACME = "804735132"
FIND, DECIDE = "/portfolio/companysearch/find/", "/portfolio/companysearch/decide/"


@pytest.fixture
def registration() -> Registration:
    a_contract(cap=100)
    return a_registration()


def find(client: Client, **form: Any) -> Any:
    usual = {"key": uuid.uuid4(), "contract": "default", "kind": "match", "calls_match": "1", "country": "DE"}
    return client.post(FIND, {**usual, "name": "nordwind logistik gmbh", **form})


def do(client: Client, row: CompanySearch | SubjectImport, action: str, **form: Any) -> Any:
    return client.post(reverse(f"admin:portfolio_{row._meta.model_name}_do", args=[row.pk, action]), form)


def page(client: Client, row: CompanySearch | SubjectImport) -> str:
    return text_of(client.get(reverse(f"admin:portfolio_{row._meta.model_name}_change", args=[row.pk])))


def test_the_call_is_shown_before_it_is_made(admin: Client, registration: Registration) -> None:
    shown = text_of(admin.get(FIND, {"name": "Acme"}))
    assert "This action makes 1 Match call; 500 of 500 are left" in shown


def test_a_search_shows_candidates_and_preselects_none(
    admin: Client, registration: Registration, control: SandboxControl
) -> None:
    numbers = known_at_dnb(control)
    request_monitoring(registration, [numbers[NAMES[0]]])
    answer = find(admin)
    search = CompanySearch.objects.get()
    assert answer.url == reverse("admin:portfolio_companysearch_change", args=[search.pk])
    shown = page(admin, search)
    for word in (numbers[NAMES[0]], "10 of 10", "Recommended", "Same: name", registration.reference):
        assert word in shown
    assert "checked" not in admin.get(answer.url).content.decode()


def test_without_the_number_of_calls_none_is_made(
    admin: Client, registration: Registration, control: SandboxControl
) -> None:
    answer = find(admin, calls_match="")
    assert "the number of calls has changed" in text_of(answer)
    assert (calls_of(control, "match"), DnbCall.objects.count()) == ([], 0)


def test_a_form_that_lacks_something_makes_no_call(admin: Client, registration: Registration) -> None:
    assert "This field is required" in text_of(find(admin, name=""))
    assert CompanySearch.objects.count() == 0


def test_a_used_up_budget_is_said_with_who_can_raise_it(admin: Client, registration: Registration) -> None:
    a_budget(registration.contract, CallKind.MATCH, 0)
    assert "An administrator can raise the limit" in text_of(admin.get(FIND))
    assert "An administrator can raise the limit" in text_of(find(admin))


def test_a_candidate_taken_leads_to_the_import_that_is_confirmed(admin: Client, registration: Registration) -> None:
    search = a_search(registration.contract)
    assert "Choose the registration" in text_of(admin.get(do(admin, search, "choose", duns=ACME).url))
    answer = do(admin, search, "choose", duns=ACME, registration=registration.pk)
    import_ = SubjectImport.objects.get()
    assert answer.url == reverse("admin:portfolio_subjectimport_change", args=[import_.pk])
    read_import(import_)
    assert "1 new billable company" in page(admin, import_)
    assert "Chosen" in page(admin, search)


def test_who_comes_second_reads_who_decided(admin: Client, registration: Registration) -> None:
    search = a_search(registration.contract)
    do(admin, search, "reject")
    CompanySearch.objects.filter(pk=search.pk).update(decided_by="bob")
    answer = do(admin, search, "reject")
    assert "bob has already decided" in text_of(admin.get(answer.url))
    do(admin, search, "reopen")
    search.refresh_from_db()
    assert search.state == SearchState.FOUND


def test_an_import_of_names_is_searched_decided_and_completed(
    admin: Client, registration: Registration, control: SandboxControl
) -> None:
    numbers = known_at_dnb(control)
    import_ = an_import_of_names(registration)
    shown = page(admin, import_)
    assert "3 rows have a name and a country but no D-U-N-S number" in shown
    assert "This action makes 3 Match calls; 500 of 500 are left" in shown
    assert "This file changes nothing" not in shown
    assert "Cancel import" in shown and f"can be searched at D&B {NAMES[0]} Germany" in shown
    assert "D-U-N-S numbers missing" in shown and "Awaiting confirmation" not in shown
    update_counts("imports")
    front = text_of(admin.get("/"))
    assert "1 import: D-U-N-S numbers missing" in front and "awaiting confirmation" not in front
    do(admin, import_, "find", calls_match="3")
    assert "0 of 3 rows searched" in page(admin, import_)
    work_on_searches(import_.pk, until=soon())
    shown = page(admin, import_)
    assert "3 Awaiting decision" in shown and "can be searched at D&B" not in shown
    listed = text_of(admin.get(DECIDE, {"import": str(import_.pk)}))
    assert all(name in listed for name in NAMES)
    for search in CompanySearch.objects.order_by("line"):
        answer = do(admin, search, "choose", duns=numbers[search.name], back=str(import_.pk))
        assert answer.url == f"{DECIDE}?import={import_.pk}"
    assert "Add 3 chosen companies to the import" in text_of(admin.get(answer.url))
    do(admin, import_, "add-chosen")
    import_.refresh_from_db()
    read_import(import_)
    assert counts_of(import_) == {Validation.NEW: 3}
    assert "3 new billable companies" in page(admin, import_)


def test_a_search_is_stopped_on_the_page(admin: Client, registration: Registration) -> None:
    import_ = an_import_of_names(registration)
    do(admin, import_, "find", calls_match="3")
    do(admin, import_, "stop-search")
    assert states_of(import_) == {SearchState.STOPPED: 3}
    assert "Stopped by ann." in page(admin, CompanySearch.objects.all()[0])


def test_another_number_of_calls_starts_no_search(admin: Client, registration: Registration) -> None:
    import_ = an_import_of_names(registration)
    answer = do(admin, import_, "find", calls_match="2")
    assert "the number of calls has changed" in text_of(admin.get(answer.url))
    assert CompanySearch.objects.count() == 0
    do(admin, import_, "cancel")
    shown = page(admin, import_)
    assert "3 D-U-N-S number missing" in shown and "have a name and a country" not in shown


def test_the_list_shows_who_decided(admin: Client, registration: Registration, control: SandboxControl) -> None:
    numbers = known_at_dnb(control)
    import_ = an_import_of_names(registration)
    do(admin, searched(import_)[0], "choose", duns=numbers[NAMES[0]])
    shown = text_of(admin.get("/portfolio/companysearch/", {"subject_import": str(import_.pk)}))
    assert "Company chosen" in shown
    assert "ann" in shown
    filtered = text_of(admin.get("/portfolio/companysearch/", {"state": "found"}))
    assert NAMES[0] not in filtered
    assert NAMES[1] in filtered


def test_each_act_needs_its_right(client: Client, registration: Registration, control: SandboxControl) -> None:
    search, import_ = a_search(registration.contract), an_import_of_names(registration)
    client.force_login(a_person("view_companysearch", "view_subjectimport"))
    assert client.get(FIND).status_code == find(client).status_code == 403
    assert do(client, search, "choose", duns=ACME).status_code == 403
    assert do(client, import_, "find", calls_match="3").status_code == 403
    shown = page(client, search)
    assert "Ask a user who may import companies to make this choice." in shown
    client.force_login(a_person("view_subjectimport", "add_subjectimport", username="eve"))
    answer = do(client, import_, "find", calls_match="3")
    assert "You do not have permission to search for companies" in text_of(client.get(answer.url))
    assert calls_of(control, "match") == []


@pytest.mark.parametrize("kind", ["data_blocks", "refresh_check", "gossip"])
def test_a_company_is_found_by_match_and_typeahead_alone(admin: Client, registration: Registration, kind: str) -> None:
    find(admin, name="alpen", kind=kind, **{f"calls_{kind}": "1"})
    assert not CompanySearch.objects.exists()


def test_typeahead_is_offered_where_the_key_may_use_it(
    admin: Client, registration: Registration, control: SandboxControl
) -> None:
    numbers = known_at_dnb(control)
    assert "Typeahead" not in text_of(admin.get(FIND))
    fetch_entitlements(registration.contract)
    assert "This action makes 1 Typeahead call" in text_of(admin.get(FIND))
    find(admin, name="alpen", kind="typeahead", calls_typeahead="1")
    shown = page(admin, CompanySearch.objects.get())
    assert numbers["Alpenrose Feinkost AG"] in shown
    assert "Not rated" in shown
    assert (len(calls_of(control, "typeahead")), calls_of(control, "match")) == (1, [])
