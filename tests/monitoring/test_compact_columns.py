"""Times and places take few bytes, and are the same for the program on every engine."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from django.db import connection
from django.db.models import Max, Min

from core.bulk import insert_rows
from monitoring.models import Change
from monitoring.models.deliveries import PLACE, STORY_PLACE
from monitoring.story_order import OF_FILES
from tests.builders.deliveries import delivered
from tests.builders.elements import an_element
from tests.builders.notifications import an_update
from tests.engines import engine

pytestmark = pytest.mark.django_db
FIRST = datetime(2026, 3, 29, 0, 59, 59, 999000, UTC)
MOMENTS = [FIRST + timedelta(milliseconds=step) for step in (0, 1, 2, 3_600_001)]
PLACES = ["", "0" * STORY_PLACE, "09".ljust(STORY_PLACE, "0"), "0a".ljust(STORY_PLACE, "0"), "f" * STORY_PLACE]


@pytest.fixture
def changes() -> list[Change]:
    """One a place; made by our own insert and by Django, alternately."""
    names = ("a", "b", "c", "d", "e")
    delivered(an_update(*(an_element(f"organization.{name}") for name in names)))
    rows = list(Change.objects.order_by("id"))
    Change.objects.all().delete()
    for row, place, moment in zip(rows, PLACES, [*MOMENTS, MOMENTS[0]], strict=True):
        row.place, row.changed_at, row.delivered_at = place, moment, None
    insert_rows(Change, rows[::2])
    Change.objects.bulk_create(rows[1::2])
    return rows


def test_come_back_as_they_were(changes: list[Change]) -> None:
    found = Change.objects.in_bulk([row.pk for row in changes])
    assert [found[row.pk].place for row in changes] == PLACES
    assert [found[row.pk].changed_at for row in changes] == [row.changed_at for row in changes]
    assert {row.delivered_at for row in found.values()} == {None}
    assert all(row.changed_at.utcoffset() == timedelta() for row in found.values())


def test_are_sorted_and_compared_as_what_they_stand_for(changes: list[Change]) -> None:
    rows = Change.objects
    assert list(rows.order_by("-place").values_list("place", flat=True)) == PLACES[::-1]
    assert list(rows.filter(place__gt=PLACES[2]).order_by("place").values_list("place", flat=True)) == PLACES[3:]
    assert rows.exclude(place="").count() == 4
    assert rows.filter(changed_at__range=MOMENTS[1:3]).count() == 2
    elsewhere = MOMENTS[3].astimezone(timezone(timedelta(hours=2)))
    assert rows.get(changed_at=elsewhere).changed_at == MOMENTS[3]
    assert rows.aggregate(Min("changed_at"), Max("changed_at")) == {
        "changed_at__min": MOMENTS[0],
        "changed_at__max": MOMENTS[3],
    }


def test_are_changed_only_where_they_are_what_was_read(changes: list[Change]) -> None:
    row = Change.objects.filter(pk=changes[3].pk)
    assert not row.filter(place=PLACES[2]).update(place=PLACES[4])
    assert row.filter(place=PLACES[3], changed_at=MOMENTS[3]).update(place=PLACES[4], changed_at=MOMENTS[0])
    assert row.values_list("place", "changed_at").get() == (PLACES[4], MOMENTS[0])


def test_places_of_files_are_a_range() -> None:
    first, last = OF_FILES
    assert len(first) == len(last) == PLACE
    assert first <= "2" + "0" * 21 <= "2" + "9a" * 10 + "f" <= last < "3" + "0" * 21


@pytest.mark.skipif(engine() != "sqlite", reason="others have types for them")
def test_take_few_bytes(changes: list[Change]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT typeof(changed_at), typeof(place), max(length(place)) FROM monitoring_change")
        assert cursor.fetchall() == [("integer", "blob", 25)]
