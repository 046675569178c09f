"""The page of reference data: the calls are shown first, and only who may fetch requests them."""

import pytest
from django.test import Client

from portfolio.models import CallKind, Contract, DnbCall, ReferenceCategory, ReferenceCode, ReferenceList
from portfolio.reference_data.fetch import lists_to_fetch
from portfolio.reference_data.words import forget_words
from tests.builders.calls import a_budget
from tests.builders.contracts import a_contract
from tests.builders.pages import text_of
from tests.builders.people import a_person
from tests.builders.programs import Program

pytestmark = pytest.mark.django_db
LIST = "/portfolio/referencelist/"
NUMBER = len(lists_to_fetch())


@pytest.fixture
def contract() -> Contract:
    forget_words()
    return a_contract()


def signed_in(role: str) -> Client:
    client = Client()
    client.force_login(a_person(role=role, username=role))
    return client


def test_an_operator_confirms_the_calls_that_are_shown(contract: Contract) -> None:
    operator = signed_in("Operator")
    assert "Fetch reference data" in text_of(operator.get(LIST))
    page = text_of(operator.get(f"{LIST}fetch/"))
    assert f"This action makes {NUMBER} Reference Data calls; 100 of 100 are left" in page
    form = {"contract": contract.pk, "calls_reference_data": NUMBER}
    answer = operator.post(f"{LIST}fetch/", form, follow=True)
    assert "No further call is made" in text_of(operator.post(f"{LIST}fetch/", form, follow=True))
    assert "Requested. The lists appear here within a few minutes." in text_of(answer)
    assert ReferenceList.objects.count() == NUMBER
    assert not DnbCall.objects.exists(), "a worker makes the calls"
    assert "Operating statuses" in text_of(operator.get(LIST))


@pytest.mark.parametrize("sent", [{}, {"calls_reference_data": "1"}])
def test_nothing_is_requested_without_the_number(contract: Contract, sent: dict[str, str]) -> None:
    answer = signed_in("Operator").post(f"{LIST}fetch/", sent, follow=True)
    assert "the number of calls has changed" in text_of(answer)
    assert not ReferenceList.objects.exists()


def test_a_budget_that_is_used_up_has_no_button(contract: Contract) -> None:
    a_budget(contract, CallKind.REFERENCE_DATA, 1)
    page = signed_in("Operator").get(f"{LIST}fetch/")
    assert "An administrator can raise the limit" in text_of(page)
    assert b"dm-primary" not in page.content.partition(b'name="contract"')[2]


def test_who_may_not_fetch_sees_the_lists_only(contract: Contract) -> None:
    viewer = signed_in("Viewer")
    assert "Fetch reference data" not in text_of(viewer.get(LIST))
    assert viewer.get(f"{LIST}fetch/").status_code == 403
    assert viewer.post(f"{LIST}fetch/", {"calls_reference_data": NUMBER}).status_code == 403
    assert not ReferenceList.objects.exists()


def test_without_a_contract_there_is_nothing_to_fetch(db: None) -> None:
    Contract.objects.all().delete()
    assert "Set up a contract with D&B first." in text_of(signed_in("Operator").get(f"{LIST}fetch/", follow=True))


# By API


def test_a_key_confirms_the_calls_too(contract: Contract) -> None:
    program = Program.with_key(scopes="fetch:reference_data")
    answer = program.post("reference-data/fetch/", {"confirm_calls": {"reference_data": NUMBER}})
    assert (answer.status_code, answer.json()) == (202, {"requested": NUMBER})
    assert ReferenceList.objects.count() == NUMBER


def test_another_number_is_a_conflict_that_says_which(contract: Contract) -> None:
    program = Program.with_key(scopes="fetch:reference_data")
    answer = program.post("reference-data/fetch/", {"confirm_calls": {"reference_data": 1}})
    assert answer.status_code == 409 and f"makes {NUMBER} calls" in answer.json()["detail"]
    assert Program.with_key(name="reader").post("reference-data/fetch/", {}).status_code == 403
    assert not ReferenceList.objects.exists()


def test_codes_come_in_pages(contract: Contract) -> None:
    for number in range(3):
        key = ReferenceCode.key("399", str(number), "de")
        ReferenceCode.objects.create(id=key, category="399", code=str(number), language="de", words=f"Wort {number}")
    program, asked = Program.with_key(), {"category": ReferenceCategory.US_SIC, "language": "de"}
    first = program.read("reference-data/", **asked, limit=2)
    assert first == {
        "results": [{"code": "0", "words": "Wort 0"}, {"code": "1", "words": "Wort 1"}],
        "next": "1",
    }
    assert program.read("reference-data/", **asked, after="1")["results"] == [{"code": "2", "words": "Wort 2"}]
    assert program.read("reference-data/", **asked, code="2,9")["results"] == [{"code": "2", "words": "Wort 2"}]
    assert program.get("reference-data/", category="other").status_code == 400
