"""Data fetches in the API: calls confirmed, documents compared, accepted or discarded."""

from typing import Any

import pytest

from core.models import AuditEntry
from direct_plus.sandbox.control.client import SandboxControl
from direct_plus.sandbox.run import Sandbox
from dnbmon_site.accounts.models import IdempotencyKey
from monitoring.history.checkpoints import profile
from monitoring.models import DataFetch
from portfolio.models import Registration
from tests.builders.companies import duns_numbers
from tests.builders.contracts import a_contract
from tests.builders.data_fetches import monitored, run, with_gap
from tests.builders.programs import Program
from tests.builders.registrations import REFERENCE, a_registration

pytestmark = pytest.mark.django_db
A, B = duns_numbers(2)


@pytest.fixture
def registration(db: None, sandbox: Sandbox, control: SandboxControl) -> Registration:
    return a_registration(REFERENCE, contract=a_contract())


@pytest.fixture
def crm() -> Program:
    return Program.with_key(scopes="read, fetch")


def requested(crm: Program, *numbers: str) -> Any:
    body = {"companies": numbers, "confirm_calls": {"data_blocks": len(numbers)}}
    return crm.post("data-fetches/", body).json()


def test_without_the_right_number_of_calls_nothing_is_fetched(crm: Program, registration: Registration) -> None:
    monitored(registration, A, B)
    for confirmed in (dict[str, int](), {"data_blocks": 1}):
        answer = crm.post("data-fetches/", {"companies": [A, B], "confirm_calls": confirmed})
        assert answer.status_code == 409 and '{"data_blocks": 2}' in answer.json()["detail"]
    assert crm.post("data-fetches/", {"companies": [A, B]}).status_code == 400
    assert not DataFetch.objects.exists()


def test_a_company_is_fetched_compared_and_accepted(
    crm: Program, registration: Registration, control: SandboxControl
) -> None:
    monitored(registration, A)
    control.add_companies(REFERENCE, [{"duns": A, "primaryName": "Fetched Ltd", "telephone": "1"}])
    fetch = requested(crm, A)
    assert (fetch["state"], fetch["counts"], fetch["block_ids"][0]) == ("running", {"waiting": 1}, "companyinfo_L2_v1")
    path = f"data-fetches/{fetch['id']}/"
    run(DataFetch.objects.get())
    assert [one["duns"] for one in crm.walk(f"{path}companies/", state="ready")] == [A]
    changes = crm.read(f"{path}companies/{A}/")["changes"]
    assert {"element": "organization.telephone", "previous": None, "current": "1"} in changes
    assert profile(A).document == {}
    accepted = crm.post(f"{path}accept/", {"companies": [A]}).json()
    assert (accepted["state"], accepted["counts"]) == ("done", {"accepted": 1})
    assert profile(A).value("organization.telephone") == "1"
    assert set(AuditEntry.objects.values_list("action", flat=True)) >= {"data_fetch.request", "data_fetch.accepted"}
    assert [one["id"] for one in crm.walk("data-fetches/")] == [fetch["id"]]


def test_a_fetch_is_stopped_resumed_and_discarded(crm: Program, registration: Registration) -> None:
    monitored(registration, A)
    path = f"data-fetches/{requested(crm, A)['id']}/"
    assert crm.post(f"{path}stop/").json()["state"] == "stopped"
    assert crm.post(f"{path}resume/", {"confirm_calls": {"data_blocks": 7}}).status_code == 409
    assert crm.post(f"{path}resume/", {"confirm_calls": {"data_blocks": 1}}).json()["state"] == "running"
    run(DataFetch.objects.get())
    assert crm.post(f"{path}discard/", {}).status_code == 400
    answer = crm.post(f"{path}discard/", {"confirm_companies": 2})
    assert answer.status_code == 409 and "now 1 company" in answer.json()["detail"]
    assert crm.post(f"{path}discard/", {"confirm_companies": 1}).json()["counts"] == {"discarded": 1}
    assert crm.post(f"{path}resume/", {"confirm_calls": {}}).status_code == 409
    assert profile(A).document == {}


def test_a_repeated_request_is_one_fetch_though_the_first_was_never_answered(
    crm: Program, registration: Registration
) -> None:
    monitored(registration, A)
    with_gap(registration)
    body = {"registration": REFERENCE, "confirm_calls": {"refresh_check": 1, "data_blocks": 1}}
    first = crm.post("data-fetches/", body, word="a")
    IdempotencyKey.objects.all().delete()
    again = crm.post("data-fetches/", body, word="a")
    assert (again.status_code, again.json()["id"]) == (201, first.json()["id"])
    assert crm.post("data-fetches/", body, word="b").status_code == 409, "it is being closed"
    assert DataFetch.objects.count() == 1


def test_what_failed_is_discarded(crm: Program, registration: Registration, control: SandboxControl) -> None:
    monitored(registration, A)
    control.mark(A, "invalid")
    path = f"data-fetches/{requested(crm, A)['id']}/"
    run(DataFetch.objects.get())
    assert crm.post(f"{path}discard/", {"companies": [A]}).json()["counts"] == {"failed": 1}
    assert crm.post(f"{path}discard/", {"companies": [A], "state": "failed"}).json()["state"] == "done"


def test_a_data_gap_is_closed(crm: Program, registration: Registration) -> None:
    monitored(registration, A)
    with_gap(registration)
    body = {"registration": REFERENCE, "confirm_calls": {"refresh_check": 1, "data_blocks": 1}}
    assert crm.post("data-fetches/", body).json()["registration"] == REFERENCE
    run(DataFetch.objects.get())
    registration.refresh_from_db()
    assert registration.gap_from is None
    assert crm.post("data-fetches/", body).status_code == 409, "there is no gap any more"


def test_either_companies_or_a_registration(crm: Program, registration: Registration) -> None:
    neither: dict[str, Any] = {"confirm_calls": {}}
    for body in (neither, {**neither, "companies": [A], "registration": REFERENCE}):
        assert crm.post("data-fetches/", body).status_code == 400
    answer = crm.post("data-fetches/", {"companies": [A], "confirm_calls": {}})
    assert answer.status_code == 409 and "monitored in a registration" in answer.json()["detail"]


def test_a_company_that_is_not_part_of_it(crm: Program, registration: Registration) -> None:
    monitored(registration, A)
    path = f"data-fetches/{requested(crm, A)['id']}/companies/"
    for number in (B, "gossip"):
        assert crm.get(f"{path}{number}/").status_code == 404
