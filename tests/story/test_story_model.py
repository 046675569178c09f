"""Random worlds, told to the application in several orders of arrival: it knows what the plain model says.

`STORY_FIRST` and `STORY_WORLDS` choose the seeds: STORY_FIRST=1000 STORY_WORLDS=500 pytest tests/story
"""

import os
from collections.abc import Callable

import pytest

from portfolio.models import Registration
from tests.story.application import Found, found, read, registrations
from tests.story.comparison import COMPARED, judge, same
from tests.story.worlds import World

pytestmark = pytest.mark.django_db
FIRST = int(os.environ.get("STORY_FIRST", "0"))
WORLDS = int(os.environ.get("STORY_WORLDS", "15"))
ARRIVALS = 3

Open = dict[str, set[str]]


@pytest.mark.parametrize("seed", range(FIRST, FIRST + WORLDS))
def test_the_application_knows_what_the_model_says(seed: int, record_property: Callable[[str, object], None]) -> None:
    world, made = World(seed), registrations()
    arrivals = [arrive(world, number, made) for number in range(ARRIVALS)]
    wrong: list[str] = []
    for company in world.companies:
        differences, undecided = compare(world, company, [arrival[company] for arrival in arrivals])
        wrong += [f"{company}: {difference}" for difference in differences]
        record_property("undecided", {f"{company} {aspect}": sorted(codes) for aspect, codes in undecided.items()})
    assert not wrong, "\n".join(wrong)


def arrive(world: World, number: int, made: dict[str, Registration]) -> dict[str, Found]:
    """As if for other companies each time, so that nothing has to be removed in between."""
    numbers = {company: f"{number + 1}{position:08}" for position, company in enumerate(world.companies)}
    read(world.arrivals(ARRIVALS)[number], numbers, made)
    return {company: found(duns) for company, duns in numbers.items()}


def compare(world: World, company: str, arrivals: list[Found]) -> tuple[list[str], Open]:
    """What is wrong, and what the rules leave open."""
    wrong: list[str] = []
    undecided: Open = {}
    for arrival in arrivals:
        against, left_open = judge(arrival, world.deliveries, company)
        wrong += against
        for aspect, codes in left_open.items():
            undecided.setdefault(aspect, set()).update(codes)
    for aspect in COMPARED:
        if not all(same(aspect, arrivals[0], arrival) for arrival in arrivals):
            wrong.append(f"{aspect} depends on the order of arrival")
    return wrong, undecided
