"""Scores that moved: how much worse, how many falls in a row, and what of it a page over many days has to look at."""

from datetime import date
from typing import Any

import pytest

from monitoring.models import ConsumerOffset, Score, ScoreChange
from monitoring.rebuild.rebuild import rebuild
from monitoring.scores.score_changes import TOLD, moves_of
from monitoring.stats.daily_counts import roll_up
from tests.builders.companies import DUNS
from tests.builders.deliveries import delivered
from tests.builders.elements import an_element
from tests.builders.notifications import a_seed, an_update
from tests.builders.registrations import a_registration
from tests.builders.times import stamp

pytestmark = pytest.mark.django_db
ASSESSMENT = "organization.dnbAssessment"
FAILURE = f"{ASSESSMENT}.failureScore"
PERCENTILE = f"{FAILURE}.nationalPercentile"


@pytest.mark.parametrize(
    ("element", "previous", "current", "expected"),
    [
        (PERCENTILE, 54, 40, [("failure", "percentile", "54", "40", 14)]),
        (PERCENTILE, 40, 54, [("failure", "percentile", "40", "54", -14)]),
        (f"{FAILURE}.classScore", 2, 3, [("failure", "class", "2", "3", 20)]),
        (f"{ASSESSMENT}.delinquencyScore.classScore", 5, 3, [("delinquency", "class", "5", "3", -40)]),
        (f"{ASSESSMENT}.standardRating.rating", "5A1", "5A3", [("rating", "rating", "5A1", "5A3", 40)]),
        (f"{ASSESSMENT}.standardRating.rating", "5A1", "3A1", [("rating", "rating", "5A1", "3A1", 10)]),
        (f"{ASSESSMENT}.standardRating.rating", "--", "new", []),
        (f"{FAILURE}.scoreDate", "2026-01-01", "2026-02-01", []),
        (PERCENTILE, None, 40, []),
        (PERCENTILE, 40, 40.0, []),
        (
            FAILURE,
            {"nationalPercentile": 70, "classScore": 1},
            {"nationalPercentile": 30, "classScore": 3},
            [("failure", "percentile", "70", "30", 40), ("failure", "class", "1", "3", 40)],
        ),
    ],
)
def test_what_a_change_says_about_scores(element: str, previous: Any, current: Any, expected: list[Any]) -> None:
    found = [(m.score, m.measure, m.before, m.after, m.points) for m in moves_of(element, previous, current)]
    assert found == expected


def percentiles(*values: int, first_day: int = 0, duns: str = DUNS) -> list[dict[str, Any]]:
    """A notification a day, each with the next value."""
    return [
        an_update(an_element(PERCENTILE, before, after, stamp(days=first_day + day)), duns=duns)
        for day, (before, after) in enumerate(zip(values, values[1:], strict=False))
    ]


def last_move(duns: str = DUNS) -> ScoreChange:
    return ScoreChange.objects.filter(company=duns).order_by("-at", "-id")[0]


def test_falls_in_a_row_are_numbered() -> None:
    delivered(*percentiles(80, 70, 55, 45))
    roll_up()
    move = last_move()
    assert (move.score, move.consecutive_declines, move.points_lost, move.is_running) == (Score.FAILURE, 3, 35, True)
    assert move.values == "80 → 70 → 55 → 45"


def test_a_rise_ends_the_run() -> None:
    delivered(*percentiles(80, 70, 55, 45, 50))
    roll_up()
    assert not ScoreChange.objects.filter(is_running=True).exists()
    assert last_move().consecutive_declines == 0


def test_what_comes_late_takes_its_place_in_the_run() -> None:
    first, middle, last = percentiles(80, 70, 55, 45)
    delivered(first)
    roll_up()
    delivered(last)
    roll_up()
    assert last_move().consecutive_declines == 2
    delivered(middle)
    roll_up()
    assert (last_move().consecutive_declines, last_move().values) == (3, "80 → 70 → 55 → 45")


def test_the_same_fall_from_a_document_and_an_element_is_one() -> None:
    """A registration that sends whole documents tells again what another one told as an element."""
    full = a_registration("FULL", full_product=True)
    delivered(
        *(
            a_seed(dnbAssessment={"failureScore": {"nationalPercentile": value}}, delivered=stamp(days=day))
            for day, value in ((-9, 80), (9, 70))
        ),
        registration=full,
    )
    delivered(*percentiles(80, 70))
    roll_up()
    assert ScoreChange.objects.get().consecutive_declines == 1


def test_only_the_deepest_of_a_day_are_told() -> None:
    many = [f"{100_000_000 + number}" for number in range(TOLD + 3)]
    delivered(*(percentiles(90, 80 - number, duns=duns)[0] for number, duns in enumerate(many)))
    roll_up()
    told = ScoreChange.objects.filter(is_highlighted=True)
    assert told.count() == TOLD and min(move.points for move in told) == 13


def test_counting_again_and_rebuilding_changes_nothing() -> None:
    delivered(*percentiles(80, 70, 55, 60, 50))
    roll_up()
    before = list(ScoreChange.objects.order_by("pk").values())
    ConsumerOffset.objects.update(position=0)
    roll_up()
    assert list(ScoreChange.objects.order_by("pk").values()) == before
    ScoreChange.objects.filter(day=date(2026, 1, 8)).delete()
    ScoreChange.objects.update(consecutive_declines=9, is_highlighted=False)
    ScoreChange.objects.create(**{**before[0], "id": DUNS.rjust(32, "0")})
    rebuild()
    assert ScoreChange.objects.count() == len(before)
