"""Which companies a publication has looked at again."""

from typing import Any

import pytest

from monitoring.figures import consumer
from monitoring.figures.consumer import CONSUMER, update_figures
from monitoring.models import Delivery
from tests.builders.companies import DUNS, OTHER
from tests.builders.deliveries import delivered
from tests.builders.elements import PERCENTILE, an_element
from tests.builders.notifications import a_notice, a_seed, an_update
from tests.builders.registrations import one, two
from tests.builders.times import soon

pytestmark = pytest.mark.django_db


@pytest.fixture
def looked_at(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    found: list[list[str]] = []
    monkeypatch.setattr(consumer, "bring_up_to_date", lambda news: found.append(sorted(news)))
    return found


def a_change(element: str, duns: str = DUNS, previous: Any = 1, current: Any = 2) -> dict[str, Any]:
    return an_update(an_element(element, previous, current), duns=duns)


@pytest.mark.parametrize(
    ("item", "is_looked_at"),
    [
        (a_change("organization.telephone"), False),
        (a_change("organization.primaryName"), False),
        (a_change("organization.primaryAddress.postalCode"), False),
        (a_change(PERCENTILE), True),
        (a_change("organization.dnbAssessment"), True),
        (a_change("organization"), True),
        (a_change("organization.primaryAddress"), True),
        (a_change("organization.legalEvents.hasOpenBankruptcy", current=True), True),
        (a_notice("DELETE"), True),
        (a_seed(), True),
    ],
)
def test_only_those_whose_figures_may_be_others(
    looked_at: list[list[str]], item: dict[str, Any], is_looked_at: bool
) -> None:
    delivered(item)
    update_figures(soon())
    assert looked_at == [[DUNS] if is_looked_at else []]


def test_several_publications_have_a_company_looked_at_once(looked_at: list[list[str]]) -> None:
    for value in range(3):
        delivered(a_change(PERCENTILE, previous=value, current=value + 1), a_change(PERCENTILE, OTHER))
    assert update_figures(soon()) == 3
    assert looked_at == [sorted([DUNS, OTHER])]
    assert update_figures(soon()) == 0


def test_a_change_that_another_registration_reports_too_may_stand_elsewhere(looked_at: list[list[str]]) -> None:
    delivered(a_change(PERCENTILE), registration=two())
    update_figures(soon())
    delivered(a_change(PERCENTILE), registration=one())
    update_figures(soon())
    assert looked_at == [[DUNS], [DUNS]]


def test_so_may_one_that_has_its_place_from_another_answer(looked_at: list[list[str]]) -> None:
    first = delivered(a_change(PERCENTILE), a_change("organization.telephone", OTHER))
    update_figures(soon())
    Delivery.objects.filter(pk=first.pk).update(placed_count=2)
    CONSUMER.rewind(0)
    update_figures(soon())
    assert looked_at == [[DUNS], sorted([DUNS, OTHER])]
