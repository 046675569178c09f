"""The page of entitlements: unknown stays unknown, and the button makes one call."""

from typing import Any

import pytest
from django.test import Client

from direct_plus.sandbox.control.client import SandboxControl
from portfolio.models import Contract, Entitlements
from tests.builders.contracts import a_contract
from tests.builders.people import a_person

PAGE = "/portfolio/entitlements/"


def page(client: Client) -> str:
    return client.get(PAGE).content.decode()


@pytest.fixture
def operator(db: None, client: Client) -> Client:
    client.force_login(a_person(role="Operator"))
    return client


def test_the_button_asks_d_and_b_once(operator: Client, contract: Contract, control: SandboxControl) -> None:
    assert "Not known yet" in page(operator)
    answer: Any = operator.post(f"{PAGE}default/fetch/", follow=True)
    text = answer.content.decode()
    assert "Entitlements updated." in text
    for words in ("companyinfo", "hierarchyconnections", "Not available", "Subscription", "cmptcs"):
        assert words in text
    assert len([call for call in control.calls() if call["kind"] == "entitlements"]) == 1


def test_what_cannot_be_read_is_shown_as_d_and_b_sent_it(
    operator: Client, contract: Contract, control: SandboxControl
) -> None:
    control.switch("entitlements", "none")
    text = operator.post(f"{PAGE}default/fetch/", follow=True).content.decode()
    assert "transactionDetail" in text
    assert text.count("Unknown") >= 4


def test_a_failure_is_shown_with_its_reason(operator: Client, contract: Contract, control: SandboxControl) -> None:
    control.set_fault("http_error", on="entitlements", times=1, status=403, code="00004")
    text = operator.post(f"{PAGE}default/fetch/", follow=True).content.decode()
    assert "The entitlements were not updated" in text
    assert "The last update failed" in text


def test_a_contract_that_is_over_says_so(operator: Client) -> None:
    answer = '{"contractEndDate": "2020-01-31"}'
    Entitlements.objects.create(contract=a_contract(), answer=answer, fetched_at="2026-01-01T00:00:00Z")
    assert "Ended" in page(operator)


def test_without_a_contract_the_page_says_what_will_appear(operator: Client) -> None:
    assert "No contract yet" in page(operator)
    assert operator.post(f"{PAGE}default/fetch/").status_code == 404
