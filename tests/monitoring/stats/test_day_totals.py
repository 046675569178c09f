"""Totals of a day say what its daily counts say, along one axis at a time."""

from collections import Counter
from datetime import date

import pytest

from monitoring.models import Axis, Change, ConsumerOffset, DailyTotal, Publication, Severity
from monitoring.rebuild.rebuild import rebuild
from monitoring.stats.daily_counts import recount, roll_up
from monitoring.stats.day_totals import TOLD
from tests.builders.deliveries import delivered
from tests.builders.elements import an_element
from tests.builders.notifications import a_notice, a_seed, an_update
from tests.builders.registrations import a_registration
from tests.builders.times import stamp

pytestmark = pytest.mark.django_db


def some_changes() -> None:
    delivered(a_seed(), an_update(), an_update(an_element(current="LATER", timestamp=stamp(days=3))), a_notice())
    delivered(a_notice("TRANSFER", "150483782"), registration=a_registration("OTHER"))
    roll_up()


def totals(axis: Axis) -> Counter[str]:
    found: Counter[str] = Counter()
    for row in DailyTotal.objects.filter(axis=axis):
        found[row.value] += row.count
    return found


def test_each_axis_adds_up_to_what_people_should_see() -> None:
    some_changes()
    told = Change.objects.filter(severity__in=[severity.value for severity in TOLD]).count()
    for axis in (Axis.REGISTRATION, Axis.COUNTRY):
        assert sum(totals(axis).values()) == told, axis
    assert sum((totals(Axis.KIND) + totals(Axis.ELEMENT)).values()) == told
    assert totals(Axis.KIND) == {"deleted": 1, "transferred": 1}
    assert totals(Axis.ELEMENT) == {"organization.primaryName": 2}


def test_days_hold_every_weight() -> None:
    some_changes()
    assert sum(totals(Axis.DAY).values()) == Change.objects.count()
    assert DailyTotal.objects.filter(axis=Axis.DAY, severity=Severity.LOW).exists()


def test_counting_again_changes_nothing_and_mends_what_is_wrong() -> None:
    some_changes()
    before = list(DailyTotal.objects.order_by("pk").values())
    DailyTotal.objects.filter(axis=Axis.DAY).update(count=77)
    DailyTotal.objects.filter(axis=Axis.COUNTRY).delete()
    ConsumerOffset.objects.update(position=0)
    roll_up()
    assert list(DailyTotal.objects.order_by("pk").values()) == before
    DailyTotal.objects.update(count=77)
    rebuild()
    assert list(DailyTotal.objects.order_by("pk").values()) == before


def test_what_is_counted_no_more_goes() -> None:
    some_changes()
    Change.objects.all().delete()
    recount(date(2026, 1, 7))
    assert not DailyTotal.objects.filter(day=date(2026, 1, 7)).exists()


def test_a_publication_tells_what_it_brought_by_weight() -> None:
    some_changes()
    row = Publication.objects.get(sequence=1)
    assert (row.change_count, row.critical, row.high, row.medium) == (4, 1, 0, 2)
    assert row.registration == row.delivery.registration_id
