"""D&B's notifications: filtered, newest first, walked by their keys."""

from typing import Any

import pytest

from core.lists.pagination import write_token
from monitoring.models import Notification
from tests.builders.companies import OTHER
from tests.builders.deliveries import delivered
from tests.builders.elements import an_element
from tests.builders.notifications import a_notice, a_seed, a_transfer, an_update
from tests.builders.programs import Program
from tests.builders.registrations import a_registration

pytestmark = pytest.mark.django_db


def day(number: int) -> str:
    return f"2026-01-{number:02}T12:00:00.000Z"


@pytest.fixture
def four(db: None) -> None:
    delivered(
        an_update(an_element(timestamp=day(1)), delivered=day(5)),
        a_seed(OTHER, delivered=day(2), primaryName="Other Ltd"),
        a_transfer(delivered=day(3), to="000000009"),
    )
    delivered(a_notice("SOMETHING_NEW", OTHER, delivered=day(4)), registration=a_registration("ACME_LOD_02"))


def types(program: Program, **filters: Any) -> list[str]:
    return [item["type"] for item in program.walk("notifications/", limit=2, **filters)]


def test_newest_first(program: Program, four: None) -> None:
    assert types(program) == ["SOMETHING_NEW", "TRANSFER", "SEED", "UPDATE"]


def test_a_notification(program: Program, four: None) -> None:
    items = {item["type"]: item for item in program.walk("notifications/")}
    assert items["TRANSFER"]["retained_duns"] == "000000009"
    assert items["SEED"]["company"] == {"duns": OTHER, "name": "Other Ltd", "country": "GB"}
    assert items["SOMETHING_NEW"]["registration"] == "ACME_LOD_02"
    update = items["UPDATE"]
    assert update["occurred_at"] == "2026-01-01T12:00:00Z" and update["delivered_at"] == "2026-01-05T12:00:00Z"
    assert update["retained_duns"] is None


def test_filters(program: Program, four: None) -> None:
    assert types(program, type="SEED") == ["SEED"]
    assert types(program, type="SEED,UPDATE") == types(program, type=["UPDATE", "SEED"]) == ["SEED", "UPDATE"]
    assert types(program, type="OTHER") == []
    assert types(program, registration="ACME_LOD_02") == ["SOMETHING_NEW"]
    assert types(program, company="15-048-3782") == ["SOMETHING_NEW", "SEED"]
    assert types(program, since="2026-01-02", until="2026-01-03") == ["TRANSFER", "SEED"]
    assert types(program, since=day(2), until=day(2)) == ["SEED"]
    assert types(program, until="2026-01-02T11:59:59Z") == ["UPDATE"]
    assert types(program, company=OTHER, since="2026-01-03") == ["SOMETHING_NEW"]


@pytest.mark.parametrize("limit", [1, 3, 1000])
def test_many_of_the_same_time_are_each_shown_once(program: Program, limit: int) -> None:
    delivered(*[a_notice("EXIT", f"{number:09}", delivered=day(1)) for number in range(17)])
    ids = [item["id"] for item in program.walk("notifications/", limit=limit)]
    assert ids == sorted((str(key) for key in Notification.objects.values_list("pk", flat=True)), reverse=True)
    assert len(ids) == 17


def test_an_unreadable_time_is_none(program: Program) -> None:
    delivered(an_update(an_element(timestamp="soon")))
    assert program.walk("notifications/")[0]["occurred_at"] is None


@pytest.mark.parametrize(
    "filters",
    [
        {"type": "\0"},
        {"type": ""},
        {"registration": "NONE"},
        {"registration": ""},
        {"company": "x"},
        {"since": "\0"},
        {"until": "2026-01-01T00:00:00"},
        {"after": "x"},
        {"after": write_token(["x"])},
        {"after": write_token([])},
        {"page": "2"},
    ],
)
def test_what_cannot_be_is_refused(program: Program, filters: dict[str, str]) -> None:
    answer = program.get("notifications/", **filters)
    assert answer.status_code == 400, answer.content
    assert answer["Content-Type"] == "application/problem+json"


def test_few_queries(program: Program, four: None, django_assert_max_num_queries: Any) -> None:
    # The first use of a key in a minute is noted.
    program.read("notifications/")
    with django_assert_max_num_queries(5):
        program.read("notifications/", registration="ACME_LOD_01")
