"""Proposals: made once where a company is wanted, decided once, carried out whatever dies in between."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from core.models import AuditEntry
from dnbmon_site.accounts.models import User
from portfolio.models import Contract, Proposal, ProposalKind, ProposalState, SinglePersonAct, Subject, SubjectState
from portfolio.proposals import apply
from portfolio.proposals.apply import carry_out_left_behind
from portfolio.proposals.create import Sign, propose, propose_replacements
from portfolio.proposals.decide import Refused, accept, approve, continued, dismiss
from portfolio.proposals.withdraw import withdraw_not_requested, withdraw_other_mergers
from portfolio.subjects.requests import withdraw_subjects
from tests.builders.companies import DUNS, a_company
from tests.builders.contracts import a_contract
from tests.builders.pages import text_of
from tests.builders.people import a_person, an_actor
from tests.builders.registrations import a_registration
from tests.builders.subjects import a_subject
from tests.builders.times import MOMENT

pytestmark = pytest.mark.django_db
OTHER, THIRD = "150483782", "012345678"
LIST = "/portfolio/proposal/"


@pytest.fixture(autouse=True)
def one_person_may_remove_all() -> None:
    """The lists here are so short that each removal is a large part; `test_limits` has the limit."""
    a_contract(removal_share=100)


def a_sign(kind: ProposalKind = ProposalKind.TRANSFER, duns: str = DUNS, to: str = OTHER, **fields: Any) -> Sign:
    registration = fields.pop("registration", None) or a_registration(adopted=True)
    return Sign(kind, registration.pk, duns, to, fields.pop("source", "1"), MOMENT)


def a_proposal(**fields: Any) -> Proposal:
    duns = fields.get("duns", DUNS)
    a_subject(duns, fields.get("registration"))
    (made,) = propose([a_sign(**fields)])
    return Proposal.objects.select_related("registration").get(pk=made.pk)


def requested() -> set[str]:
    return set(Subject.objects.filter(requested=True).values_list("company_id", flat=True))


# Made


def test_a_merger_is_proposed_with_its_cost() -> None:
    row = a_proposal()
    assert (row.company_id, row.replacement, row.cost, row.state) == (DUNS, OTHER, 1, "open")
    assert requested() == {DUNS}


def test_a_replacement_that_is_billed_already_costs_nothing() -> None:
    a_subject(
        OTHER, a_registration("OTHER_01"), requested=False, state=SubjectState.REMOVED, monitored_until=MOMENT.date()
    )
    assert a_proposal().cost == 0


def test_nothing_is_proposed_for_what_nobody_wants() -> None:
    a_subject(requested=False)
    a_subject(THIRD)
    assert propose([a_sign()]) == []


def test_a_company_that_left_one_registration_is_no_matter_of_another() -> None:
    a_subject(requested=False)
    a_subject(registration=a_registration("OTHER_01"))
    assert propose([a_sign(kind=ProposalKind.EXIT, to="")]) == []


def test_the_same_sign_makes_one_proposal_whatever_was_decided() -> None:
    row = a_proposal()
    assert propose([a_sign()]) == []
    dismiss([row], by=an_actor("ann"), note="No.")
    assert propose([a_sign()]) == []
    assert Proposal.objects.get().state == ProposalState.DISMISSED


def test_a_new_occasion_is_proposed_anew_but_not_beside_an_open_one() -> None:
    row = a_proposal()
    assert propose([a_sign(source="2")]) == []
    dismiss([row], by=an_actor("ann"), note="No.")
    assert len(propose([a_sign(source="2")])) == 1


@pytest.mark.parametrize("to", ["", "12", DUNS])
def test_without_a_usable_replacement_only_the_removal_is_proposed(to: str) -> None:
    row = a_proposal(to=to)
    assert (row.replacement, row.cost) == ("", 0)
    accept([row], by=an_actor("ann"), confirmed=0)
    assert requested() == set()


def refused(**fields: Any) -> Subject:
    values = {"state": SubjectState.REFUSED, "code": "40003", "replacement": OTHER, "requested_at": timezone.now()}
    return a_subject(**{**values, **fields})


def test_a_refusal_that_names_another_number_is_proposed_once() -> None:
    refused()
    assert [row.kind for row in propose_replacements()] == [ProposalKind.REPLACEMENT]
    assert propose_replacements() == []


@pytest.mark.parametrize(
    "fields", [{"replacement": ""}, {"requested": False}, {"code": "40002"}, {"replacement": DUNS}]
)
def test_other_refusals_propose_nothing(fields: dict[str, Any]) -> None:
    refused(**fields)
    assert propose_replacements() == []


def test_asked_for_again_and_refused_again_it_is_proposed_again() -> None:
    row = refused()
    dismiss(propose_replacements(), by=an_actor("ann"), note="No.")
    Subject.objects.filter(pk=row.pk).update(requested_at=timezone.now() + timedelta(minutes=1))
    assert len(propose_replacements()) == 1


def test_what_nobody_wants_any_more_waits_for_nobody() -> None:
    row = a_proposal()
    assert withdraw_not_requested() == 0
    Subject.objects.update(requested=False)
    assert withdraw_not_requested() == 1
    row.refresh_from_db()
    assert (row.state, row.decided_by) == (ProposalState.DISMISSED, "program")


# In every registration that holds the company


def in_two_registrations(kind: ProposalKind = ProposalKind.TRANSFER, to: str = OTHER, **other: Any) -> Proposal:
    a_subject(DUNS, a_registration("R1", adopted=True), tags="steel")
    a_subject(DUNS, a_registration("R2", adopted=True, **other), tags="paper")
    (made,) = propose([a_sign(kind=kind, to=to, registration=a_registration("R1", adopted=True))])
    return made


def held() -> set[tuple[str, str]]:
    rows = Subject.objects.filter(requested=True).select_related("registration")
    return {(row.registration.reference, row.company_id) for row in rows}


@pytest.mark.parametrize("order", [("R1", "R2"), ("R2", "R1")])
@pytest.mark.parametrize("kind", [ProposalKind.TRANSFER, ProposalKind.DELETE])
def test_a_company_is_proposed_once_whichever_registrations_report_it(kind: ProposalKind, order: tuple[str]) -> None:
    for reference in order:
        a_subject(DUNS, a_registration(reference))
    signs = [a_sign(kind=kind, registration=a_registration(reference)) for reference in order]
    made = [row for sign in signs for row in propose([sign])]
    assert [row.registration_id for row in made] == [None]


def test_accepted_it_acts_in_all_of_them_and_says_in_which() -> None:
    row = in_two_registrations()
    told = accept([row], by=an_actor("ann"), confirmed=1)
    assert str(told) == "1 proposal accepted. Registrations: R1, R2."
    assert held() == {("R1", OTHER), ("R2", OTHER)}
    tags = Subject.objects.filter(company=OTHER).values_list("tags", flat=True)
    assert set(tags) == {"steel", "paper"}
    entry = AuditEntry.objects.get(action="accept proposal")
    assert entry.summary.endswith("in R1, R2")


def test_a_registration_that_does_not_hold_the_company_is_left_alone() -> None:
    a_registration("R3")
    row = in_two_registrations()
    Subject.objects.filter(registration=a_registration("R2", adopted=True)).update(requested=False)
    accept([row], by=an_actor("ann"), confirmed=1)
    assert held() == {("R1", OTHER)}


def test_killed_between_two_registrations_both_are_done_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    row = in_two_registrations()

    def dying(**given: Any) -> list[str]:
        if given["registration"].reference == "R2":
            pytest.fail("killed")
        return withdraw_subjects(**given)

    monkeypatch.setattr(apply, "withdraw_subjects", dying)
    with pytest.raises(pytest.fail.Exception):
        accept([row], by=an_actor("ann"), confirmed=1)
    monkeypatch.undo()
    Proposal.objects.update(decided_at=timezone.now() - timedelta(minutes=2))
    assert carry_out_left_behind() == 1
    assert held() == {("R1", OTHER), ("R2", OTHER)}


def test_two_contracts_are_billed_each() -> None:
    contract = a_contract(name="Second", removal_share=100)
    row = in_two_registrations(contract=contract)
    assert Proposal.objects.get().cost == 2
    with pytest.raises(Refused, match="adds 2 new billable companies"):
        accept([row], by=an_actor("ann"), confirmed=1)
    assert accept([row], by=an_actor("ann"), confirmed=2).accepted


def test_what_is_too_much_in_one_registration_is_accepted_in_none() -> None:
    contract = a_contract(name="Second", removal_share=100, cap=0)
    row = in_two_registrations(contract=contract)
    assert accept([row], by=an_actor("ann"), confirmed=2).waiting
    assert SinglePersonAct.objects.count() == 0
    assert approve([Proposal.objects.get()], by=an_actor("bob"), confirmed=2).accepted
    assert held() == {("R1", OTHER), ("R2", OTHER)}


def test_it_waits_while_one_registration_requests_the_company() -> None:
    in_two_registrations()
    Subject.objects.filter(registration=a_registration("R1", adopted=True)).update(requested=False)
    assert withdraw_not_requested() == 0
    Subject.objects.update(requested=False)
    assert withdraw_not_requested() == 1


def test_the_pages_name_all_registrations_before_and_after(manager: Client) -> None:
    row = in_two_registrations()
    page, exported = f"{LIST}{row.pk}/change/", f"{LIST}?registration="
    for _ in range(2):
        assert "R1, R2" in text_of(manager.get(LIST))
        text = text_of(manager.get(page))
        assert "R1" in text and "R2" in text
        for reference, is_listed in (("R1", True), ("R2", True), ("R3", False)):
            listed = text_of(manager.get(f"{exported}{a_registration(reference, adopted=True).pk}"))
            assert ("Merged" in listed.partition("Since")[2] or DUNS in listed) == is_listed
        manager.post(f"{LIST}decide/accept/", {"key": str(row.pk), "confirmed": "1"})
    assert "Accepted in" in text_of(manager.get(page))


def test_a_merger_into_another_company_takes_the_place_of_the_one_before() -> None:
    row = a_proposal()
    later = a_sign(to=THIRD, source="2")
    propose([later])
    assert withdraw_other_mergers([later]) == 1
    row.refresh_from_db()
    assert row.state == ProposalState.DISMISSED
    assert Proposal.objects.get(state=ProposalState.OPEN).replacement == THIRD


# Decided


def test_accepted_the_one_goes_and_the_other_comes_with_what_was_said_about_it() -> None:
    row = a_proposal()
    Subject.objects.update(customer_reference="K-17", tags="steel", owner="Eve")
    told = accept([row], by=an_actor("ann"), confirmed=1)
    assert str(told) == "1 proposal accepted."
    assert requested() == {OTHER}
    new = Subject.objects.get(company=OTHER)
    assert (new.customer_reference, new.tags, new.owner) == ("K-17", "steel", "Eve")
    row.refresh_from_db()
    assert row.state == ProposalState.ACCEPTED and row.applied_at and row.decided_by == "ann"
    actions = list(AuditEntry.objects.order_by("id").values_list("action", flat=True))
    assert sorted(actions) == ["accept proposal", "request", "withdraw"]


@pytest.mark.parametrize("confirmed", [0, 2])
def test_a_wrong_number_is_refused(confirmed: int) -> None:
    row = a_proposal()
    with pytest.raises(Refused, match="adds 1 new billable company"):
        accept([row], by=an_actor("ann"), confirmed=confirmed)
    assert requested() == {DUNS} and Proposal.objects.get().state == ProposalState.OPEN


def test_one_company_that_replaces_two_is_paid_once() -> None:
    rows = [a_proposal(), a_proposal(duns=THIRD)]
    accept(rows, by=an_actor("ann"), confirmed=1)
    assert requested() == {OTHER}


def test_of_two_who_decide_at_once_one_wins() -> None:
    mine, yours = a_proposal(), Proposal.objects.get()
    assert dismiss([mine], by=an_actor("ann"), note="No.").dismissed
    told = accept([yours], by=an_actor("bob"), confirmed=1)
    assert told.too_late and requested() == {DUNS}
    assert "decided by another user" in str(told)


def test_a_reason_is_demanded() -> None:
    with pytest.raises(Refused):
        dismiss([a_proposal()], by=an_actor("ann"), note=" ")


def test_above_the_cap_a_second_person_approves() -> None:
    a_contract(cap=0)
    row = a_proposal()
    assert accept([row], by=an_actor("ann"), confirmed=1).waiting
    assert requested() == {DUNS}
    row = Proposal.objects.get()
    with pytest.raises(Refused, match="another user"):
        approve([row], by=an_actor("ann"), confirmed=1)
    assert approve([row], by=an_actor("bob"), confirmed=1).accepted
    assert requested() == {OTHER}
    row.refresh_from_db()
    assert (row.confirmed_by, row.decided_by) == ("ann", "bob")


def test_what_costs_nothing_needs_no_second_person() -> None:
    a_contract(cap=0)
    accept([a_proposal(kind=ProposalKind.DELETE, to="")], by=an_actor("ann"), confirmed=0)
    assert requested() == set()


def test_what_a_dead_process_accepted_is_carried_out(monkeypatch: pytest.MonkeyPatch) -> None:
    row = a_proposal()
    monkeypatch.setattr(apply, "request_subjects", lambda **_: pytest.fail("killed"))
    with pytest.raises(pytest.fail.Exception):
        accept([row], by=an_actor("ann"), confirmed=1)
    monkeypatch.undo()
    assert requested() == {DUNS} and carry_out_left_behind() == 0
    Proposal.objects.update(decided_at=timezone.now() - timedelta(minutes=2))
    assert carry_out_left_behind() == 1 and carry_out_left_behind() == 0
    assert requested() == {OTHER}


# History goes on


def test_an_accepted_merger_links_both_companies(client: Client) -> None:
    a_company(DUNS, "Old Ltd")
    a_company(OTHER, "New Ltd")
    row = a_proposal()
    assert continued(OTHER).before == {}
    accept([row], by=an_actor("ann"), confirmed=1)
    assert list(continued(OTHER).before) == [DUNS] and continued(OTHER).after == {}
    assert list(continued(DUNS).after) == [OTHER] and continued(DUNS).before == {}
    client.force_login(User.objects.create_superuser("ann"))
    assert "Old Ltd was merged into this company on 7 Jan 2026" in text_of(
        client.get(f"/portfolio/company/{OTHER}/change/")
    )
    page = client.get(f"/portfolio/company/{DUNS}/change/")
    assert "Merged into New Ltd" in text_of(page) and f"/portfolio/company/{OTHER}/" in page.content.decode()


# Pages


def test_the_list_opens_with_few_queries(manager: Client, django_assert_max_num_queries: Any) -> None:
    a_company(DUNS, "Old Ltd")
    a_proposal()
    with django_assert_max_num_queries(12):
        text = text_of(manager.get(LIST))
    assert "Old Ltd" in text and f"Replace with {OTHER}" in text.replace("  ", " ") and "1 company" in text


def test_costs_are_up_to_while_a_list_is_not_adopted(manager: Client) -> None:
    a_registration("OTHER_01", adopted=False)
    row = a_proposal()
    assert "up to 1 company" in text_of(manager.get(LIST))
    asked = text_of(manager.post(LIST, {"action": "accept_selected", "_selected_action": [str(row.pk)]}))
    assert "To confirm, enter 1, the maximum number of new billable companies" in asked


def test_many_are_accepted_on_one_page_that_asks_for_the_number(manager: Client) -> None:
    rows = [a_proposal(), a_proposal(duns=THIRD, kind=ProposalKind.DELETE, to="")]
    keys = [str(row.pk) for row in rows]
    asked = text_of(manager.post(LIST, {"action": "accept_selected", "_selected_action": keys}))
    assert "Accept 2 proposals" in asked and "1 new billable company" in asked
    wrong = manager.post(f"{LIST}decide/accept/", {"key": keys, "confirmed": "7"})
    assert "you entered 7" in text_of(wrong) and requested() == {DUNS, THIRD}
    told = manager.post(f"{LIST}decide/accept/", {"key": keys, "confirmed": "1"}, follow=True)
    assert "2 proposals accepted." in text_of(told) and requested() == {OTHER}


def test_two_tabs_are_harmless(manager: Client) -> None:
    row = a_proposal()
    given = {"key": str(row.pk), "confirmed": "1"}
    manager.post(f"{LIST}decide/accept/", given)
    again = manager.post(f"{LIST}decide/accept/", {**given, "confirmed": "0"}, follow=True)
    assert "decided by another user" in text_of(again)
    assert AuditEntry.objects.filter(action="accept proposal").count() == 1


def test_one_is_dismissed_with_a_reason(manager: Client) -> None:
    row = a_proposal()
    page = f"{LIST}{row.pk}/change/"
    assert "Dismiss" in text_of(manager.get(page))
    told = manager.post(f"{LIST}decide/dismiss/", {"key": str(row.pk), "note": "They stay."}, follow=True)
    assert "They stay." in text_of(told) and "decide/dismiss/" not in manager.get(page).content.decode()


def test_the_approver_approves_what_the_manager_accepted(manager: Client) -> None:
    a_contract(cap=0)
    row = a_proposal()
    manager.post(f"{LIST}decide/accept/", {"key": str(row.pk), "confirmed": "1"})
    assert manager.get(f"{LIST}decide/approve/?key={row.pk}").status_code == 403
    manager.force_login(a_person(role="Approver", username="eve"))
    assert "Approve 1 proposal" in text_of(manager.get(f"{LIST}decide/approve/?key={row.pk}"))
    manager.post(f"{LIST}decide/approve/", {"key": str(row.pk), "confirmed": "1"})
    assert requested() == {OTHER}


@pytest.mark.parametrize("path", ["decide/explode/", "decide/accept/", "decide/accept/?key=x"])
def test_what_is_not_there_is_not_found(manager: Client, path: str) -> None:
    assert manager.get(LIST + path).status_code == 404


def test_others_decide_nothing(client: Client) -> None:
    row = a_proposal()
    client.force_login(a_person(role="Viewer"))
    assert client.post(f"{LIST}decide/accept/", {"key": str(row.pk), "confirmed": "1"}).status_code == 403
    assert "Accept…" not in text_of(client.get(f"{LIST}{row.pk}/change/"))
    assert Contract.objects.count() == 1 and requested() == {DUNS}
