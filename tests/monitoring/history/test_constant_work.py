"""Reading a page takes as many statements, and reads as many rows, after a long past of its companies as after a short
one."""

from collections.abc import Callable
from typing import Any

import pytest

from monitoring.pipeline.ingest import ingest
from portfolio.models import Registration
from tests.builders.deliveries import a_delivery
from tests.builders.elements import an_element
from tests.builders.notifications import a_notice, a_seed, an_update
from tests.builders.queries import rows_read
from tests.builders.registrations import a_registration
from tests.builders.times import stamp
from tests.engines import engine

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(engine() == "mongodb", reason="rows are counted where they leave a cursor"),
]
Page = list[dict[str, Any]]


def renamed(duns: str, day: int, hours: float = 0) -> dict[str, Any]:
    at = stamp(days=day, hours=hours)
    return an_update(an_element(previous=f"{day - 1}", current=f"{day}", timestamp=at), duns=duns, delivered=at)


def document(duns: str, day: int, name: str = "") -> dict[str, Any]:
    return a_seed(duns, primaryName=name or f"{day}", delivered=stamp(days=day, hours=1))


def a_past(duns: str, days: int, make: Callable[[str, int], dict[str, Any]], registration: Registration) -> None:
    items = [make(duns, day) for day in range(days)]
    for start in range(0, days, 500):
        ingest(a_delivery(*items[start : start + 500], registration=registration))


def cost(page: Page, registration: Registration) -> tuple[int, int]:
    with rows_read() as found:
        ingest(a_delivery(*page, registration=registration))
    return found.statements, found.rows


def after_changes(days: int) -> tuple[int, int]:
    one = a_registration("ONE")
    duns = f"{100_000_000 + days}"
    a_past(duns, days, renamed, one)
    return cost(
        [
            renamed(duns, days),
            renamed(duns, days, hours=1),
            a_notice("DELETE", duns, delivered=stamp(days=days, hours=2)),
        ],
        one,
    )


def after_changes_on_one_day(days: int) -> tuple[int, int]:
    """As many as a day has minutes, which two sources could say the same of."""
    one = a_registration("ONE")
    duns = f"{100_000_000 + days}"
    a_past(duns, days, lambda duns, day: renamed(duns, 0, hours=day / 60), one)
    return cost([renamed(duns, 1)], one)


def after_documents(days: int) -> tuple[int, int]:
    whole = a_registration("WHOLE", full_product=True)
    duns = f"{200_000_000 + days}"
    a_past(duns, days, document, whole)
    return cost([document(duns, days)], whole)


def after_both(days: int) -> tuple[int, int]:
    """A document that shows a change, shortly after it."""
    one, whole = a_registration("ONE"), a_registration("WHOLE", full_product=True)
    duns = f"{300_000_000 + days}"
    a_past(duns, days, renamed, one)
    a_past(duns, days, document, whole)
    ingest(a_delivery(renamed(duns, days), registration=one))
    return cost([document(duns, days)], whole)


def a_second_report(days: int) -> tuple[int, int]:
    one, two = a_registration("ONE"), a_registration("TWO")
    duns = f"{400_000_000 + days}"
    a_past(duns, days, renamed, one)
    a_past(duns, days, renamed, two)
    ingest(a_delivery(renamed(duns, days), registration=one))
    return cost([renamed(duns, days) | {"deliveryTimeStamp": stamp(days=days, hours=5)}], two)


def a_late_change(days: int) -> tuple[int, int]:
    """Which two sources could say the same of, and of which one said something else later."""
    one, two = a_registration("ONE"), a_registration("TWO")
    duns = f"{500_000_000 + days}"
    a_past(duns, days, renamed, one)
    a_past(duns, days, renamed, two)
    return cost([renamed(duns, 2, hours=3)], one)


@pytest.mark.parametrize(
    ("after", "long"),
    [
        (after_changes, 1000),
        (after_changes_on_one_day, 1000),
        (after_documents, 200),
        (after_both, 200),
        (a_second_report, 200),
        (a_late_change, 200),
    ],
)
def test_a_page_costs_the_same_after_a_long_past(after: Callable[[int], tuple[int, int]], long: int) -> None:
    ingest(a_delivery(renamed("999999999", 0)))
    assert after(long) == after(10)
