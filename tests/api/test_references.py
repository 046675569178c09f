"""What other systems call companies: kept by them, shown with changes, asked by."""

from collections.abc import Callable
from typing import Any

import pytest

from core.models import AuditEntry
from portfolio.models import Company, ExternalReference, Subject
from tests.builders.companies import DUNS, OTHER
from tests.builders.deliveries import delivered
from tests.builders.notifications import a_notice, a_seed
from tests.builders.programs import Program

pytestmark = pytest.mark.django_db


@pytest.fixture
def crm(a_program: Callable[..., Program]) -> Program:
    return a_program(name="CRM", scopes="read,write:references")


def name(program: Program, *entries: tuple[str, str, str]) -> Any:
    references = [{"duns": duns, "system": system, "id": key} for duns, system, key in entries]
    return program.put("references/", {"references": references})


def known() -> set[tuple[str, str, str]]:
    return set(ExternalReference.objects.values_list("company_id", "system", "reference"))


def test_several_accounts_may_be_one_company(crm: Program) -> None:
    answer = name(crm, (DUNS, "crm", "1"), (DUNS, "crm", "2"), ("15-048-3782", "crm", "3"), (DUNS, "erp", "1"))
    assert (answer.status_code, answer.json()) == (200, {"changed": 4, "unchanged": 0})
    assert known() == {(DUNS, "crm", "1"), (DUNS, "crm", "2"), (OTHER, "crm", "3"), (DUNS, "erp", "1")}
    assert name(crm, (DUNS, "crm", "1"), (DUNS, "crm", "9")).json() == {"changed": 1, "unchanged": 1}


def test_an_account_is_one_company_only(crm: Program) -> None:
    name(crm, (DUNS, "crm", "1"))
    assert name(crm, (OTHER, "crm", "1")).json() == {"changed": 1, "unchanged": 0}
    assert known() == {(OTHER, "crm", "1")}
    name(crm, (DUNS, "crm", "2"), (OTHER, "crm", "2"))
    assert (OTHER, "crm", "2") in known(), "the last word counts"


def test_naming_a_company_adds_and_monitors_none(crm: Program) -> None:
    name(crm, (DUNS, "crm", "1"))
    assert not Company.objects.exists() and not Subject.objects.exists()
    assert crm.walk("companies/") == []
    delivered(a_seed())
    (listed,) = crm.walk("companies/", reference="1")
    assert listed["duns"] == DUNS and listed["references"] == [{"system": "crm", "id": "1"}]
    assert crm.read(f"companies/{DUNS}/") == listed


def test_errors_name_the_entry(crm: Program) -> None:
    answer = name(crm, (DUNS, "crm", "1"), ("1234", "crm", "2"), (DUNS, "c r m", "3"))
    assert answer.status_code == 400 and known() == set()
    errors = {error["parameter"]: error["detail"] for error in answer.json()["errors"]}
    assert list(errors) == ["references[1].duns", "references[2].system"]
    assert "Enter 1 to 64 letters" in errors["references[2].system"]
    assert answer.json()["detail"].endswith(" No entry was saved. Correct these entries and send the request again.")


def test_many_errors_are_in_the_list_alone(crm: Program) -> None:
    document = name(crm, *[("1", "crm", str(number)) for number in range(9)]).json()
    assert len(document["errors"]) == 9 and "references[4].duns" in document["detail"]
    assert "references[5].duns" not in document["detail"] and "4 more are in `errors`." in document["detail"]


def test_it_is_in_the_audit_once(crm: Program) -> None:
    for _ in range(2):
        name(crm, (DUNS, "crm", "1"))
    crm.delete("references/", system="crm", id="1")
    entries = AuditEntry.objects.order_by("id")
    assert [(one.action, one.actor.split()[0]) for one in entries] == [
        ("reference.set", "CRM"),
        ("reference.remove", "CRM"),
    ]


def test_lists_filters_and_pages(crm: Program) -> None:
    name(crm, (DUNS, "crm", "1"), (DUNS, "crm", "2"), (OTHER, "crm", "3"), (DUNS, "erp", "1"))

    def found(**filters: str) -> list[tuple[str, str]]:
        return sorted((one["system"], one["id"]) for one in crm.walk("references/", limit=1, **filters))

    assert found() == [("crm", "1"), ("crm", "2"), ("crm", "3"), ("erp", "1")]
    assert found(system="erp") == [("erp", "1")]
    assert found(id="1") == [("crm", "1"), ("erp", "1")]
    assert found(system="crm", id="1") == [("crm", "1")]
    assert found(company=OTHER) == [("crm", "3")]
    assert crm.get("references/", after="x").status_code == 400


def test_forgetting_one(crm: Program) -> None:
    name(crm, (DUNS, "crm", "1"), (DUNS, "crm", "2"))
    assert crm.delete("references/", system="crm", id="1").status_code == 204
    assert crm.delete("references/", system="crm", id="1").status_code == 404
    assert crm.delete("references/", system="crm").status_code == 400
    assert known() == {(DUNS, "crm", "2")}


def test_changes_carry_them(crm: Program) -> None:
    name(crm, (DUNS, "erp", "V-1"), (DUNS, "crm", "0015"))
    delivered(a_seed(), a_notice("EXIT", OTHER))
    shown = {item["company"]["duns"]: item["references"] for item in crm.follow().items}
    assert shown == {DUNS: [{"system": "crm", "id": "0015"}, {"system": "erp", "id": "V-1"}], OTHER: []}
    assert crm.walk(f"companies/{DUNS}/changes/")[0]["references"] == shown[DUNS]


@pytest.mark.parametrize(
    ("reference", "duns"),
    [("0015", {DUNS}), ("crm:0015", {DUNS}), ("erp:0015", set()), ("a:b", {OTHER}), ("0", set()), ("crm:", set())],
)
def test_asking_by_reference(crm: Program, reference: str, duns: set[str]) -> None:
    name(crm, (DUNS, "crm", "0015"), (OTHER, "x", "a:b"))
    delivered(a_seed(), a_seed(OTHER))
    assert {one["duns"] for one in crm.walk("companies/", reference=reference)} == duns
    assert {one["company"]["duns"] for one in crm.follow(reference=reference).items} == duns
    assert {one["company"]["duns"] for one in crm.walk("notifications/", reference=reference)} == duns


def test_a_reference_and_numbers_both_have_to_fit(crm: Program) -> None:
    name(crm, (DUNS, "crm", "0015"))
    delivered(a_seed(), a_seed(OTHER))
    assert crm.walk("companies/", reference="0015", duns=OTHER) == []
    assert crm.follow(reference="0015", company=OTHER).items == []
    assert len(crm.follow(reference="0015", company=[OTHER, DUNS]).items) == 1


@pytest.mark.parametrize(
    "entry",
    [
        {},
        {"duns": "1", "system": "crm", "id": "1"},
        {"duns": DUNS, "system": "", "id": "1"},
        {"duns": DUNS, "system": "c r m", "id": "1"},
        {"duns": DUNS, "system": "crm:", "id": "1"},
        {"duns": DUNS, "system": "crm", "id": ""},
        {"duns": DUNS, "system": "crm", "id": "x" * 201},
        {"duns": DUNS, "system": "crm", "id": "a\0"},
    ],
)
def test_what_cannot_be_is_refused(crm: Program, entry: dict[str, str]) -> None:
    assert crm.put("references/", {"references": [entry]}).status_code == 400
    assert known() == set()
