"""Lists in the order of a figure: unknown ones last, page by page, alike on every engine."""

import random
from typing import Any

import pytest

from portfolio.companies.conditions import SORTED_NUMBERS, SORTED_TEXTS
from portfolio.companies.known_first import known_first
from portfolio.models import Company, Tier
from tests.builders.companies import a_company
from tests.builders.times import MOMENT

pytestmark = pytest.mark.django_db
PAGE = 4
# As D&B writes them, which each engine sorts alike.
CODES = {"country": ["", "DE", "GB", "US"], "global_ultimate": ["", "001368083", "150483782", "804735132"]}


def value_of(name: str, chance: random.Random) -> Any:
    if name == "tier":
        return chance.choice(["", "", *Tier.values])
    if name in CODES:
        return chance.choice(CODES[name])
    if name in SORTED_TEXTS:
        return chance.choice(["", "", "1A", "1a", "A1", "--", "-1", "Ä"])
    number = chance.choice([None, None, 1, 2, 3, 50])
    return MOMENT.replace(day=number) if number and name == "last_critical_at" and number < 28 else number


@pytest.mark.every_engine
@pytest.mark.parametrize("name", [*SORTED_NUMBERS, *SORTED_TEXTS])
@pytest.mark.parametrize("sign", ["", "-"])
def test_every_page_is_a_part_of_one_order(name: str, sign: str) -> None:
    chance = random.Random(f"{name}{sign}")
    for number in range(14):
        value = value_of(name, chance)
        if name == "last_critical_at" and isinstance(value, int):
            value = None
        a_company(f"{number:09}", **{name: value})
    rows = Company.objects.order_by(f"{sign}{name}", f"{sign}duns")
    pages = [known_first(rows, start, start + PAGE) for start in range(0, 20, PAGE)]
    everyone = sorted(Company.objects.all(), key=lambda row: row.duns, reverse=bool(sign))
    known = [row for row in everyone if getattr(row, name) not in (None, "")]
    unknown = [row for row in everyone if getattr(row, name) in (None, "")]
    expected = sorted(known, key=lambda row: getattr(row, name), reverse=bool(sign)) + unknown
    assert [row.duns for page in pages for row in page] == [row.duns for row in expected]


def test_any_other_order_is_left_as_it_is() -> None:
    for number in range(3):
        a_company(f"{number:09}", f"Name {3 - number}")
    rows = known_first(Company.objects.order_by("search_name", "duns"), 0, 2)
    assert [row.name for row in rows] == ["Name 1", "Name 2"]
