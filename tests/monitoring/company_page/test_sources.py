"""Each line of a timeline says who reported the change, how and when."""

import re
from typing import Any

import pytest
from django.test import Client

from monitoring.company_page.view_data import company_page
from monitoring.models import Change, Notification, Source
from monitoring.pipeline.ingest import ingest
from portfolio.models import Company
from tests.builders.companies import DUNS
from tests.builders.deliveries import a_delivery, delivered
from tests.builders.elements import an_element
from tests.builders.notifications import a_seed, an_update
from tests.builders.pages import text_of
from tests.builders.programs import Program
from tests.builders.registrations import a_registration
from tests.builders.times import stamp

pytestmark = pytest.mark.django_db
NAME = "organization.primaryName"
PULL, REPLAY = "through a pull from D&B", "through a replay from D&B"
COMPARISON = "from a comparison of two documents"


def a_rename(day: float = 2) -> dict[str, Any]:
    return an_update(an_element(NAME, "A", "B", stamp(days=day)), delivered=stamp(days=day))


def sources() -> list[tuple[str, str]]:
    """Of the one change of an element."""
    page = company_page(Company.objects.get(pk=DUNS))["page"]
    lines = [line for day in page.days for line in (*day.lines, *day.small) if line.change.kind == "element"]
    [line] = lines
    return [(source.registration.reference, source.how) for source in line.sources]


def test_one_registration_by_its_answers() -> None:
    delivered(a_rename())
    assert sources() == [("ACME_LOD_01", PULL)]


@pytest.mark.parametrize("turned", [False, True])
def test_all_ways_in_whatever_order_they_came(turned: bool) -> None:
    second = a_registration("ACME_LOD_02")
    deliveries = [
        a_delivery(a_rename(), source=Source.REPLAY),
        a_delivery(a_rename(), registration=second),
        a_delivery(a_rename(), registration=second, source=Source.REPLAY),
    ]
    for delivery in reversed(deliveries) if turned else deliveries:
        ingest(delivery)
    assert sorted(sources()) == [
        ("ACME_LOD_01", REPLAY),
        ("ACME_LOD_02", PULL),
    ]


def test_a_comparison_that_the_change_replaced_is_a_source_of_it() -> None:
    full, update = a_registration(full_product=True), a_registration("ACME_LOD_02")
    delivered(a_seed(primaryName="A", delivered=stamp(days=1)), registration=full)
    delivered(a_seed(primaryName="B", delivered=stamp(days=3)), registration=full)
    delivered(a_rename(), registration=update)
    assert sources() == [
        ("ACME_LOD_02", PULL),
        ("ACME_LOD_01", "from a comparison of two documents"),
    ]


def test_the_page_folds_the_sources(admin: Client) -> None:
    second = a_registration("ACME_LOD_02")
    delivered(a_rename())
    delivered(a_rename(), registration=second)
    text = text_of(admin.get(f"/portfolio/company/{DUNS}/change/"))
    assert re.search(
        r"Reported by ACME_LOD_0(1, ACME_LOD_02|2, ACME_LOD_01) ACME_LOD_0\d through a pull from D&B, 9 Jan", text
    )


def test_the_page_of_a_notification_shows_what_replaced_its_changes(admin: Client) -> None:
    full, update = a_registration(full_product=True), a_registration("ACME_LOD_02")
    delivered(a_seed(primaryName="A", delivered=stamp(days=1)), registration=full)
    later = delivered(a_seed(primaryName="B", delivered=stamp(days=3)), registration=full)
    delivered(a_rename(), registration=update)
    replaced, told = Change.objects.exclude(derived_from="").get(), Change.objects.get(element=NAME, derived_from="")
    notification = Notification.objects.get(delivery=later)
    assert replaced.notification_id == notification.pk
    page = admin.get(f"/monitoring/notification/{notification.pk}/change/")
    assert "Reported by another change" in text_of(page)
    assert str(told.pk) in page.content.decode() and str(replaced.pk) not in page.content.decode()


def test_the_api_lists_the_observations_of_a_change(program: Program) -> None:
    second = a_registration("ACME_LOD_02")
    delivered(a_rename())
    delivered(a_rename(), registration=second)
    key, notifications = Change.objects.get().pk, Notification.objects.in_bulk()
    item = program.read(f"changes/{key}/")
    assert sorted((one["registration"], one["source"], one["how"]) for one in item["observations"]) == [
        ("ACME_LOD_01", "answers", "response"),
        ("ACME_LOD_02", "answers", "response"),
    ]
    assert {one["notification"] for one in item["observations"]} == set(map(str, notifications))
    assert item == {**program.read("changes/")["results"][0], "observations": item["observations"]}
    assert program.get("changes/019b95d1-5000-7c55-9d0a-2a4f4b0c9a11/").status_code == 404
