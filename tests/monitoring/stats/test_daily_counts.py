"""Daily counts are what the changes say, however often and in whatever order they came."""

from collections import Counter
from datetime import UTC, date
from typing import Any

import pytest
from django.utils import timezone

from monitoring.models import Change, ConsumerOffset, DailyStat, Notification
from monitoring.stats import daily_counts
from monitoring.stats.daily_counts import CONSUMER, days_touched, recount, roll_up
from tests.builders.deliveries import delivered
from tests.builders.elements import an_element
from tests.builders.notifications import a_notice, a_seed, an_update
from tests.builders.registrations import a_registration
from tests.builders.times import stamp

pytestmark = pytest.mark.django_db


def counts(what: str) -> Counter[Any]:
    found: Counter[Any] = Counter()
    for row in DailyStat.objects.filter(what=what):
        found[row.day, row.kind, row.severity] += row.count
    return found


def recounted() -> Counter[Any]:
    found: Counter[Any] = Counter()
    for change in Change.objects.filter(superseded=False):
        found[change.changed_at.astimezone(UTC).date(), change.kind, change.severity] += 1
    return found


def test_counts_the_days_that_a_publication_touches() -> None:
    delivered(a_seed(), an_update(), an_update(an_element(current="LATER", timestamp=stamp(days=3))), a_notice())
    assert roll_up() == 3
    assert counts("change") == recounted()
    assert sum(counts("notification").values()) == Notification.objects.count()
    assert {row.country for row in DailyStat.objects.all()} == {"GB"}


def test_counting_again_changes_nothing() -> None:
    delivered(an_update())
    roll_up()
    before = list(DailyStat.objects.order_by("pk").values())
    assert roll_up() == 0
    ConsumerOffset.objects.update(position=0)
    roll_up()
    assert list(DailyStat.objects.order_by("pk").values()) == before


def test_a_day_is_counted_once_however_many_publications_touch_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(daily_counts, "PUBLICATIONS", 1)
    for name in ("A", "B", "C"):
        delivered(an_update(an_element(current=name)))
    counted: list[date] = []

    def count(day: date) -> None:
        counted.append(day)
        recount(day)

    monkeypatch.setattr(daily_counts, "recount", count)
    assert roll_up() == 2 == len(counted) and counts("change") == recounted()
    assert roll_up() == 0


def test_what_was_not_counted_to_the_end_is_counted_again(monkeypatch: pytest.MonkeyPatch) -> None:
    delivered(an_update())

    def killed(day: date) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(daily_counts, "recount", killed)
        roll_up()
    assert roll_up() == 2 and counts("change") == recounted()


def test_when_time_is_over_the_rest_is_left_to_the_next_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(daily_counts, "PUBLICATIONS", 1)
    for name in ("A", "B"):
        delivered(an_update(an_element(current=name)))
    roll_up(timezone.now())
    assert sum(counts("change").values()) == 2, "a day is counted whole"
    assert ConsumerOffset.objects.get(pk=CONSUMER.name).position == 1
    assert roll_up(timezone.now()) == 2 and roll_up(timezone.now()) == 0


def test_late_arrivals_are_counted_on_their_day() -> None:
    delivered(an_update(an_element(timestamp=stamp(days=5))))
    roll_up()
    delivered(an_update(an_element(current="BEFORE", timestamp=stamp(days=-5))))
    roll_up()
    assert counts("change") == recounted()
    assert DailyStat.objects.filter(what="change", day=date(2026, 1, 2)).exists()


def test_superseded_comparisons_leave_the_counts() -> None:
    registration = a_registration("FULL", full_product=True)
    for day, name in ((1, "A"), (3, "C"), (2, "B")):
        delivered(a_seed(primaryName=name, delivered=stamp(days=day)), registration=registration)
        roll_up()
    assert counts("change") == recounted()


def by_registration(field: str) -> Counter[str]:
    found: Counter[str] = Counter()
    for row in DailyStat.objects.filter(what="change", kind="element").select_related("registration"):
        found[row.registration.reference] += getattr(row, field)
    return +found


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 1, 0)])
def test_a_change_counts_once_and_as_reported_by_each_registration_that_did(order: tuple[int, ...]) -> None:
    registrations = [a_registration(f"ACME_LOD_0{number}") for number in range(1, 4)]
    for number in order:
        delivered(an_update(), registration=registrations[number])
        roll_up()
    told = {registrations[number].reference for number in order}
    assert by_registration("count") == {registrations[order[0]].reference: 1}
    assert by_registration("reports") == dict.fromkeys(told, 1)


def test_a_difference_counts_as_a_report_of_the_change_that_replaced_it() -> None:
    """On the day of that change, which may be another one."""
    full, update = a_registration("FULL", full_product=True), a_registration("UPDATES")
    delivered(a_seed(primaryName="A", delivered=stamp(days=1)), registration=full)
    delivered(a_seed(primaryName="B", delivered=stamp(days=3)), registration=full)
    roll_up()
    assert by_registration("reports") == {"FULL": 1}
    name = an_element("organization.primaryName", "A", "B", stamp(days=2))
    delivered(an_update(name, delivered=stamp(days=2)), registration=update)
    roll_up()
    assert counts("change") == recounted()
    assert by_registration("count") == {"UPDATES": 1}
    assert by_registration("reports") == {"FULL": 1, "UPDATES": 1}


def test_a_day_is_counted_again_when_another_registration_reports_its_change() -> None:
    delivered(an_update(an_element(timestamp=stamp(days=-20))))
    roll_up()
    again = delivered(
        an_update(an_element(timestamp=stamp(days=-20)), delivered=stamp(days=5)), registration=a_registration("LATE")
    )
    assert stamp(days=-20)[:10] in {day.isoformat() for day in days_touched([again.pk])}
    roll_up()
    assert by_registration("reports") == {"ACME_LOD_01": 1, "LATE": 1}
