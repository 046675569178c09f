"""Who was in which registration on a day."""

from datetime import date, timedelta
from typing import Any

import pytest

from portfolio.models import Membership, Registration, Subject, SubjectState
from portfolio.registrations.memberships import numbers_at
from portfolio.sync.apply_response import monitored, removed
from tests.builders.companies import DUNS, OTHER, a_company
from tests.builders.registrations import one, two

pytestmark = pytest.mark.django_db
FIRST = date(2026, 1, 28)


def a_subject(duns: str, registration: Registration, **fields: Any) -> Subject:
    a_company(duns)
    key = Subject.key(registration.pk, duns)
    return Subject.objects.create(id=key, registration=registration, company_id=duns, **fields)


def members(day: date | None) -> dict[str, list[int]]:
    names = {row.pk: row.reference for row in Registration.objects.all()}
    return {names[key]: numbers.tolist() for key, numbers in numbers_at(day).items()}


def test_each_registration_has_its_own_numbers_in_their_order() -> None:
    for duns in (DUNS, OTHER):
        a_subject(duns, one(), monitored_since=FIRST)
    a_subject(OTHER, two(), monitored_since=FIRST, monitored_until=FIRST + timedelta(days=2))
    a_subject(DUNS, two(), state=SubjectState.REFUSED)
    both = sorted([int(DUNS), int(OTHER)])
    assert members(FIRST) == members(FIRST + timedelta(days=2)) == {"ONE": both, "TWO": [int(OTHER)]}
    assert members(FIRST + timedelta(days=3)) == members(None) == {"ONE": both}
    assert members(FIRST - timedelta(days=1)) == {}


def test_each_period_that_was_followed_by_another_is_kept_once() -> None:
    row = a_subject(DUNS, one(), monitored_since=FIRST, state=SubjectState.MONITORED)
    for days in (2, 10, 20):
        removed([row.pk], [SubjectState.MONITORED], until=FIRST + timedelta(days=days))
        for _ in range(2):
            monitored([row.pk], [SubjectState.REMOVED], since=FIRST + timedelta(days=days + 5))
    kept = Membership.objects.order_by("since").values_list("since", "until")
    assert [((since - FIRST).days, (until - FIRST).days) for since, until in kept] == [(0, 2), (7, 10), (15, 20)]
    inside = [day for day in range(30) if members(FIRST + timedelta(days=day))]
    assert inside == [0, 1, 2, 7, 8, 9, 10, *range(15, 21), *range(25, 30)]


def test_a_period_that_goes_on_is_not_kept_apart() -> None:
    row = a_subject(DUNS, one(), monitored_since=FIRST, state=SubjectState.PENDING_REMOVE)
    monitored([row.pk], [SubjectState.PENDING_REMOVE], since=FIRST + timedelta(days=5))
    assert not Membership.objects.exists()
    row.refresh_from_db()
    assert row.monitored_since == FIRST


def test_of_two_periods_that_begin_on_one_day_the_longer_is_kept() -> None:
    """Added, removed and added again on one day."""
    row = a_subject(DUNS, one(), monitored_since=FIRST, state=SubjectState.MONITORED)
    for days in (0, 10):
        removed([row.pk], [SubjectState.MONITORED], until=FIRST + timedelta(days=days))
        monitored([row.pk], [SubjectState.REMOVED], since=FIRST + timedelta(days=2 * days))
    inside = [day for day in range(22) if members(FIRST + timedelta(days=day))]
    assert inside == [*range(11), 20, 21]
