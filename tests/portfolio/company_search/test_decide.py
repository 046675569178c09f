"""People choose; one of them decides on each search, and the chosen company goes through an import."""

from typing import Any

import pytest

from core.models import AuditEntry
from core.visibility import EVERYTHING
from direct_plus.sandbox.control.client import SandboxControl
from portfolio.company_search.candidates import monitored_in
from portfolio.company_search.decide import add_chosen, choose, not_added, reject, reopen, take
from portfolio.imports.confirm import confirm_import
from portfolio.imports.resume import work_on
from portfolio.imports.states import Refused, counts_of
from portfolio.imports.upload import create_import, decide_zeros, read_import
from portfolio.imports.validate import validated_rows
from portfolio.models import (
    CompanySearch,
    ImportState,
    Registration,
    SearchState,
    Subject,
    SubjectImport,
    Validation,
)
from tests.builders.company_searches import NAMES, a_search, an_import_of_names, known_at_dnb, searched
from tests.builders.contracts import a_contract
from tests.builders.people import an_actor
from tests.builders.registrations import a_registration
from tests.builders.subjects import request_monitoring

pytestmark = pytest.mark.django_db
ACME, OTHER = "804735132", "150483782"
RIGHTS: dict[str, Any] = {"confirmed_by": an_actor("ann"), "may_confirm": True}


@pytest.fixture
def registration() -> Registration:
    a_contract(cap=100)
    return a_registration()


@pytest.fixture
def search(registration: Registration) -> CompanySearch:
    return a_search(registration.contract)


def confirmed(import_: SubjectImport, number: int) -> None:
    confirm_import(import_=import_, number=number, **RIGHTS)
    work_on(import_)
    assert import_.state == ImportState.APPLIED


def requested(registration: Registration) -> dict[str, str]:
    rows = Subject.objects.filter(registration=registration, requested=True)
    return dict(rows.values_list("company_id", "customer_reference"))


def test_one_decides_and_the_next_sees_who_did(search: CompanySearch) -> None:
    seen = CompanySearch.objects.get(pk=search.pk)
    choose(search=search, duns=ACME, decided_by="ann")
    with pytest.raises(Refused, match=f"ann has already decided on Acme .US.: {ACME}"):
        choose(search=seen, duns=OTHER, decided_by="bob")
    with pytest.raises(Refused, match="ann has already decided"):
        reject(search=seen, decided_by="bob")
    kept = CompanySearch.objects.get(pk=search.pk)
    assert (kept.state, kept.chosen, kept.decided_by) == (SearchState.CHOSEN, ACME, "ann")
    assert AuditEntry.objects.filter(action="search.decide").count() == 1


def test_only_a_candidate_can_be_chosen(search: CompanySearch) -> None:
    with pytest.raises(Refused, match="not among the candidates"):
        choose(search=search, duns="101202303", decided_by="ann")


def test_none_of_them_is_kept_and_can_be_reopened(search: CompanySearch) -> None:
    reject(search=search, decided_by="ann")
    assert (search.state, search.decided_by) == (SearchState.REJECTED, "ann")
    reopen(search=search, reopened_by="bob")
    assert (search.state, search.decided_by) == (SearchState.FOUND, "")
    choose(search=search, duns=OTHER, decided_by="bob")


def test_nothing_is_decided_before_there_are_candidates(registration: Registration) -> None:
    search = a_search(registration.contract, state=SearchState.WAITING, candidates="[]")
    with pytest.raises(Refused, match="no candidates"):
        reject(search=search, decided_by="ann")


def test_a_company_taken_is_in_an_import_that_is_confirmed(registration: Registration, search: CompanySearch) -> None:
    import_ = take(search=search, duns=ACME, registration=registration, taken_by="ann")
    read_import(import_)
    assert (import_.state, import_.new_billable, requested(registration)) == (ImportState.READ, 1, {})
    confirmed(import_, 1)
    assert requested(registration) == {ACME: ""}
    with pytest.raises(Refused, match="not in an import yet"):
        reopen(search=CompanySearch.objects.get(pk=search.pk), reopened_by="ann")
    with pytest.raises(Refused, match="already decided"):
        take(search=search, duns=ACME, registration=registration, taken_by="bob")


def test_a_company_goes_into_a_registration_of_the_contract_that_paid(search: CompanySearch) -> None:
    other = a_registration("OTHER", contract=a_contract(name="second"))
    with pytest.raises(Refused, match="another contract"):
        take(search=search, duns=ACME, registration=other, taken_by="ann")


def test_a_list_of_names_becomes_monitored_companies(registration: Registration, control: SandboxControl) -> None:
    numbers = known_at_dnb(control)
    import_ = an_import_of_names(registration)
    first, second, third = searched(import_)
    choose(search=first, duns=numbers[NAMES[0]], decided_by="ann")
    choose(search=second, duns=numbers[NAMES[1]], decided_by="bob")
    reject(search=third, decided_by="bob")
    assert not_added(import_) == 2
    assert add_chosen(import_=import_, added_by="ann") == import_
    read_import(import_)
    assert (import_.state, import_.new_billable, not_added(import_)) == (ImportState.READ, 2, 0)
    one, two, _three = validated_rows(import_)
    assert (one.duns, one.written, one.reason) == (numbers[NAMES[0]], "", "found at D&B, chosen by ann")
    assert two.reason == "found at D&B, chosen by bob"
    confirmed(import_, 2)
    assert requested(registration) == {numbers[NAMES[0]]: "S-1", numbers[NAMES[1]]: "S-2"}


def test_who_decides_later_adds_by_an_import_of_its_own(registration: Registration, control: SandboxControl) -> None:
    numbers = known_at_dnb(control)
    import_ = an_import_of_names(registration)
    first, second, _third = searched(import_)
    choose(search=first, duns=numbers[NAMES[0]], decided_by="ann")
    add_chosen(import_=import_, added_by="ann")
    read_import(import_)
    confirmed(import_, 1)
    choose(search=second, duns=numbers[NAMES[1]], decided_by="ann")
    later = add_chosen(import_=import_, added_by="ann")
    read_import(later)
    assert (later == import_, later.state, later.new_billable) == (False, ImportState.READ, 1)
    confirmed(later, 1)
    assert requested(registration) == {numbers[NAMES[0]]: "S-1", numbers[NAMES[1]]: "S-2"}
    with pytest.raises(Refused, match="no chosen companies"):
        add_chosen(import_=import_, added_by="ann")


def test_the_same_company_twice_is_a_duplicate(registration: Registration, control: SandboxControl) -> None:
    numbers = known_at_dnb(control, NAMES[:1])
    import_ = an_import_of_names(registration, [NAMES[0], NAMES[0]])
    for search in searched(import_, 2):
        choose(search=search, duns=numbers[NAMES[0]], decided_by="ann")
    add_chosen(import_=import_, added_by="ann")
    read_import(import_)
    assert counts_of(import_) == {Validation.NEW: 1, Validation.DUPLICATE: 1}
    assert not_added(import_) == 0


def test_rows_stay_completed_when_they_are_checked_again(registration: Registration, control: SandboxControl) -> None:
    numbers = known_at_dnb(control, NAMES[:1])
    content = f"Name,Country,DUNS\n{NAMES[0]},DE,\nAcme,US,60704780".encode()
    import_ = create_import(
        registration=registration, content=content, file_name="", mode="add", source="upload", requested_by="ann"
    )
    read_import(import_)
    choose(search=searched(import_, 1)[0], duns=numbers[NAMES[0]], decided_by="ann")
    add_chosen(import_=import_, added_by="ann")
    read_import(import_)
    decide_zeros(import_=import_, pad=True, decided_by="ann")
    read_import(import_)
    assert counts_of(import_) == {Validation.NEW: 1, Validation.REFORMATTED: 1}


def test_who_is_monitored_already_is_shown(registration: Registration) -> None:
    request_monitoring(registration, [ACME])
    assert monitored_in(registration.contract, [ACME, OTHER], EVERYTHING) == {ACME: [registration.reference]}
