"""Replay paging against a model of D&B's replay: everything that can be reached is read once at least, and it ends."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitoring.replay.cursor import MILLISECOND, next_step

START = datetime(2026, 1, 5, 8, tzinfo=UTC)
Item = tuple[datetime, int]


class Replay:
    """Serves items by stamp, after the start or from it on."""

    def __init__(self, spread: list[tuple[int, int]], *, inclusive: bool) -> None:
        moments = [START + timedelta(milliseconds=at) for at, count in spread for _ in range(count)]
        self.items: list[Item] = [(moment, number) for number, moment in enumerate(sorted(moments))]
        self.inclusive = inclusive

    def page(self, cursor: datetime, size: int) -> list[Item]:
        reached = [item for item in self.items if item[0] > cursor or (self.inclusive and item[0] == cursor)]
        return reached[:size]


def read_all(replay: Replay, size: int) -> tuple[set[Item], list[datetime], bool]:
    """What was read, where the pages began, and whether a crowded millisecond was noticed."""
    cursor, read, cursors, crowded = START - timedelta(minutes=5), set[Item](), list[datetime](), False
    while page := replay.page(cursor, size):
        read.update(page)
        cursors.append(cursor)
        assert len(cursors) < 10_000, "it does not end"
        step = next_step(cursor, size, [stamp for stamp, _ in page], len(page))
        assert step is not None
        cursor, size, crowded = step.cursor, step.size, crowded or step.crowded
    return read, cursors, crowded


spreads = st.lists(st.tuples(st.integers(0, 60), st.integers(1, 130)), min_size=1, max_size=12)


@given(spread=spreads, inclusive=st.booleans(), size=st.integers(1, 100))
@settings(max_examples=300, deadline=None)
def test_reads_everything_that_can_be_reached_and_ends(
    spread: list[tuple[int, int]], inclusive: bool, size: int
) -> None:
    replay = Replay(spread, inclusive=inclusive)
    read, cursors, crowded = read_all(replay, size)
    assert cursors == sorted(cursors), "the cursor never goes back"
    missing = set(replay.items) - read
    shared = {stamp: sum(1 for other, _ in replay.items if other == stamp) for stamp, _ in missing}
    assert all(count > 100 for count in shared.values()), "only what shares a millisecond with over 100 is out of reach"
    assert crowded or not missing, "and that is said"


@pytest.mark.parametrize("inclusive", [True, False])
@pytest.mark.parametrize("size", [1, 10, 100])
def test_equal_stamps_over_pages_are_read(inclusive: bool, size: int) -> None:
    replay = Replay([(0, 3), (1, 99), (2, 100), (3, 1)], inclusive=inclusive)
    read, _, _ = read_all(replay, size)
    assert read == set(replay.items)


def test_a_page_that_ends_within_a_stamp_begins_the_next_before_it() -> None:
    step = next_step(START, 10, [START + timedelta(seconds=1)] * 10, 10)
    assert step is not None
    assert step.cursor == START + timedelta(seconds=1) - MILLISECOND


def test_asks_for_more_when_the_stamp_is_no_progress() -> None:
    stamps = [START + MILLISECOND] * 10
    step = next_step(START, 10, stamps, 10)
    assert step is not None
    assert (step.cursor, step.size) == (START, 20)


def test_a_page_older_than_asked_for_leads_nowhere() -> None:
    assert next_step(START, 100, [START - timedelta(seconds=1)], 1) is None
