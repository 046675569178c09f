"""Random worlds, told to the application in several orders of arrival: it knows what the plain model says.

`STORY_FIRST` and `STORY_WORLDS` choose the seeds: STORY_FIRST=1000 STORY_WORLDS=500 pytest tests/story
"""

import os
from collections.abc import Callable

import pytest

from tests.story.application import Found, found, read, registrations
from tests.story.comparison import LIVE, ORDER, STATE, judge
from tests.story.worlds import World

pytestmark = pytest.mark.django_db
FIRST = int(os.environ.get("STORY_FIRST", "0"))
WORLDS = int(os.environ.get("STORY_WORLDS", "25"))
ARRIVALS = 3
# What the application does today. To come: facts.EXPLAINED, MERGED, REPEATED, SCORES, and comparison.OBSERVED.
ASPECTS = frozenset({ORDER, STATE, LIVE})


@pytest.mark.parametrize("seed", range(FIRST, FIRST + WORLDS))
def test_the_application_knows_what_the_model_says(seed: int, record_property: Callable[[str, object], None]) -> None:
    world = World(seed)
    made = registrations()
    arrivals: list[dict[str, Found]] = []
    for number, order in enumerate(world.arrivals(ARRIVALS)):
        numbers = {company: f"{number + 1}{position:08}" for position, company in enumerate(world.companies)}
        read(order, numbers, made)
        arrivals.append({company: found(duns) for company, duns in numbers.items()})
    wrong: list[str] = []
    undecided: dict[str, list[str]] = {}
    for company in world.companies:
        first, *others = (one[company] for one in arrivals)
        wrong += [f"{company}: depends on the order of arrival" for other in others if other != first]
        aspects, readings = judge(first, world.deliveries, company, ASPECTS)
        wrong += [f"{company}: {aspect}\n{first}\n{answer}" for aspect, answer in aspects.items()]
        undecided.update({f"{seed}/{company} {aspect}": sorted(names) for aspect, names in readings.items()})
    record_property("undecided", undecided)
    assert not wrong, "\n".join(wrong)
