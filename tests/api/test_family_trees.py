"""Family trees in the API: requested with the calls confirmed, read now and as of a day."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from direct_plus.sandbox.control.client import SandboxControl
from direct_plus.sandbox.run import Sandbox
from dnbmon_site.accounts.models import ApiKey
from monitoring.family_tree.api import trees
from monitoring.family_tree.plan import plan_trees
from monitoring.family_tree.work import run_trees
from monitoring.models import FamilyTree, TreeKind, TreeState
from portfolio.models import Registration
from tests.builders.companies import duns_numbers
from tests.builders.contracts import a_contract
from tests.builders.data_fetches import monitored
from tests.builders.family_trees import FAMILY, FIRST, THIRD, TOP, a_family, a_tree
from tests.builders.programs import Program
from tests.builders.registrations import REFERENCE, a_registration
from tests.servers.sandbox import calls_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def registration(db: None, sandbox: Sandbox, control: SandboxControl) -> Registration:
    row = a_registration(REFERENCE, contract=a_contract())
    a_family(control)
    monitored(row, THIRD)
    return row


@pytest.fixture
def crm() -> Program:
    return Program.with_key(scopes="read, fetch")


def a_body(calls: int = 1, **given: Any) -> dict[str, Any]:
    return {"kind": "full", "companies": [THIRD], "confirm_calls": {"family_tree": calls}, **given}


def test_a_tree_is_requested_and_read(crm: Program, registration: Registration) -> None:
    (tree,) = crm.post("family-trees/", a_body()).json()["results"]
    assert (tree["state"], tree["complete"], tree["requested_by"]) == ("running", False, str(ApiKey.objects.get()))
    run_trees()
    tree = crm.read(f"family-trees/{tree['id']}/")
    assert (tree["state"], tree["top"], tree["members_at_dnb"], tree["calls"]) == ("done", TOP, 5, 1)
    members = {one["duns"]: one for one in crm.walk(f"family-trees/{tree['id']}/members/", limit=2)}
    assert {duns: one["parent"] for duns, one in members.items()} == FAMILY
    assert (members[THIRD]["monitored_in"], members[FIRST]["monitored_in"]) == ([REFERENCE], [])
    assert crm.read(f"companies/{FIRST}/family-tree/")["id"] == tree["id"]


def test_what_is_requested_and_not_finished_is_a_conflict(
    crm: Program, registration: Registration, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = plan_trees(TreeKind.FULL, [THIRD])
    crm.post("family-trees/", a_body())
    for known in (plan_trees, lambda *_: plan):
        monkeypatch.setattr(trees, "plan_trees", known)
        answer = crm.post("family-trees/", a_body())
        assert answer.status_code == 409 and "not complete yet" in answer.json()["detail"]
    assert FamilyTree.objects.count() == 1


def test_without_the_right_number_of_calls_nothing_is_fetched(
    crm: Program, registration: Registration, control: SandboxControl
) -> None:
    answer = crm.post("family-trees/", a_body(2))
    assert answer.status_code == 409 and "makes 1 call." in answer.json()["detail"]
    assert answer.json()["confirm_calls"] == {"family_tree": 1}
    assert crm.post("family-trees/", {"kind": "full", "companies": [THIRD]}).status_code == 400
    answer = crm.post("family-trees/", a_body(companies=duns_numbers(1)))
    assert answer.status_code == 409 and "None of the companies" in answer.json()["detail"]
    assert not FamilyTree.objects.exists() and not calls_of(control, "tree")


def test_a_repeated_request_makes_no_further_tree(crm: Program, registration: Registration) -> None:
    body = a_body(kind="upward")
    first, second = (crm.post("family-trees/", body, word="once").json() for _ in range(2))
    assert first == second and FamilyTree.objects.count() == 1


def test_a_tree_is_stopped_and_resumed(crm: Program, registration: Registration, control: SandboxControl) -> None:
    control.switch("family_tree_page", 2)
    (tree,) = crm.post("family-trees/", a_body()).json()["results"]
    path = f"family-trees/{tree['id']}/"
    assert crm.post(f"{path}stop/").json()["reason"].startswith("Stopped by data warehouse")
    assert crm.post(f"{path}resume/", {"confirm_calls": {"family_tree": 2}}).status_code == 409
    assert crm.post(f"{path}resume/", {"confirm_calls": {"family_tree": 1}}).json()["state"] == "running"
    run_trees()
    assert crm.read(path)["page_count"] == 3
    crm.post(f"{path}resume/", {"confirm_calls": {"family_tree": 2}})
    run_trees()
    assert crm.read(path)["complete"]
    assert crm.post(f"{path}resume/", {"confirm_calls": {"family_tree": 1}}).status_code == 409


def test_trees_are_those_of_the_day(crm: Program, registration: Registration) -> None:
    now = timezone.now()
    chain: dict[str, Any] = {"kind": TreeKind.UPWARD, "duns": THIRD}
    earlier, later = (
        a_tree(registration.contract, {THIRD: TOP, TOP: ""}, at=now - timedelta(days=days), **chain) for days in (60, 5)
    )
    path, day = f"companies/{THIRD}/upward-chain/", f"{now - timedelta(days=30):%Y-%m-%d}"
    assert [crm.read(path)["id"], crm.read(path, as_of=day)["id"]] == [str(later.pk), str(earlier.pk)]
    assert crm.read(path)["outdated"] is False
    answer = crm.get(path, as_of=f"{now - timedelta(days=90):%Y-%m-%d}")
    assert answer.status_code == 404 and "had been fetched by then" in answer.json()["detail"]
    answer = crm.get(f"companies/{THIRD}/family-tree/")
    assert answer.status_code == 404 and "has been fetched. Fetch one" in answer.json()["detail"]
    assert "needs the scope `fetch`" in answer.json()["detail"]
    assert crm.get("companies/x/upward-chain/").status_code == 404
    assert [one["id"] for one in crm.walk("family-trees/", limit=1)] == [str(later.pk), str(earlier.pk)]
    assert crm.read("family-trees/", kind="full")["results"] == []


def test_who_asks_for_a_tree_that_dnb_does_not_have_learns_that(crm: Program, registration: Registration) -> None:
    monitored(registration, THIRD)
    none: dict[str, Any] = {"duns": THIRD, "state": TreeState.NONE, "pages_read": 0}
    a_tree(registration.contract, {}, at=datetime(2026, 3, 5, 12, tzinfo=UTC), **none)
    path, words = f"companies/{THIRD}/family-tree/", "D&B has no family tree for this company (asked on 2026-03-05)."
    assert crm.get(path).json()["detail"].startswith(words)
    assert "had been fetched by then" in crm.get(path, as_of="2026-03-01").json()["detail"]


def test_a_tree_that_is_not_there_is_not_found(crm: Program, registration: Registration) -> None:
    for path in ("", "members/"):
        assert crm.get(f"family-trees/00000000-0000-0000-0000-000000000000/{path}").status_code == 404


def test_a_tree_that_stopped_is_discarded(crm: Program, registration: Registration) -> None:
    tree = a_tree(registration.contract)
    assert crm.post(f"family-trees/{tree.pk}/discard/").status_code == 409
    FamilyTree.objects.update(state=TreeState.STOPPED)
    assert crm.post(f"family-trees/{tree.pk}/discard/").status_code == 204
    assert crm.get(f"family-trees/{tree.pk}/").status_code == 404


def test_reading_takes_no_scope_that_pays(registration: Registration) -> None:
    reader = Program.with_key(scopes="read")
    tree = a_tree(registration.contract)
    assert reader.read("family-trees/")["results"][0]["id"] == str(tree.pk)
    assert reader.get(f"family-trees/{tree.pk}/members/").status_code == 200
    assert reader.post("family-trees/", a_body()).status_code == 403
    assert Program.with_key(scopes="fetch").get("family-trees/").status_code == 403


def test_a_family_that_was_fetched_since_is_a_conflict(crm: Program, registration: Registration) -> None:
    stopped = a_tree(registration.contract, state=TreeState.STOPPED, at=timezone.now() - timedelta(hours=1))
    a_tree(registration.contract)
    answer = crm.post(f"family-trees/{stopped.pk}/resume/", {"confirm_calls": {"family_tree": 1}})
    assert answer.status_code == 409 and "fetched the same family since" in answer.json()["detail"]
    assert FamilyTree.objects.get(pk=stopped.pk).state == TreeState.STOPPED
