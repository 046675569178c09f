"""Notifications as evidence: read once in the order of publication, cheap, and the same a second time."""

from typing import Any

import pytest

from monitoring.consumers.membership import gather_all
from monitoring.models import ConsumerOffset
from portfolio.models import Registration, Subject, SubjectState
from tests.builders.companies import DUNS, OTHER
from tests.builders.deliveries import delivered
from tests.builders.notifications import a_notice, a_seed, an_update
from tests.builders.registrations import a_registration
from tests.builders.times import stamp

pytestmark = pytest.mark.django_db


def rows() -> dict[str, tuple[str, bool]]:
    return {row.company_id: (row.state, row.requested) for row in Subject.objects.all()}


def test_what_is_heard_of_is_monitored_and_not_wanted_by_it() -> None:
    delivered(a_seed(), an_update(duns=OTHER))
    assert gather_all() == 1
    assert rows() == {DUNS: (SubjectState.MONITORED, False), OTHER: (SubjectState.MONITORED, False)}


def test_the_first_day_is_that_of_the_earliest_notification() -> None:
    delivered(an_update(delivered=stamp(days=5)), a_seed(delivered=stamp(days=2)))
    gather_all()
    assert str(Subject.objects.get().monitored_since) == "2026-01-09"


@pytest.mark.parametrize("kind", ["EXIT", "REMOVED"])
def test_leaving_ends_the_stay(kind: str) -> None:
    delivered(a_seed(delivered=stamp(days=1)))
    delivered(a_notice(kind, delivered=stamp(days=3)))
    gather_all()
    row = Subject.objects.get()
    assert (row.state, str(row.monitored_until)) == (SubjectState.REMOVED, "2026-01-10")


@pytest.mark.parametrize("kind", ["DELETE", "TRANSFER", "UNDER_REVIEW", "ENTER", "SOMETHING_NEW"])
def test_any_other_notification_proves_it_too(kind: str) -> None:
    delivered(a_notice(kind))
    gather_all()
    assert Subject.objects.get().state == SubjectState.MONITORED


def test_each_registration_has_its_own_evidence() -> None:
    other = a_registration("ACME_LOD_02")
    delivered(a_seed())
    delivered(a_seed(), registration=other)
    gather_all()
    assert Subject.objects.filter(registration=other).count() == 1
    assert Subject.objects.count() == 2


def test_reading_again_changes_nothing() -> None:
    delivered(a_seed())
    gather_all()
    before = list(Subject.objects.values())
    assert gather_all() == 0
    ConsumerOffset.objects.update(position=0)
    assert gather_all() == 1
    assert list(Subject.objects.values()) == before


def test_the_known_costs_few_queries(django_assert_max_num_queries: Any) -> None:
    numbers = [f"{100_000_000 + n}" for n in range(100)]
    delivered(*[an_update(duns=duns) for duns in numbers])
    gather_all()
    delivered(*[a_notice("UNDER_REVIEW", duns=duns) for duns in numbers])
    with django_assert_max_num_queries(8):
        assert gather_all() == 1


def test_a_wish_is_left_alone(db: None) -> None:
    registration: Registration = a_registration()
    delivered(a_seed())
    gather_all()
    Subject.objects.update(requested=True, requested_by="ann")
    delivered(a_notice("EXIT", delivered=stamp(days=9)), registration=registration)
    gather_all()
    row = Subject.objects.get()
    assert (row.requested, row.requested_by, row.state) == (True, "ann", SubjectState.REMOVED)
