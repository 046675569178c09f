"""D&B is asked what the key may use; its whole answer is kept, and people hear of the contract's end in time."""

import json
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine

from core.models import AuditEntry, Notice
from direct_plus.errors import DirectPlusError
from direct_plus.sandbox.control.client import SandboxControl
from portfolio.dnb_client import NotConfigured
from portfolio.entitlements.fetch import fetch_entitlements, fetch_for, remind, update_entitlements
from portfolio.entitlements.rights import entitled, key_rights
from portfolio.models import Contract, Entitlements
from tests.builders.contracts import a_contract

END = datetime(2027, 3, 31, 12, tzinfo=UTC)


def asked(control: SandboxControl) -> int:
    return len([call for call in control.calls() if call["kind"] == "entitlements"])


def test_the_whole_answer_is_kept(contract: Contract, control: SandboxControl) -> None:
    fetch_entitlements(contract)
    row = Entitlements.objects.get()
    assert set(json.loads(row.answer)) == {"transactionDetail", "inquiryDetail", "entitlements"}
    assert row.fetched_at
    assert entitled(contract, "companyinfo_L2_v1") is True
    assert asked(control) == 1


def test_the_end_of_the_contract_is_read_where_it_is_stated(contract: Contract, control: SandboxControl) -> None:
    for stated, expected in ((None, None), ("2027-03-31", date(2027, 3, 31))):
        control.switch("contract_end", stated)
        fetch_entitlements(contract)
        assert key_rights(contract).expires == expected


def test_a_failure_leaves_the_last_answer_and_its_reason(contract: Contract, control: SandboxControl) -> None:
    fetch_entitlements(contract)
    control.set_fault("http_error", on="entitlements", times=1, status=403, code="00004")
    with pytest.raises(DirectPlusError):
        fetch_entitlements(contract)
    row = Entitlements.objects.get()
    assert "00004" in row.error
    assert entitled(contract, "companyinfo_L2_v1") is True
    fetch_entitlements(contract)
    assert Entitlements.objects.get().error == ""


def test_a_missing_setting_is_a_reason_too(contract: Contract, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DNB_API_KEY", "")
    with pytest.raises(NotConfigured):
        fetch_entitlements(contract)
    assert "DNB_API_KEY" in Entitlements.objects.get().error


def test_the_job_goes_on_after_a_contract_that_fails(contract: Contract, control: SandboxControl) -> None:
    a_contract(name="another", prefix="NOTHING")
    assert update_entitlements() == 1
    assert Entitlements.objects.get(pk=contract.pk).fetched_at
    assert Entitlements.objects.get(pk="another").error


def test_who_asked_is_in_the_audit_log(contract: Contract, control: SandboxControl) -> None:
    fetch_for(contract, requested_by="ann")
    assert AuditEntry.objects.get().action == "entitlements.fetched"


def states_end(contract: Contract) -> None:
    Entitlements.objects.create(contract=contract, answer=json.dumps({"contractEndDate": "2027-03-31"}))


@pytest.mark.django_db
def test_people_are_reminded_60_30_and_7_days_before_once_each() -> None:
    states_end(a_contract())
    reminded = []
    for days in range(90, -3, -1):
        with time_machine.travel(END - timedelta(days=days)):
            reminded += [days] * remind()
    assert reminded == [60, 30, 7]
    subjects = list(Notice.objects.order_by("created_at").values_list("subject", flat=True))
    assert "60 days" in subjects[0]
    assert Notice.objects.filter(url="/portfolio/entitlements/").count() == 3


@pytest.mark.django_db
def test_an_end_that_is_first_known_late_is_told_once() -> None:
    states_end(a_contract())
    with time_machine.travel(END - timedelta(days=5)):
        assert [remind(), remind()] == [1, 0]


@pytest.mark.django_db
def test_an_end_that_is_moved_is_told_again() -> None:
    states_end(a_contract())
    with time_machine.travel(END - timedelta(days=60)):
        assert remind() == 1
        Entitlements.objects.update(answer=json.dumps({"contractEndDate": "2027-03-30"}))
        assert remind() == 1
