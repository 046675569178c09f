"""Registrations by the API: what there is, and pulling one now."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from django_q.models import OrmQ

from core.models import AuditEntry
from portfolio.models import RegistrationState, Subject
from tests.builders.companies import DUNS, OTHER
from tests.builders.contracts import a_contract
from tests.builders.programs import Program, a_signed_in_person
from tests.builders.registrations import a_registration
from tests.builders.subjects import a_subject

pytestmark = pytest.mark.django_db


def test_a_registration_as_it_is(program: Program) -> None:
    a_registration(last_pulled_at=datetime(2026, 1, 8, 11, tzinfo=UTC))
    assert program.read("registrations/ACME_LOD_01/") == {
        "reference": "ACME_LOD_01",
        "contract": "default",
        "description": "Acme suppliers",
        "state": "active",
        "paused_until": None,
        "stopped_reason": "",
        "adopted": False,
        "last_pulled_at": "2026-01-08T11:00:00Z",
        "next_pull_at": None,
        "gap_from": None,
        "gap_until": None,
    }
    assert program.walk("registrations/") == [program.read("registrations/ACME_LOD_01/")]


def test_lists_filters_and_pages(program: Program) -> None:
    other = a_contract(name="other")
    for reference in ("C", "A", "B"):
        a_registration(reference)
    a_registration("A", contract=other, state=RegistrationState.PAUSED)

    def found(**filters: str) -> list[tuple[str, str]]:
        return [(one["reference"], one["contract"]) for one in program.walk("registrations/", limit=1, **filters)]

    assert sorted(found()) == [("A", "default"), ("A", "other"), ("B", "default"), ("C", "default")]
    assert [reference for reference, _ in found()] == ["A", "A", "B", "C"]
    assert found(state="paused") == [("A", "other")]
    assert found(contract="default") == [("A", "default"), ("B", "default"), ("C", "default")]
    assert program.get("registrations/", state="sleeping").status_code == 400
    assert program.get("registrations/", after="x").status_code == 400


def test_two_accounts_with_one_name(program: Program) -> None:
    a_registration("A")
    a_registration("A", contract=a_contract(name="other"))
    answer = program.get("registrations/A/")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["parameter"] == "contract"
    assert program.read("registrations/A/", contract="other")["contract"] == "other"
    assert program.get("registrations/A/", contract="third").status_code == 404


@pytest.mark.parametrize("reference", ["NO", "a%00b", "%ED%A0%80", "ACME_LOD_0", "acme_lod_01"])
def test_an_unknown_one(program: Program, reference: str) -> None:
    a_registration()
    assert program.get(f"registrations/{reference}/").status_code == 404


def test_pulling_now_is_a_task_for_a_worker(a_program: Callable[..., Program]) -> None:
    row = a_registration(state=RegistrationState.PAUSED)
    answer = a_program(scopes="pull", name="ERP").post("registrations/ACME_LOD_01/pull/")
    assert (answer.status_code, answer.json()) == (202, {"reference": "ACME_LOD_01", "last_pulled_at": None})
    task = OrmQ.objects.get().task
    actor = AuditEntry.objects.get(action="pull").actor
    assert (task["func"], task["args"]) == ("monitoring.jobs.pull_now", (str(row.pk), actor))
    assert actor.startswith("ERP")


def test_pulling_once_for_one_word(a_program: Callable[..., Program]) -> None:
    a_registration()
    program = a_program(scopes="pull")
    answers = [program.post("registrations/ACME_LOD_01/pull/", word="now") for _ in range(3)]
    assert {answer.status_code for answer in answers} == {202}
    assert OrmQ.objects.count() == 1


def test_a_list_is_adopted_by_a_person_who_has_seen_its_number(program: Program) -> None:
    registration = a_registration(adopted=False)
    ann = a_signed_in_person("portfolio.change_subject")
    path = f"registrations/{registration.reference}/adoption/"
    assert ann.post(path, {"companies": 0, "incomplete": True}).status_code == 409, "nothing is known of its list"
    for duns in (DUNS, OTHER):
        a_subject(duns, registration, requested=False)
    shown = {"reference": registration.reference, "adopted": False, "is_list_complete": False, "companies": 2}
    assert program.read(path) == shown
    for refused in ({"companies": 1, "incomplete": True}, {"companies": 2}):
        assert ann.post(path, refused).status_code == 409
    assert program.post(path, {"companies": 2, "incomplete": True}).status_code == 403
    assert not Subject.objects.filter(requested=True).exists()
    adopted = ann.post(path, {"companies": 2, "incomplete": True}).json()
    assert (adopted["adopted"], adopted["companies"]) == (True, 0)
    assert Subject.objects.filter(requested=True, requested_by="ann").count() == 2
    assert AuditEntry.objects.get(action="adopt").actor == "ann"
