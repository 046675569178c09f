"""Every type of notification, and companies that stay consistent with what was said about them."""

from typing import Any

import pytest

from direct_plus.sandbox.control.client import SandboxControl, SandboxError
from direct_plus.sandbox.state.companies import fresh_numbers, plain, text
from direct_plus.sandbox.state.document_changes import ABSENT, change, look, put
from direct_plus.sandbox.state.event_catalog import HAPPENINGS
from direct_plus.sandbox.state.world import World
from tests.servers.sandbox_client import REFERENCE, Client

DUNS = "012345678"


@pytest.fixture
def watched(control: SandboxControl) -> SandboxControl:
    control.add_companies(REFERENCE, [DUNS], seed=False)
    return control


def the_only(client: Client) -> dict[str, Any]:
    (item,) = client.drain()
    item.pop("deliveryTimeStamp")
    return item


def paths(item: dict[str, Any]) -> dict[str, Any]:
    return {element["element"]: element.get("current") for element in item["elements"]}


@pytest.mark.parametrize("kind", sorted(set(HAPPENINGS) - {"active_again"}))
def test_each_happening_is_an_update_that_agrees_with_the_company(
    client: Client, watched: SandboxControl, kind: str
) -> None:
    before = watched.company(DUNS)
    assert len(watched.happen(kind, DUNS, seed=1)) == 1
    item, after = the_only(client), watched.company(DUNS)
    assert (item["type"], item["organization"]) == ("UPDATE", {"duns": DUNS})
    for element in item["elements"]:
        assert element["element"].startswith("organization.")
        assert "[" not in element["element"]
        assert element.get("previous", ABSENT) in (look(before, element["element"]), ABSENT)
        assert element["current"] == look(after, element["element"])
        put(before, element["element"], element["current"])
    assert before == after


def test_a_change_says_nothing_when_nothing_changes(client: Client, watched: SandboxControl) -> None:
    assert watched.happen("active_again", DUNS) == []
    assert len(watched.happen("bankruptcy", DUNS)) == 1
    assert watched.happen("bankruptcy", DUNS) == []


def test_a_bankruptcy_and_the_end_of_business(client: Client, watched: SandboxControl) -> None:
    watched.happen("bankruptcy", DUNS)
    watched.happen("out_of_business", DUNS)
    first, second = client.drain()
    assert paths(first)["organization.legalEvents.hasOpenBankruptcy"] is True
    assert paths(second)["organization.dunsControlStatus.operatingStatus"]["dnbCode"] == 403


def test_telephones_change_whole(client: Client, watched: SandboxControl) -> None:
    before = watched.company(DUNS)["telephone"]
    watched.happen("telephone_change", DUNS)
    (element,) = the_only(client)["elements"]
    assert element["previous"] == before
    assert isinstance(element["current"], list)


def test_any_change_can_be_told(client: Client, watched: SandboxControl) -> None:
    changes = {"organization.primaryName": "New", "organization.some.leaf": 3, "organization.fax": None}
    watched.happen("change", DUNS, changes=changes, at="2026-01-07T01:23:13Z")
    item = the_only(client)
    assert paths(item) == changes
    assert {element["timestamp"] for element in item["elements"]} == {"2026-01-07T01:23:13Z"}
    assert "previous" not in item["elements"][1]


@pytest.mark.parametrize(
    ("kind", "types"),
    [("delete", ["DELETE"]), ("undelete", ["UNDELETE", "SEED"]), ("under_review", ["UNDER_REVIEW"]),
     ("reviewed", ["REVIEWED", "SEED"]), ("exit", ["EXIT"]), ("removed", ["REMOVED"]), ("seed", ["SEED"])],
)  # fmt: skip
def test_each_type_without_elements(client: Client, watched: SandboxControl, kind: str, types: list[str]) -> None:
    watched.happen(kind, DUNS)
    items = client.drain()
    assert [item["type"] for item in items] == types
    assert "elements" not in items[0]
    assert kind == "seed" or items[0]["organization"] == {"duns": DUNS}


def test_a_seed_need_not_follow(client: Client, watched: SandboxControl) -> None:
    watched.happen("undelete", DUNS, seed_follows=False)
    assert the_only(client)["type"] == "UNDELETE"


def test_a_type_nobody_knows(client: Client, watched: SandboxControl) -> None:
    watched.happen("type", DUNS, type="REBASED")
    assert the_only(client) == {"type": "REBASED", "organization": {"duns": DUNS}}


def test_a_transfer_names_who_stays(client: Client, watched: SandboxControl) -> None:
    watched.happen("transfer", DUNS, retained="999999999")
    item = the_only(client)
    assert item["type"] == "TRANSFER"
    assert item["organization"]["dunsControlStatus"]["dunsTransfers"][0]["retainedDUNS"] == "999999999"
    assert watched.subjects(REFERENCE) == [DUNS]


def test_entering_and_leaving_change_the_list(client: Client, control: SandboxControl) -> None:
    control.happen("enter", DUNS, reference=REFERENCE)
    assert [item["type"] for item in client.drain()] == ["ENTER", "SEED"]
    assert control.subjects(REFERENCE) == [DUNS]
    control.happen("exit", DUNS)
    assert control.subjects(REFERENCE) == []


def test_under_review_there_are_no_change_notices(client: Client, watched: SandboxControl) -> None:
    watched.happen("under_review", DUNS)
    assert watched.happen("change", DUNS, changes={"organization.primaryName": "Reviewed"}) == []
    watched.happen("reviewed", DUNS)
    items = client.drain()
    assert [item["type"] for item in items] == ["UNDER_REVIEW", "REVIEWED", "SEED"]
    assert items[2]["organization"]["primaryName"] == "Reviewed"


def test_full_product_tells_every_change_as_a_seed(client: Client, watched: SandboxControl) -> None:
    watched.add_registration("FULL", notificationType="FULL_PRODUCT")
    watched.add_companies("FULL", [DUNS], seed=False)
    assert len(watched.happen("name_change", DUNS)) == 2
    assert the_only(client)["type"] == "UPDATE"
    (item,) = client.pull(reference="FULL").json()["notifications"]
    assert item["type"] == "SEED"
    assert item["organization"] == watched.company(DUNS)


def test_who_is_not_watched_is_not_told(client: Client, control: SandboxControl) -> None:
    assert control.happen("bankruptcy", DUNS) == []
    assert client.drain() == []


def test_a_company_can_be_given_whole(client: Client, control: SandboxControl) -> None:
    document = {"duns": DUNS, "primaryName": "Größe & Söhne 株式会社"}
    assert control.add_companies(REFERENCE, [document]) == [DUNS]
    assert the_only(client)["organization"] == document


def test_new_companies_are_counted_out_the_same_each_time(control: SandboxControl) -> None:
    numbers = control.add_companies(REFERENCE, count=2_000, seed=False)
    assert len(set(numbers)) == 2_000
    assert any(number.startswith("0") for number in numbers)
    assert control.remove_companies(REFERENCE, numbers[:1_999]) == numbers[:1_999]
    assert control.subjects(REFERENCE) == numbers[1_999:]
    assert fresh_numbers(World(), 2_000) == numbers


def test_wrong_wishes_are_refused(control: SandboxControl) -> None:
    wrong: list[tuple[str, dict[str, Any]]] = [
        ("happen", {"kind": "nonsense", "duns": DUNS}),
        ("happen", {}),
        ("nonsense", {}),
        ("emit", {"reference": "NOBODY", "raw": []}),
        ("add_companies", {"reference": "NOBODY", "count": 1}),
        ("mark", {"duns": [DUNS], "kind": "odd"}),
        ("deliver", {"reference": REFERENCE, "kind": "X"}),
    ]
    for verb, entries in wrong:
        with pytest.raises(SandboxError):
            control.ask(verb, **entries)
    assert "bankruptcy" in control.happenings()


def test_large_amounts_are_written_with_an_exponent() -> None:
    assert text({"value": 302510160.94}) == b'{"value": 3.0251016094E8}'
    assert text({"value": 20000000}) == b'{"value": 2.0E7}'
    assert text({"value": 1234567, "x": '"value": 302510160.94}'}).endswith(b'\\"value\\": 302510160.94}"}')


def test_elements_of_one_notification_can_lie_apart(client: Client, watched: SandboxControl) -> None:
    changes = {
        "organization.a": 1,
        "organization.primaryName": watched.company(DUNS)["primaryName"],
        "organization.b": 2,
    }
    watched.happen("change", DUNS, changes=changes, at="2026-01-07T01:23:13Z", apart=60)
    stamps = [element["timestamp"] for element in the_only(client)["elements"]]
    assert stamps == ["2026-01-07T01:23:13Z", "2026-01-07T01:22:13Z"]


def test_previous_is_absent_where_there_was_nothing() -> None:
    document = plain(DUNS)
    assert change(document, {"organization.a.b": 1}, 0) == [
        {"element": "organization.a.b", "current": 1, "timestamp": "1970-01-01T00:00:00Z"}
    ]
    assert change(document, {"organization.a.b": ABSENT}, 0)[0].keys() == {"element", "previous", "timestamp"}
    assert document == {**plain(DUNS), "a": {}}
