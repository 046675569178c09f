"""Days as files have them."""

from datetime import date, timedelta

import pytest

from portfolio.exposure.days import BadDay, read_day, today


@pytest.mark.parametrize(
    "text", ["2026-03-31", "20260331", "2026-03-31T00:00:00", "31.03.2026", "31. 3.2026", "31/03/2026", "3/31/2026"]
)
def test_one_day_in_any_usual_dress(text: str) -> None:
    assert read_day(text) == date(2026, 3, 31)


@pytest.mark.parametrize("text", ["3/4/2026", "31.02.2026", "yesterday", "1926-01-01", ""])
def test_what_is_not_clear_is_refused(text: str) -> None:
    with pytest.raises(BadDay):
        read_day(text)


def test_the_future_is_refused() -> None:
    with pytest.raises(BadDay, match="future"):
        read_day((today() + timedelta(days=1)).isoformat())
