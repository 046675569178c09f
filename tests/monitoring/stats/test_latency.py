"""Delays: counted by day from the rows, the same however often; percentiles by nearest rank."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.models import LatencyHistogram
from monitoring.stats.latency import cut, delay_text, forget_delays, percentile, roll_up_delays
from tests.builders.deliveries import delivered
from tests.builders.elements import an_element
from tests.builders.notifications import a_seed, an_update
from tests.builders.times import stamp


def rows() -> list[Any]:
    return list(LatencyHistogram.objects.order_by("pk").values())


@pytest.mark.django_db
def test_counting_again_changes_nothing_and_what_comes_later_is_added() -> None:
    delivered(an_update(), a_seed())
    assert roll_up_delays() == 1
    before = rows()
    assert roll_up_delays() == 0
    forget_delays()
    assert roll_up_delays() == 1
    assert rows() == before
    delivered(an_update(an_element(current="LATER", timestamp=stamp(days=3))))
    roll_up_delays()
    assert sum(row.count for row in LatencyHistogram.objects.filter(measure="recorded")) == 2, "no baseline"


@given(st.lists(st.integers(0, 10**7), min_size=1), st.sampled_from([1, 50, 95, 100]))
def test_cutting_before_or_after_finds_the_same_percentile(seconds: list[int], percent: int) -> None:
    exact = percentile([(one, 1) for one in seconds], percent)
    assert exact is not None
    counted = percentile([(cut(timedelta(seconds=one)), 1) for one in seconds], percent)
    assert counted == cut(timedelta(seconds=exact))


@pytest.mark.parametrize(
    ("seconds", "kept"), [(-5, 0), (0, 0), (99, 99), (100, 100), (129, 120), (5_499, 5_400), (90_061, 90_000)]
)
def test_two_digits_count(seconds: int, kept: int) -> None:
    assert cut(timedelta(seconds=seconds)) == kept


def test_delays_in_words() -> None:
    texts = [delay_text(seconds) for seconds in (None, 0, 37, 720, 11_400, 190_000)]
    assert texts == ["–", "less than 1 s", "37 s", "12 min", "3 h 10 min", "2 d 4 h"]
    assert percentile([], 50) is None
