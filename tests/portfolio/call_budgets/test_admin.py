"""The pages of budgets and calls: numbers of the month, a limit that is changed with an entry, a list that filters."""

import json
from datetime import UTC, datetime

import pytest
import time_machine
from django.test import Client

from core.models import AuditEntry
from portfolio.call_budgets.calls import counted_call
from portfolio.models import CallBudget, CallKind, DnbCall
from tests.builders.calls import a_budget
from tests.builders.contracts import a_contract
from tests.builders.people import a_person

pytestmark = pytest.mark.django_db
BUDGETS, CALLS = "/portfolio/callbudget/", "/portfolio/dnbcall/"


def call(kind: CallKind, about: str) -> None:
    with counted_call(a_contract(), kind, about=about, requested_by="bob"):
        pass


def page(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return str(answer.content.decode())


def test_every_kind_is_there_before_anybody_sets_a_limit(admin: Client) -> None:
    a_contract()
    call(CallKind.MATCH, "Acme")
    text = page(admin, BUDGETS)
    assert all(str(kind.label) in text for kind in CallKind)
    assert ">499<" in text
    assert "default" in text
    assert not CallBudget.objects.exists()


def test_earlier_months_are_shown(admin: Client) -> None:
    with time_machine.travel(datetime(2026, 10, 5, tzinfo=UTC)):
        call(CallKind.MATCH, "Acme")
    with time_machine.travel(datetime(2026, 11, 5, tzinfo=UTC)):
        text = page(admin, BUDGETS)
    assert "October 2026" in text
    assert "November 2026" in text


def test_a_limit_is_changed_with_an_entry_in_the_audit_log(admin: Client) -> None:
    contract = a_contract()
    key = CallBudget.key(contract.pk, CallKind.MATCH)
    address = f"{BUDGETS}{key}/change/"
    assert "Default: 500." in page(admin, address)
    assert admin.post(address, {"calls_per_month": "2"}).status_code == 302
    assert admin.post(address, {"calls_per_month": "2"}).status_code == 302
    entry = AuditEntry.objects.get(what="callbudget")
    assert (entry.actor, json.loads(entry.before), json.loads(entry.after)) == (
        "ann",
        {"calls_per_month": None},
        {"calls_per_month": 2},
    )
    for about in "AB":
        call(CallKind.MATCH, about)
    assert "Used up" in page(admin, BUDGETS)
    assert admin.post(address, {"calls_per_month": "-1"}).status_code == 200
    assert CallBudget.objects.get(pk=key).limit == 2


def test_who_may_not_change_limits_reads_who_can(client: Client) -> None:
    client.force_login(a_person(role="Portfolio manager"))
    budget = a_budget(a_contract(), CallKind.MATCH, 5)
    assert "An administrator can change the limits." in page(client, BUDGETS)
    assert client.post(f"{BUDGETS}{budget.pk}/change/", {"calls_per_month": "9"}).status_code == 403
    assert CallBudget.objects.get().limit == 5


def test_calls_are_listed_filtered_and_searched(admin: Client) -> None:
    call(CallKind.MATCH, "Acme Ltd")
    call(CallKind.DATA_BLOCKS, "804735132")
    both = page(admin, CALLS)
    assert both.index("804735132") < both.index("Acme Ltd")
    assert "Contract id" not in both
    for query in ("kind=match", "q=Acme+Ltd", "kind=match&contract=default&outcome=answered"):
        text = page(admin, f"{CALLS}?{query}")
        assert "Acme Ltd" in text
        assert '<td class="field-about">804735132' not in text
    assert "804735132" not in page(admin, f"{CALLS}?contract=other")
    assert "Acme Ltd" in page(admin, f"{CALLS}?q=bob")


def test_calls_are_exported(admin: Client) -> None:
    call(CallKind.MATCH, "Acme Ltd")
    answer = admin.post(f"{CALLS}export/", {"format": "csv"})
    text = b"".join(answer).decode()
    assert "Acme Ltd" in text
    assert "bob" in text
    assert DnbCall.objects.get().get_kind_display() in text
