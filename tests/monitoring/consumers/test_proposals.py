"""What D&B publishes becomes proposals: once, whatever the order, and withdrawn when D&B takes it back."""

import pytest

from monitoring.consumers.proposals import read_publications
from monitoring.jobs import make_proposals, propose_for_adopted
from monitoring.models import ConsumerOffset
from portfolio.models import Proposal, ProposalKind, ProposalState
from portfolio.proposals.decide import dismiss
from portfolio.registrations.adopt import adopt_as_requested
from tests.builders.companies import DUNS, OTHER
from tests.builders.deliveries import delivered
from tests.builders.notifications import a_notice, a_transfer, an_update
from tests.builders.people import an_actor
from tests.builders.registrations import a_registration
from tests.builders.subjects import a_subject
from tests.builders.times import MOMENT, soon, stamp

pytestmark = pytest.mark.django_db


def states() -> list[tuple[str, str, str]]:
    rows = Proposal.objects.order_by("kind", "created_at")
    return [(row.kind, row.replacement, row.state) for row in rows]


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        (a_transfer(DUNS, to=OTHER), ("transfer", OTHER, "open")),
        (a_notice("DELETE"), ("delete", "", "open")),
        (a_notice("EXIT"), ("exit", "", "open")),
    ],
)
def test_news_become_a_proposal_once(item: object, expected: tuple[str, str, str]) -> None:
    a_subject()
    delivered(item)
    assert read_publications(soon()) == 1
    assert states() == [expected]
    ConsumerOffset.objects.update(position=0)
    read_publications(soon())
    assert states() == [expected]


def test_the_moment_is_d_and_bs() -> None:
    a_subject()
    delivered(a_notice("DELETE", delivered=stamp()))
    read_publications(soon())
    assert Proposal.objects.get().happened_at == MOMENT


def test_other_news_and_unwanted_companies_propose_nothing() -> None:
    a_subject(requested=False)
    delivered(an_update(), a_notice("DELETE"), a_notice("UNDER_REVIEW"))
    delivered(a_notice("DELETE"), registration=a_registration("OTHER_01"))
    assert read_publications(soon()) == 2
    assert states() == []


@pytest.mark.parametrize(("gone", "back"), [("DELETE", "UNDELETE"), ("EXIT", "ENTER")])
def test_what_d_and_b_takes_back_is_withdrawn(gone: str, back: str) -> None:
    a_subject()
    delivered(a_notice(gone, delivered=stamp()))
    read_publications(soon())
    delivered(a_notice(back, delivered=stamp(hours=1)))
    read_publications(soon())
    row = Proposal.objects.get()
    assert row.state == ProposalState.DISMISSED and row.note and row.decided_by == "program"


def test_the_last_that_happened_counts_not_the_last_that_came() -> None:
    a_subject()
    delivered(a_notice("UNDELETE", delivered=stamp(hours=1)))
    delivered(a_notice("DELETE", delivered=stamp()))
    read_publications(soon())
    assert states() == []
    delivered(a_notice("DELETE", delivered=stamp(hours=2)))
    read_publications(soon())
    delivered(a_notice("UNDELETE", delivered=stamp(hours=1, minutes=1)))
    read_publications(soon())
    assert states() == [("delete", "", "open")]


def test_a_person_who_dismissed_it_is_not_asked_again_by_a_replay() -> None:
    a_subject()
    delivered(a_transfer(DUNS, to=OTHER))
    read_publications(soon())
    dismiss(list(Proposal.objects.all()), by=an_actor("ann"), note="No.")
    ConsumerOffset.objects.update(position=0)
    read_publications(soon())
    assert states() == [("transfer", OTHER, "dismissed")]


@pytest.mark.parametrize("order", [("R1", "R2"), ("R2", "R1")])
@pytest.mark.parametrize("is_read_between", [True, False])
def test_a_deletion_that_two_registrations_report_is_one_proposal(
    order: tuple[str, str], is_read_between: bool
) -> None:
    hours = {"R1": 0, "R2": 1}
    for reference in order:
        a_subject(registration=a_registration(reference))
    for reference in order:
        delivered(a_notice("DELETE", delivered=stamp(hours=hours[reference])), registration=a_registration(reference))
        if is_read_between:
            read_publications(soon())
    read_publications(soon())
    assert states() == [("delete", "", "open")]


@pytest.mark.parametrize("order", [("R1", "R2"), ("R2", "R1")])
def test_what_a_person_dismissed_is_not_proposed_for_an_earlier_report_of_it(order: tuple[str, str]) -> None:
    hours = {"R1": 0, "R2": 1}
    for reference in order:
        a_subject(registration=a_registration(reference))
    for reference in order:
        delivered(a_notice("DELETE", delivered=stamp(hours=hours[reference])), registration=a_registration(reference))
        read_publications(soon())
        dismiss(list(Proposal.objects.filter(state="open")), by=an_actor("ann"), note="No.")
    assert states() == [("delete", "", "dismissed")]


@pytest.mark.parametrize("order", [("R1", "R2"), ("R2", "R1")])
def test_leaving_two_registrations_is_two_proposals(order: tuple[str, str]) -> None:
    for reference in order:
        a_subject(registration=a_registration(reference))
    for reference in order:
        delivered(a_notice("EXIT", delivered=stamp()), registration=a_registration(reference))
    read_publications(soon())
    assert states() == [("exit", "", "open")] * 2


def test_a_deletion_reported_by_a_registration_without_the_company_is_proposed_where_it_is_held() -> None:
    a_subject(registration=a_registration("R1"))
    delivered(a_notice("DELETE", delivered=stamp()), registration=a_registration("R2"))
    read_publications(soon())
    assert states() == [("delete", "", "open")]


@pytest.mark.parametrize(("hours", "state"), [(1, "dismissed"), (3, "open")])
def test_a_deletion_that_comes_after_the_restoration_counts_by_its_stamp(hours: int, state: str) -> None:
    a_subject(registration=a_registration("R1"))
    delivered(a_notice("DELETE", delivered=stamp()), registration=a_registration("R1"))
    read_publications(soon())
    delivered(a_notice("UNDELETE", delivered=stamp(hours=2)), registration=a_registration("R1"))
    read_publications(soon())
    delivered(a_notice("DELETE", delivered=stamp(hours=hours)), registration=a_registration("R2"))
    read_publications(soon())
    assert states()[-1] == ("delete", "", state)


def test_a_later_report_proposes_what_nobody_held_when_it_was_first_reported() -> None:
    delivered(a_notice("DELETE", delivered=stamp()), registration=a_registration("R1"))
    read_publications(soon())
    assert states() == []
    a_subject(registration=a_registration("R2"))
    delivered(a_notice("DELETE", delivered=stamp(hours=1)), registration=a_registration("R2"))
    read_publications(soon())
    assert states() == [("delete", "", "open")]


def test_merged_into_another_company_than_before_the_last_counts() -> None:
    a_subject()
    delivered(a_transfer(DUNS, to=OTHER, delivered=stamp()))
    read_publications(soon())
    delivered(a_transfer(DUNS, to="012345678", delivered=stamp(hours=1)))
    read_publications(soon())
    assert states() == [("transfer", OTHER, "dismissed"), ("transfer", "012345678", "open")]


def test_the_job_does_it_all() -> None:
    a_subject()
    a_subject(OTHER, state="refused", code="40003", replacement="012345678")
    delivered(a_transfer(DUNS, to=OTHER))
    assert make_proposals() == 1
    assert {kind for kind, _, _ in states()} == {ProposalKind.TRANSFER, ProposalKind.REPLACEMENT}


def test_what_was_merged_before_the_list_was_adopted_is_proposed_then() -> None:
    row = a_subject(requested=False)
    delivered(a_transfer(DUNS, to=OTHER))
    read_publications(soon())
    assert states() == []
    adopt_as_requested(row.registration, by="ann")
    propose_for_adopted(str(row.registration_id))
    assert states() == [("transfer", OTHER, "open")]
