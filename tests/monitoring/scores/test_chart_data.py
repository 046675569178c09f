"""Scores over time: from a company's own changes to a line, and the same in words."""

import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from monitoring.company_page.risk import _forecasts
from monitoring.history.score_series import ScoreSeries
from monitoring.history.state import Event, states_after
from monitoring.models import Element
from monitoring.scores.chart_data import Score, Scores, scores_of
from monitoring.scores.compact import compact
from monitoring.scores.sparkline import BOTTOM, LEFT, RIGHT, TOP, Line
from tests.builders.times import MOMENT

FAILURE = "organization.dnbAssessment.failureScore"
END = MOMENT + timedelta(days=100)


def scores_after(events: Iterable[Event], elements: dict[str, Element], end: datetime = END) -> Scores:
    found = ScoreSeries()
    for event, state in states_after(events):
        found.note(event, state)
    return scores_of(found, elements, end)


def an_event(days: float, path: str = "", previous: Any = None, current: Any = None, seed: Any = None) -> Event:
    moment = MOMENT + timedelta(days=days)
    kind = "baseline" if seed else "element"
    return Event(uuid.uuid4(), moment, (moment, 0, "", days), kind, uuid.uuid4(), seed, None, path, previous, current)


def percentile(days: float, previous: Any, current: Any) -> Event:
    return an_event(days, f"{FAILURE}.nationalPercentile", previous, current)


def only(*events: Event, elements: dict[str, Element] | None = None) -> Score:
    (score,) = scores_after(events, elements or {}, END).numbers
    return score


def line_of(*events: Event) -> Line:
    line = only(*events).line
    assert line is not None
    return line


def test_a_score_has_the_value_before_its_first_change() -> None:
    score = only(percentile(10, 80, 60), percentile(20, 60, 70))
    assert [(point.moment - MOMENT).days for point in score.points] == [10, 10, 20]
    assert score.values == [80, 60, 70]


def test_the_class_of_a_score_decides_on_its_risk_and_shares_have_a_unit() -> None:
    def signals(place: int) -> list[str]:
        score = {"nationalPercentile": 32, "classScore": place, "incidenceOfDefault": 2.5}
        scores = scores_after([an_event(0, seed={"dnbAssessment": {"failureScore": score}})], {})
        assert "2.5 %" in [one.last for one in scores.numbers]
        return [signal.words for signal in _forecasts(scores)]

    assert signals(3) == []
    assert len(signals(4)) == 1


def test_a_baseline_and_a_container_tell_it_too() -> None:
    seed = an_event(0, seed={"dnbAssessment": {"failureScore": {"nationalPercentile": 80}}})
    changed = an_event(5, FAILURE, {"nationalPercentile": 80}, {"nationalPercentile": 75})
    assert only(changed, seed).values == [80, 75]


def test_what_stays_the_same_is_no_point() -> None:
    assert len(only(percentile(1, 50, 60), percentile(2, 60, 60)).points) == 2


@pytest.mark.parametrize(
    ("path", "first", "last", "sense", "trend"),
    [
        ("nationalPercentile", 80, 60, "Higher is better.", "worse"),
        ("nationalPercentile", 60, 80, "Higher is better.", "better"),
        ("classScore", 2, 4, "Higher is worse.", "worse"),
        ("classScore", 4, 2, "Higher is worse.", "better"),
        ("rawScore", 400, 500, "Higher is better.", "better"),
        ("modelNumber", 400, 500, "", ""),
    ],
)
def test_percentiles_are_better_high_and_classes_low(path: str, first: int, last: int, sense: str, trend: str) -> None:
    score = only(an_event(3, f"{FAILURE}.{path}", first, last))
    assert (score.sense, score.trend) == (sense, trend)


def test_the_words_name_lowest_highest_and_last() -> None:
    score = only(percentile(0, 80, 60), percentile(20, 60, 85), percentile(30, 85, 70))
    assert score.last == "70"
    assert score.words == (
        "Lowest 60 (7 Jan 2026), highest 85 (27 Jan 2026). Higher is better. Worse than 80 before 7 Jan 2026."
    )


def test_several_values_of_one_day_have_their_times() -> None:
    score = only(percentile(0, 62, 13))
    assert "Lowest 13 (7 Jan 2026), highest 62 (before 7 Jan 2026)." in score.words
    assert "Worse than 62 before 7 Jan 2026." in score.words
    times = only(percentile(0, 62, 13), percentile(0.25, 13, 40))
    first, second = (f"{MOMENT + timedelta(days=part):%H:%M}" for part in (0, 0.25))
    assert f"Lowest 13 (7 Jan 2026, {first})" in times.words
    assert times.since == f"7 Jan 2026, {second}"


def test_an_axis_of_one_day_has_times() -> None:
    found = scores_after([percentile(0, 62, 13)], {}, MOMENT + timedelta(hours=2))
    (score,) = found.numbers
    assert score.begins != score.ends
    assert "2026" not in score.begins


def test_amounts_carry_their_currency() -> None:
    path = "organization.dnbAssessment.creditLimitRecommendation.maximumRecommendedLimit"
    score = only(an_event(1, path, {"value": 900000, "currency": "GBP"}, {"value": 250000, "currency": "GBP"}))
    assert (score.label, score.last, score.path) == ("Recommended credit limit", "250,000 GBP", path)


def test_peoples_own_words_are_used() -> None:
    path = f"{FAILURE}.nationalPercentile"
    mine = Element(path=path, label="Insolvency risk", severity=3)
    assert only(percentile(1, 50, 40), elements={path: mine}).label == "Insolvency risk"
    assert only(percentile(1, 50, 40)).label == "Failure score: national percentile"


def test_a_rating_in_letters_tells_what_it_was() -> None:
    path = "organization.dnbAssessment.standardRating.rating"
    found = scores_after([an_event(0, path, None, "4A1"), an_event(9, path, "4A1", "3A2")], {}, END)
    (rating,) = found.ratings
    assert (rating.label, rating.last, found.numbers) == ("Standard rating", "3A2", [])
    assert rating.words == "Since 16 Jan 2026. Previously: 4A1 from 7 Jan 2026. Worse than 4A1."


def test_the_line_holds_each_value_until_the_next_and_stays_in_its_box() -> None:
    events = [
        an_event(0, seed={"dnbAssessment": {"failureScore": {"nationalPercentile": 100}}}),
        percentile(50, 100, 1),
    ]
    line = line_of(*events)
    assert line.path == f"M{LEFT} {TOP}H134.0V{BOTTOM}H{RIGHT}"
    assert list(line.dots) == [(f"{RIGHT}", f"{BOTTOM}")]


def test_an_amount_has_more_room_beside_the_axis_than_a_percentile() -> None:
    path = "organization.dnbAssessment.creditLimitRecommendation.maximumRecommendedLimit"
    line = line_of(an_event(5, path, {"value": 150_000, "currency": "EUR"}, {"value": 950_000, "currency": "EUR"}))
    assert [tick.text for tick in line.ticks] == ["150,000", "950,000"]
    # Seven characters of 12 pixels.
    assert line.number_end >= 50 and line.path.startswith(f"M{line.left}")


def test_the_line_is_broken_where_there_was_none() -> None:
    assert line_of(percentile(0, 50, 60), percentile(40, 60, None), percentile(60, None, 70)).path.count("M") == 2


def test_codes_dates_and_flags_are_no_scores() -> None:
    seed = {"dnbAssessment": {"failureScore": {"dnbCode": 7, "scoreDate": "2026-01-01", "hasSeverelyLateFlag": True}}}
    assert scores_after([an_event(0, seed=seed)], {}, END).numbers == []


def test_numbers_are_exact() -> None:
    assert only(percentile(1, Decimal("50.10"), Decimal("50.20"))).last == "50.2"


@pytest.mark.parametrize(
    ("path", "value", "band"),
    [
        *(("nationalPercentile", 1, "High risk"), ("nationalPercentile", 33, "High risk")),
        *(("nationalPercentile", 50, "Moderate risk"), ("nationalPercentile", 67, "Low risk")),
        *(("classScore", 2, "Low risk"), ("classScore", 3, "Moderate risk"), ("classScore", 5, "High risk")),
    ],
)
def test_a_value_lies_in_a_band_of_risk(path: str, value: int, band: str) -> None:
    score = only(an_event(0, f"{FAILURE}.{path}", None, value))
    assert score.band and str(score.band.words) == band
    assert score.line and [str(stripe.band.name) for stripe in score.line.stripes] == ["Low", "Moderate", "High"]


def test_a_percentile_has_the_risk_of_its_class() -> None:
    """D&B draws its lines by country: the third that it lies in would say something else."""
    score = {"nationalPercentile": 32, "classScore": 3}
    found = scores_after([an_event(0, seed={"dnbAssessment": {"delinquencyScore": score}})], {}, END).numbers
    assert [str(one.band.words) for one in found if one.band] == ["Moderate risk"] * 2
    (percentile_itself,) = (one for one in found if one.name == "nationalPercentile")
    assert percentile_itself.line and not list(percentile_itself.line.stripes)


def test_low_risk_is_at_the_top_of_every_scale() -> None:
    worse = only(an_event(0, f"{FAILURE}.classScore", 1, 5)).line
    assert worse and float(next(worse.stripes).top) == TOP and float(list(worse.ticks)[-1].y) > TOP


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (999_999, "999,999 USD"),
        (62_812_345.12, "62.8 M USD"),
        (-1_500_000_000, "-1.5 B USD"),
        (2 * 10**12, "2.0 T USD"),
    ],
)
def test_amounts_from_a_million_on_are_short(value: float, text: str) -> None:
    assert compact(value, "USD") == text
