"""The portfolio as of a day."""

import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from monitoring.figures import checkpoints
from monitoring.figures.consumer import update_figures
from monitoring.figures.projection import project
from monitoring.figures.snapshot import Industry, Snapshot, figures_at
from monitoring.figures.words import numbers_of
from portfolio.models import Registration, Subject, SubjectState
from portfolio.sync.apply_response import monitored, removed
from tests.builders.companies import DUNS, OTHER, a_company
from tests.builders.deliveries import delivered
from tests.builders.elements import an_element
from tests.builders.figures import an_assessment
from tests.builders.notifications import a_seed, an_update
from tests.builders.registrations import one, two
from tests.builders.times import soon, stamp
from tests.support import ROOT

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


@pytest.mark.one_engine
def test_numpy_is_loaded_where_arrays_are_read_and_by_nothing_that_idles() -> None:
    """It takes memory in every process."""
    program = (
        "import django, sys; django.setup(); import dnbmon_site.urls, monitoring.jobs; print('numpy' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split()[-1] == "False"


# Texts


def words_read(day: date | None) -> tuple[set[str], int]:
    """The ratings that the snapshot knows, and how often it looked at the rows of texts."""
    with CaptureQueriesContext(connection) as queries:
        words = figures_at(day).words
    looks = sum("figureword" in query["sql"] for query in queries)
    return {text.text for (kind, _), text in words.items() if kind == "rating"}, looks


def test_texts_stand_beside_the_checkpoint_and_later_ones_are_looked_up() -> None:
    rated(DUNS, "5A1")
    figures_at(None)
    assert words_read(None) == ({"5A1"}, 0)
    rated(OTHER, "4A2")
    assert words_read(None) == ({"5A1", "4A2"}, 1)


def test_a_description_that_comes_after_its_code_is_written_beside_the_checkpoint() -> None:
    number = numbers_of({("industry", "399\t2011"): ""})["industry", "399\t2011"]
    rated(DUNS, "5A1")
    figures_at(None)
    assert figures_at(None).industry(number) == Industry("2011", "399", "")
    numbers_of({("industry", "399\t2011"): "Meat packing"})
    with CaptureQueriesContext(connection) as queries:
        assert figures_at(None).industry(number) == Industry("2011", "399", "Meat packing")
    assert not any("figureword" in query["sql"] for query in queries)


def test_what_is_as_it_was_is_made_once() -> None:
    rated(DUNS, "5A1")
    a_member(DUNS, one())
    figures_at(None)
    before = figures_at(None)
    assert figures_at(None) is before
    a_company(OTHER)
    a_member(OTHER, one())
    after = figures_at(None)
    assert after is not before and len(after.rows) == 2
    checkpoints.remove_all()
    assert figures_at(None) is not after, "a company was erased"


def rated(duns: str, rating: str) -> None:
    delivered(a_seed(duns, dnbAssessment={"standardRating": {"rating": rating}}))
    project([duns])
