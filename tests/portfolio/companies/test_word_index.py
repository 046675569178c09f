"""The index has every word of every company, whoever writes it, in whatever order, and wherever one is killed."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from dnbmon_site.operations.erase import company as erase_company
from monitoring.history import company_projection
from monitoring.history.company_projection import project
from monitoring.rebuild.rebuild import rebuild
from portfolio.companies import external_references, word_index
from portfolio.companies.external_references import Named, forget_name, name_companies
from portfolio.companies.notes import describe_company
from portfolio.companies.search import search_companies
from portfolio.companies.word_index import index_all_companies, verify_words
from portfolio.models import Company, CompanyWord, Subject
from portfolio.subjects.requests import SubjectEntry, describe_subjects, request_subjects
from tests.builders.companies import DUNS, OTHER, a_company, duns_numbers
from tests.builders.deliveries import delivered
from tests.builders.elements import an_element
from tests.builders.notifications import a_seed, an_update
from tests.builders.people import a_person
from tests.builders.registrations import a_registration
from tests.builders.subjects import a_subject
from tests.builders.times import stamp
from tests.interleaving import all_orders, cut_before, interleave

pytestmark = pytest.mark.django_db


def found(text: str) -> tuple[str, ...]:
    return search_companies(text).duns


def words() -> set[str]:
    return {str(row) for row in CompanyWord.objects.all()}


def a_renaming(before: str, after: str, day: int) -> dict[str, object]:
    return an_update(an_element("organization.primaryName", before, after, stamp(days=day)), delivered=stamp(days=day))


def test_names_and_cities_that_d_and_b_sends_are_found() -> None:
    delivered(
        a_seed(primaryName="Acme Forge", primaryAddress={"addressLocality": {"name": "Malmö"}}, delivered=stamp())
    )
    assert found("forge") == found("malmo") == (DUNS,)
    delivered(a_renaming("Acme Forge", "Acme Anvil", 1))
    assert found("anvil") == (DUNS,)
    assert found("forge") == ()


def test_what_a_list_says_of_a_company_is_found() -> None:
    registration = a_registration(adopted=True)
    entry = SubjectEntry(DUNS, name="Acme Forge", customer_reference="V-77", tags="key account")
    request_subjects(registration=registration, entries=[entry], requested_by="ann")
    assert found("forge") == found("v-77") == found("account") == (DUNS,)
    changed = SubjectEntry(DUNS, customer_reference="W-88", tags="other")
    request_subjects(registration=registration, entries=[changed], requested_by="ann")
    assert found("w-88") == found("other") == (DUNS,)
    describe_subjects(registration=registration, entries=[SubjectEntry(DUNS, tags="third")])
    assert found("third") == (DUNS,)
    assert found("v-77") == found("account") == ()


def test_tags_that_people_write_are_found(admin_client: Client) -> None:
    row = a_subject(DUNS)
    describe_company(company=Company.objects.get(pk=DUNS), tags="key account", owner="", by="ann")
    assert found("account") == (DUNS,)
    admin_client.force_login(a_person(role="Administrator"))
    fields = {"customer_reference": "X-99", "tags": "third", "owner": ""}
    admin_client.post(f"/portfolio/subject/{row.pk}/change/", fields)
    assert Subject.objects.get().tags == "third"
    assert found("x-99") == found("third") == (DUNS,)


def test_a_page_of_notifications_takes_one_more_statement_for_all_new_names() -> None:
    few, many = (_statements(count) for count in (2, 40))
    assert many == few


def _statements(count: int) -> int:
    first = 100_000_000 + count * 1000
    items = [a_seed(duns, primaryName=f"Acme {duns}", delivered=stamp()) for duns in duns_numbers(count, first)]
    with CaptureQueriesContext(connection) as queries:
        delivered(*items)
    return sum("companyword" in query["sql"] and "INSERT" in query["sql"] for query in queries)


def test_a_name_that_did_not_change_is_not_written_again() -> None:
    delivered(a_seed(primaryName="Acme", telephone="1", delivered=stamp()))
    with CaptureQueriesContext(connection) as queries:
        element = an_element("organization.telephone", "1", "2", stamp(days=1))
        delivered(an_update(element, delivered=stamp(days=1)))
    assert not [query["sql"] for query in queries if "companyword" in query["sql"]]


def test_a_process_killed_before_it_wrote_the_name_has_lost_no_word(monkeypatch: pytest.MonkeyPatch) -> None:
    delivered(a_seed(primaryName="Acme", delivered=stamp()))
    Company.objects.update(name="", search_name="", projection="")

    def killed(*arguments: object) -> None:
        raise RuntimeError("killed")

    with monkeypatch.context() as patch, pytest.raises(RuntimeError):
        patch.setattr(company_projection, "update_versions", killed)
        project({}, {DUNS}, bump=set())
    project({}, {DUNS}, bump=set())
    assert found("acme") == (DUNS,)


@pytest.mark.one_engine
def test_who_removes_a_word_that_somebody_is_about_to_write_leaves_it_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """In every order of their steps: the name returns to an older one while its words are being removed."""
    delivered(a_seed(primaryName="Acme Forge", delivered=stamp()))
    cut_before(
        monkeypatch,
        (company_projection, "write_company_words"),
        (company_projection, "update_versions"),
        (word_index, "_expected"),
        (word_index, "_remove"),
        (word_index, "update_versions"),
    )
    for order in all_orders(3, 4):
        Company.objects.update(name="Zeta", search_name="zeta", projection="")
        interleave(order, lambda: project({}, {DUNS}, bump={DUNS}), lambda: verify_words([DUNS]))
        assert found("forge") == (DUNS,), order


def test_verification_inserts_what_is_missing_and_removes_what_is_too_many() -> None:
    a_company(DUNS, "Acme Forge", city="Leeds")
    a_subject(DUNS, tags="key", customer_reference="V1")
    expected = words()
    CompanyWord.objects.filter(key=CompanyWord.key_of("forge", DUNS)).delete()
    CompanyWord.objects.create(key=CompanyWord.key_of("older", DUNS), duns=DUNS)
    CompanyWord.objects.create(key=CompanyWord.key_of("gone", OTHER), duns=OTHER)
    verify_words([DUNS, OTHER])
    assert words() == expected == {"acme", "forge", "leeds", "key", "v1"}


def test_a_rebuild_makes_the_index() -> None:
    delivered(a_seed(primaryName="Acme Forge", delivered=stamp()))
    a_subject(DUNS, customer_reference="V-77", tags="key account")
    expected = words()
    CompanyWord.objects.all().delete()
    rebuild()
    assert words() == expected


def test_all_companies_are_indexed_where_there_is_no_index() -> None:
    for duns in duns_numbers(5):
        a_company(duns, f"Acme {duns}")
    expected = set(CompanyWord.objects.values_list("key", flat=True))
    CompanyWord.objects.all().delete()
    index_all_companies()
    assert set(CompanyWord.objects.values_list("key", flat=True)) == expected


def test_an_erased_company_leaves_no_word() -> None:
    a_company(DUNS, "Acme Forge")
    a_company(OTHER, "Zeta")
    erase_company.forget(DUNS, by="ann", now=True)
    assert words() == {"zeta"}


# What other systems call them


def test_ids_of_other_systems_are_found() -> None:
    a_company(DUNS, "Acme")
    a_company(OTHER, "Zeta")
    name_companies([Named(DUNS, "crm", "0015g00000AbCdE"), Named(OTHER, "erp", "K-4711")], requested_by="ann")
    assert found("0015g") == (DUNS,)
    assert found("k-4711") == (OTHER,)
    assert found("zeta k-47") == (OTHER,)
    assert found("acme k-47") == ()


def test_an_id_that_came_before_its_company_is_found() -> None:
    name_companies([Named(DUNS, "crm", "C-1001")], requested_by="ann")
    assert found("c-1001") == ()
    a_company(DUNS, "Acme")
    assert found("c-1001") == (DUNS,)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("step", ["insert_new", "_move"])
def test_an_id_is_found_whose_words_were_removed_before_it_was_there(
    step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_company(DUNS, "Acme")
    if step == "_move":
        name_companies([Named(OTHER, "crm", "C-1001")], requested_by="ann")
    do = getattr(external_references, step)

    def verified_meanwhile(*arguments: Any) -> Any:
        verify_words([DUNS])
        return do(*arguments)

    monkeypatch.setattr(external_references, step, verified_meanwhile)
    name_companies([Named(DUNS, "crm", "C-1001")], requested_by="ann")
    assert found("c-1001") == (DUNS,)


def test_an_id_that_moved_or_went_leads_to_its_company_alone() -> None:
    a_company(DUNS, "Acme")
    a_company(OTHER, "Zeta")
    for duns in (DUNS, OTHER):
        name_companies([Named(duns, "crm", "C-1001")], requested_by="ann")
        assert found("c-1001") == (duns,)
    forget_name("crm", "C-1001", requested_by="ann")
    assert found("c-1001") == ()
    verify_words([DUNS, OTHER])
    assert not {word for word in words() if "1001" in word}


def test_lost_words_of_ids_come_back() -> None:
    a_company(DUNS, "Acme")
    name_companies([Named(DUNS, "crm", "C-1001"), Named(OTHER, "crm", "C-1002")], requested_by="ann")
    CompanyWord.objects.all().delete()
    verify_words([DUNS])
    assert found("c-1001") == (DUNS,)
    CompanyWord.objects.all().delete()
    index_all_companies()
    a_company(OTHER, "Zeta")
    assert (found("c-1001"), found("c-1002")) == ((DUNS,), (OTHER,))
