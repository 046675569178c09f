"""The portfolio as of a day."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from monitoring.figures.consumer import update_figures
from monitoring.figures.snapshot import Industry, Snapshot, figures_at
from portfolio.models import Registration, Subject, SubjectState
from portfolio.sync.apply_response import monitored, removed
from tests.builders.companies import DUNS, OTHER
from tests.builders.deliveries import delivered
from tests.builders.elements import an_element
from tests.builders.figures import an_assessment
from tests.builders.notifications import a_seed, an_update
from tests.builders.registrations import one, two
from tests.builders.times import soon, stamp

pytestmark = pytest.mark.django_db
START = datetime(2026, 1, 28, 22, tzinfo=UTC)
FIRST = START.date()
INDUSTRY = [{"code": "2011", "description": "Meat packing", "typeDnBCode": 399}]


def a_member(duns: str, registration: Registration, since: date = FIRST) -> None:
    Subject.objects.create(
        id=Subject.key(registration.pk, duns),
        registration=registration,
        company_id=duns,
        state=SubjectState.MONITORED,
        monitored_since=since,
    )


def percentiles(snapshot: Snapshot) -> dict[int, int]:
    return {int(row["duns"]): int(row["failure_percentile"]) for row in snapshot.rows}


def test_only_companies_in_the_portfolio_with_what_is_known_of_them() -> None:
    at = stamp(START)
    for duns, more in ((DUNS, {"dnbAssessment": an_assessment(40)}), (OTHER, {}), ("000000001", {})):
        delivered(a_seed(duns, delivered=at, **more), registration=one())
    a_member(DUNS, one())
    a_member(DUNS, two(), FIRST + timedelta(days=5))
    a_member(OTHER, two(), FIRST + timedelta(days=5))
    update_figures(soon())
    assert percentiles(figures_at(FIRST)) == {int(DUNS): 40}
    now = figures_at(None)
    assert percentiles(now) == {int(OTHER): 255, int(DUNS): 40}
    assert now.members(one().pk).tolist() == [False, True]
    assert now.members(two().pk).tolist() == [True, True]
    assert percentiles(figures_at(FIRST - timedelta(days=1))) == {}


def test_a_company_that_left_and_came_back_was_away_in_between() -> None:
    delivered(a_seed(delivered=stamp(START)), registration=one())
    a_member(DUNS, one())
    key = [Subject.key(one().pk, DUNS)]
    removed(key, [SubjectState.MONITORED], until=FIRST + timedelta(days=3))
    assert len(figures_at(None).rows) == 0
    monitored(key, [SubjectState.REMOVED], since=FIRST + timedelta(days=9))
    days = [day for day in range(-1, 12) if len(figures_at(FIRST + timedelta(days=day)).rows)]
    assert days == [0, 1, 2, 3, 9, 10, 11]
    assert len(figures_at(None).rows) == 1


def test_words_behind_numbers() -> None:
    more: Any = {"industryCodes": INDUSTRY, "businessEntityType": {"description": "GmbH"}}
    delivered(a_seed(delivered=stamp(START), **more), registration=one())
    a_member(DUNS, one())
    update_figures(soon())
    found = figures_at(None)
    row = found.rows[0]
    assert found.word("country", row["country"]) == "GB"
    assert found.word("legal_form", row["legal_form"]) == "GmbH"
    assert found.word("industry", row["industry"]) == "2011"
    assert found.industry(row["industry"]) == Industry("2011", "399", "Meat packing")
    assert (found.word("rating", row["rating"]), found.industry(0)) == ("", Industry("", "", ""))


def test_the_present_has_the_last_that_is_known() -> None:
    delivered(a_seed(delivered=stamp(START), dnbAssessment=an_assessment(40)), registration=one())
    at = stamp(START, days=20)
    path = "organization.dnbAssessment.failureScore.nationalPercentile"
    delivered(an_update(an_element(path, 40, 30, at), duns=DUNS, delivered=at), registration=one())
    a_member(DUNS, one())
    update_figures(soon())
    assert percentiles(figures_at(None)) == {int(DUNS): 30}
    assert percentiles(figures_at(FIRST + timedelta(days=19))) == {int(DUNS): 40}


def test_it_takes_a_few_queries(django_assert_max_num_queries: Any) -> None:
    delivered(a_seed(delivered=stamp(START), dnbAssessment=an_assessment(40)), registration=one())
    a_member(DUNS, one())
    update_figures(soon())
    for day in (None, FIRST + timedelta(days=1)):
        figures_at(day)
        with django_assert_max_num_queries(8):
            figures_at(day)
