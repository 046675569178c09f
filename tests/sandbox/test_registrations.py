"""Contract, section 2."""

from typing import Any

import pytest
import requests

from direct_plus.sandbox.control.client import SandboxControl
from tests.servers.sandbox_client import REFERENCE, REGISTRATIONS, Client, code, numbers, updates

ONE = f"{REGISTRATIONS}/{REFERENCE}"


def details(client: Client) -> dict[str, Any]:
    found: dict[str, Any] = client.get(ONE).json()["messages"]
    return found


def test_the_list_is_names_only(client: Client, control: SandboxControl) -> None:
    control.add_registration("A_SECOND")
    answer = client.get(REGISTRATIONS).json()
    assert list(answer) == ["transactionDetail", "messages"]
    assert answer["messages"] == {"references": [REFERENCE, "A_SECOND"]}


def test_details_have_the_shape_of_the_contract(client: Client) -> None:
    answer = client.get(ONE).json()
    assert list(answer) == ["transactionDetail", "inquiryDetail", "messages"]
    assert list(answer["messages"]) == ["notificationsSuppressed", "state", "registration"]
    registration = answer["messages"]["registration"]
    assert set(registration) == {
        "reference", "destination", "productId", "versionId", "email", "seedData", "fileTransferProfile", "description",
        "createdDate", "lastUpdatedDate", "thresholds", "orderReason", "deliveryTrigger", "deliveryFrequency",
        "notificationType",
    }  # fmt: skip
    assert registration["email"] == "a@example.com,b@example.com"
    assert "T" not in registration["createdDate"]
    assert registration["lastUpdatedDate"].endswith("Z")


def test_fields_can_be_set_added_and_left_out(client: Client, control: SandboxControl) -> None:
    control.add_registration(
        REFERENCE, notificationType="FULL_PRODUCT", destination=None, dataBlocks=["companyinfo_L2_v1"], state="PENDING"
    )
    found = details(client)
    assert found["state"] == "PENDING"
    assert found["registration"]["notificationType"] == "FULL_PRODUCT"
    assert found["registration"]["dataBlocks"] == ["companyinfo_L2_v1"]
    assert "destination" not in found["registration"]


def test_changing_a_registration_keeps_the_rest(client: Client, control: SandboxControl) -> None:
    control.add_registration(REFERENCE, description="first")
    control.add_registration(REFERENCE, email="c@example.com")
    assert details(client)["registration"]["description"] == "first"
    assert client.get(REGISTRATIONS).json()["messages"]["references"] == [REFERENCE]


def test_details_can_carry_what_the_contract_leaves_open(client: Client, control: SandboxControl) -> None:
    control.switch("details_extra", {"dunsCount": 7, "jsonPathInclusion": ["organization.primaryName"]})
    assert details(client)["registration"]["dunsCount"] == 7


def test_an_unknown_reference_is_not_found(client: Client) -> None:
    answer = client.get(f"{REGISTRATIONS}/NOBODY")
    assert (answer.status_code, code(answer)) == (404, "00038")


def test_a_reference_can_need_quoting(client: Client, control: SandboxControl) -> None:
    control.add_registration("A B/C")
    assert client.get(f"{REGISTRATIONS}/A%20B%2FC").json()["inquiryDetail"] == {"reference": "A B/C"}


def test_suppressed_it_delivers_seeds_only_and_activated_the_changes_since(
    client: Client, control: SandboxControl
) -> None:
    assert client.call("POST", f"{ONE}/suppress").status_code == 200
    assert details(client)["notificationsSuppressed"] is True
    control.add_companies(REFERENCE, ["012345678"])
    control.happen("name_change", "012345678")
    control.emit(REFERENCE, updates(1))
    assert [item["type"] for item in client.drain()] == ["SEED"]
    assert client.call("DELETE", f"{ONE}/suppress").status_code == 200
    assert details(client)["notificationsSuppressed"] is False
    assert numbers(client.pull()) == ["012345678", "000000000"]


def test_what_is_held_back_is_not_lost_after_four_days(client: Client, control: SandboxControl) -> None:
    control.suppress(REFERENCE)
    control.emit(REFERENCE, updates(1))
    control.move_clock(10 * 86_400)
    control.suppress(REFERENCE, False)
    client.renew()
    assert len(numbers(client.pull())) == 1


@pytest.mark.parametrize(("reading", "status"), [("200", 200), ("202", 202), ("204", 204)])
def test_what_suppress_answers_is_open(client: Client, control: SandboxControl, reading: str, status: int) -> None:
    control.switch("suppress_answer", reading)
    for method in ("POST", "DELETE"):
        answer = client.call(method, f"{ONE}/suppress")
        assert answer.status_code == status
        assert (answer.content == b"") == (status == 204)


def test_a_bare_delete_is_refused_or_worse(client: Client, control: SandboxControl) -> None:
    control.add_companies(REFERENCE, count=3)
    answer = client.call("DELETE", f"{ONE}/subjects")
    assert (answer.status_code, code(answer)) == (400, "00008")
    control.suppress(REFERENCE)
    control.switch("bare_delete", "activate")
    client.call("DELETE", f"{ONE}/subjects")
    assert details(client)["notificationsSuppressed"] is False
    control.switch("bare_delete", "remove_all")
    client.call("DELETE", f"{ONE}/subjects")
    assert control.subjects(REFERENCE) == []


def test_unknown_paths_are_not_found(client: Client) -> None:
    for method, path in (("GET", "/v1/nothing"), ("PUT", ONE), ("POST", REGISTRATIONS), ("GET", "/")):
        answer = client.call(method, path)
        assert (answer.status_code, code(answer)) == (404, "00037")


def test_a_body_without_a_known_length_is_refused(client: Client) -> None:
    answer = requests.post(client.url + "/v2/token", data=iter([b"x"]), timeout=10)
    assert answer.status_code == 413
