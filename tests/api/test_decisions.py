"""Decisions and tiers in the API: scopes of their own, nothing decided twice, nothing confirmed by a key."""

from datetime import timedelta
from typing import Any

import pytest

from monitoring.decisions.decide import confirm
from monitoring.decisions.rules import apply_rules
from monitoring.models import Decision, DecisionState, Review
from portfolio.exposure.days import today
from portfolio.exposure.refresh import refresh_columns
from portfolio.imports.states import NotAllowed
from portfolio.models import Company, Tier
from tests.builders.companies import DUNS, OTHER, a_company
from tests.builders.decisions import a_decision, a_draft, a_limit, a_tier_rule, a_tiered_company
from tests.builders.exposures import exposure
from tests.builders.people import a_person, an_actor
from tests.builders.programs import Program

pytestmark = pytest.mark.django_db


@pytest.fixture
def crm() -> Program:
    return Program.with_key(scopes="read:decisions, write:decisions, write:tiers")


def body(kind: str = "approve", **fields: Any) -> dict[str, Any]:
    return {"duns": DUNS, "kind": kind, "reason": "Pays on time.", "after": 0, **fields}


def test_a_decision_is_made_and_read(crm: Program) -> None:
    a_tiered_company(failure_class=3, flags=0)
    made = crm.post("decisions/", body("limit", amount="250000.50", currency="EUR", valid_until=f"{today()}"))
    assert made.status_code == 201, made.content
    answer = made.json()
    assert (answer["amount"], answer["state"], answer["number"], answer["tier"]) == ("250000.50", "final", 1, "normal")
    assert answer["known"]["figures"]["failure_class"] == 3 and "exposure" not in answer["known"]
    assert answer["known"]["figures"]["flags"] == [], "as companies have them"
    assert crm.read(f"decisions/{answer['id']}/") == {**answer, "compared": []}, "it awaits no confirmation"
    assert crm.read("decisions/")["results"] == [answer]
    assert Review.objects.count() == 1


def test_one_that_awaits_confirmation_has_what_changed_since_first(crm: Program) -> None:
    a_tiered_company(tier=Tier.CRITICAL, failure_class=3)
    exposure(f"{DUNS};1200")
    refresh_columns()
    row = a_decision()
    Company.objects.update(failure_class=5)
    exposure(f"{DUNS};900")
    refresh_columns()
    [first, *others] = crm.read(f"decisions/{row.pk}/")["compared"]
    told = {"name": "failure_class", "label": "Failure score class", "then": "3", "now": "5", "changed": True}
    assert first == told and others and not any(one["changed"] for one in others)
    found = Program.with_key(scopes="read:decisions, read:exposure").read(f"decisions/{row.pk}/")["compared"]
    assert [one["label"] for one in found if one["changed"]][1:] == ["Exposure: Total", "Exposure: Receivables"]


def test_the_second_of_two_gets_409_and_decides_again(crm: Program) -> None:
    a_company()
    refused = crm.post("decisions/", body(after=99))
    assert refused.status_code == 409 and "99 is not the number of the last one" in refused.json()["detail"]
    a_decision(a_limit(10), by="ann")
    for after in (0, 7):
        refused = crm.post("decisions/", body(after=after))
        made = f"The last decision is number 1, not {after}: Limit EUR 10, by ann. Nothing was saved."
        assert refused.status_code == 409
        assert refused.json()["detail"] == f"{made} To decide after it, send `after`: 1."
    assert crm.post("decisions/", body(after=1)).status_code == 201


def test_the_same_word_twice_decides_once(crm: Program) -> None:
    a_company()
    first = crm.post("decisions/", body(), word="one")
    assert crm.post("decisions/", body(), word="one").json() == first.json()
    assert Decision.objects.count() == 1


def test_a_key_proposes_and_neither_it_nor_its_issuer_confirms() -> None:
    ann = a_person(username="ann")
    program = Program.with_key(scopes="write:decisions", created_by=ann)
    a_tiered_company(tier=Tier.CRITICAL)
    assert program.post("decisions/", body()).json()["state"] == "proposed"
    row = Decision.objects.get()
    with pytest.raises(NotAllowed):
        confirm(row, by=an_actor("ann").__class__("ann", ann.pk))
    confirm(row, by=an_actor("bob"))


def test_a_key_that_only_decides_is_not_shown_what_was_known() -> None:
    a_company(failure_class=3)
    program = Program.with_key(scopes="write:decisions")
    assert program.post("decisions/", body()).json()["known"] == {}


def test_money_takes_its_own_scope(crm: Program) -> None:
    a_company()
    exposure(f"{DUNS};1200")
    refresh_columns()
    row = a_decision()
    sees = Program.with_key(scopes="read:decisions, read:exposure", name="finance")
    assert "exposure" not in crm.read(f"decisions/{row.pk}/")["known"]
    assert sees.read(f"decisions/{row.pk}/")["known"]["exposure"]["cents"] == 120_000


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"duns": OTHER}, "duns"),
        ({"reason": ""}, "reason"),
        ({"kind": "maybe"}, "kind"),
        ({"kind": "limit"}, "amount"),
        ({"kind": "limit", "amount": "10"}, "currency"),
        ({"amount": "10", "currency": "EUR"}, "amount"),
        ({"valid_until": f"{today() - timedelta(days=1)}"}, "valid_until"),
        ({"after": -1}, "after"),
    ],
)
def test_what_is_wrong_is_refused(crm: Program, fields: dict[str, Any], wrong: str) -> None:
    a_company()
    refused = crm.post("decisions/", body(**fields))
    assert refused.status_code == 400 and [one["parameter"] for one in refused.json()["errors"]] == [wrong]
    assert not Decision.objects.exists()


def test_a_merged_company_names_the_one_that_remains(crm: Program) -> None:
    a_company(merged_into=OTHER)
    refused = crm.post("decisions/", body())
    assert refused.status_code == 409 and OTHER in refused.json()["detail"]


def test_every_page_of_the_list(crm: Program) -> None:
    a_company()
    for number in range(5):
        a_decision(a_draft(reason=f"{number}"), seen=number)
    a_tiered_company(OTHER, Tier.CRITICAL)
    a_decision(duns=OTHER)
    assert [one["reason"] for one in crm.walk("decisions/", company=DUNS, limit=2)] == ["4", "3", "2", "1", "0"]
    assert [one["company"]["duns"] for one in crm.walk("decisions/", state=DecisionState.PROPOSED)] == [OTHER]


def test_tiers_are_set_and_rules_leave_them(crm: Program) -> None:
    a_company()
    a_tier_rule(is_enabled=True)
    sent = {"tiers": [{"duns": DUNS, "tier": "important"}, {"duns": OTHER, "tier": "none"}]}
    assert crm.put("tiers/", sent).json() == {"changed": 1, "unknown": [OTHER]}
    assert crm.put("tiers/", sent).json() == {"changed": 0, "unknown": [OTHER]}
    assert apply_rules() == 0
    assert Company.objects.get().tier == Tier.IMPORTANT


def test_companies_by_tier_and_review(program: Program) -> None:
    a_tiered_company(DUNS, Tier.CRITICAL, set_days_ago=90)
    a_tiered_company("100000001", Tier.NORMAL)
    a_company(OTHER)
    (found,) = program.walk("companies/", tier="critical")
    assert (found["duns"], found["tier"], found["next_review_on"]) == (DUNS, "critical", f"{today()}")
    assert [one["duns"] for one in program.walk("companies/", tier="none")] == [OTHER]
    assert [one["duns"] for one in program.walk("companies/", review_by=f"{today()}")] == [DUNS]
    assert [one["duns"] for one in program.walk("companies/", sort="next_review_on", limit=1)] == [DUNS, "100000001"]
    assert [one["duns"] for one in program.walk("companies/", sort="-tier", limit=1)] == ["100000001", DUNS]
