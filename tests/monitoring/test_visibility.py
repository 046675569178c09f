"""What a business unit sees: what one of its registrations reported, first or later."""

import random
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from core.bulk import has_sql
from core.lists.pagination import beyond, cut_in_parts
from core.visibility import EVERYTHING, parts_of, visible_to
from monitoring import audiences
from monitoring.audiences import stamp
from monitoring.models import (
    Alert,
    AlertItem,
    Audience,
    Axis,
    Change,
    DailyStat,
    DailyTotal,
    Notification,
    Observation,
    content_key,
)
from monitoring.stats.daily_counts import roll_up
from monitoring.story_order import newest
from monitoring.visibility import as_reported_to
from portfolio.models import Registration
from tests.builders.companies import DUNS
from tests.builders.deliveries import delivered
from tests.builders.elements import ACTIVE, OUT, STATUS, an_element
from tests.builders.notifications import a_seed, an_update
from tests.builders.registrations import a_registration, one, two, whole
from tests.builders.times import MOMENT, now_stamp
from tests.builders.units import a_unit, seen_by

pytestmark = pytest.mark.django_db


def seen(*units: Any) -> set[Any]:
    return set(visible_to(seen_by(*units), Change.objects.all()).values_list("pk", flat=True))


def test_a_change_that_one_registration_reports_is_stamped_with_nothing() -> None:
    delivered(an_update(), registration=one())
    assert Change.objects.get().audience is None and not Audience.objects.exists()


def test_what_a_registration_reports_second_its_unit_sees_too() -> None:
    credit, buying, other = a_unit("Credit", one()), a_unit("Buying", two()), a_unit("Other", a_registration("X"))
    delivered(an_update(), registration=one())
    assert (len(seen(credit)), len(seen(buying))) == (1, 0)
    delivered(an_update(), registration=two())
    assert (len(seen(credit)), len(seen(buying)), len(seen(other))) == (1, 1, 0)
    assert Audience.objects.get().members == {one().pk, two().pk}


def test_a_registration_that_reports_it_in_another_way_is_no_other() -> None:
    delivered(an_update(), registration=one())
    delivered(an_update(delivered=now_stamp()), registration=one())
    assert Change.objects.get().audience is None


def test_what_was_replaced_counts_as_reported_by_who_reported_it() -> None:
    """The documents' registration has reported the fact before the UPDATE came."""
    credit, buying = a_unit("Credit", whole()), a_unit("Buying", two())
    for days, status in ((-2, ACTIVE), (-1, OUT)):
        document = {"operatingStatus": status}
        delivered(a_seed(delivered=now_stamp(days=days), dunsControlStatus=document), registration=whole())
    update = an_update(an_element(STATUS, ACTIVE, OUT, now_stamp(days=-1, hours=-1)), delivered=now_stamp(hours=-20))
    delivered(update, registration=two())
    told = Change.objects.get(element=STATUS, superseded=False)
    assert told.registration_id == two().pk
    assert told.pk in seen(credit) and told.pk in seen(buying)


def test_a_registration_that_moves_to_another_unit_takes_its_reports_along() -> None:
    credit, buying = a_unit("Credit", one()), a_unit("Buying")
    delivered(an_update(), registration=one())
    a_unit("Credit")
    a_unit("Buying", one())
    assert (len(seen(credit)), len(seen(buying))) == (0, 1)


def test_who_records_a_report_at_the_same_time_is_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that was written between reading and writing is read again."""
    for registration in (one(), two()):
        delivered(an_update(), registration=registration)
    change = Change.objects.get()
    three = a_registration("THREE")
    read, calls = audiences._reporters, list[int]()

    def meanwhile(owners: Any) -> Any:
        found = read(owners)
        if not calls:
            calls.append(1)
            Observation.objects.filter(change=change.pk).update(registration=three)
            stamp([change.pk])
        return found

    Change.objects.update(audience=None)
    monkeypatch.setattr(audiences, "_reporters", meanwhile)
    stamp([change.pk])
    change.refresh_from_db()
    assert Audience.objects.get(pk=str(change.audience)).members == {one().pk, three.pk}


def test_notifications_are_those_of_its_registrations() -> None:
    credit = a_unit("Credit", one())
    for registration in (one(), two()):
        delivered(an_update(), registration=registration)
    rows = visible_to(seen_by(credit), Notification.objects.all())
    assert [row.registration_id for row in rows] == [one().pk]


@pytest.mark.skipif(not has_sql(), reason="MongoDB is asked for the changes by their keys.")
def test_facts_of_alerts_are_looked_up_by_their_changes() -> None:
    """As a join, all changes of a unit would be read for each fact while statistics are old."""
    rows = visible_to(seen_by(a_unit("Credit", one())), AlertItem.objects.all())
    assert "EXISTS" not in str(rows.query).upper()


def test_the_source_that_is_shown_is_ones_own() -> None:
    buying = a_unit("Buying", two())
    delivered(an_update(), registration=one())
    delivered(an_update(), registration=two())
    change = Change.objects.get()
    as_reported_to(seen_by(buying), [change])
    assert change.registration_id == two().pk
    assert Notification.objects.get(pk=change.notification_id).registration_id == two().pk
    unchanged = Change.objects.get()
    as_reported_to(EVERYTHING, [unchanged])
    assert unchanged.registration_id == one().pk


def a_world(chance: random.Random) -> list[Registration]:
    """Three registrations that report much of the same, in a random order."""
    registrations = [one(), two(), a_registration("THREE")]
    moments = [now_stamp(hours=-hour) for hour in (1, 5, 30)]
    facts = [
        an_update(an_element(f"organization.{name}", "a", "b", moment), duns=duns, delivered=moment)
        for name in ("primaryName", "telephone", "dunsControlStatus.operatingStatus")
        for duns in (DUNS, "150483782")
        for moment in moments
    ]
    reports = [(row, fact) for row in registrations for fact in facts if chance.random() < 0.6]
    chance.shuffle(reports)
    for row, fact in reports:
        delivered(fact, registration=row)
    return registrations


@pytest.mark.parametrize("seed", range(3))
def test_counts_equal_lists_in_every_unit(seed: int) -> None:
    first, second, third = a_world(random.Random(seed))
    roll_up()
    units = [a_unit("A", first), a_unit("B", second, third), a_unit("C", first, third), a_unit("None")]
    for scope in (*map(seen_by, units), EVERYTHING):
        rows = visible_to(scope, Change.objects.filter(superseded=False)).values_list("severity", flat=True)
        listed = Counter(rows)
        totals = visible_to(scope, DailyTotal.objects.filter(axis=Axis.DAY)).values_list("severity", "count")
        stats = visible_to(scope, DailyStat.objects.filter(what="change")).values_list("severity", "count")
        assert _sum(totals) == _sum(stats) == listed


def test_pages_that_are_read_in_parts_are_those_of_the_whole_list() -> None:
    first, second, third = a_world(random.Random(7))
    for unit in (a_unit("A", first), a_unit("B", second, third)):
        rows = visible_to(seen_by(unit), Change.objects.filter(superseded=False))
        whole = list(Change.objects.filter(pk__in=[row.pk for row in rows]))
        assert len(parts_of(rows)) == 2 and sum(part.count() for part in parts_of(rows)) == len(whole)
        found = [row for start in range(0, len(whole), 4) for row in newest(rows, start, start + 4)]
        assert [row.pk for row in found] == [row.pk for row in newest_of(whole)]


def newest_of(whole: list[Change]) -> list[Change]:
    """As someone who sees all finds them."""
    rows = Change.objects.filter(pk__in=[row.pk for row in whole])
    return [row for start in range(0, len(whole), 4) for row in newest(rows, start, start + 4)]


def _sum(rows: Any) -> Counter[int]:
    found: Counter[int] = Counter()
    for severity, count in rows:
        found[severity] += count
    return +found


def test_alerts_that_are_read_in_parts_are_those_of_the_whole_list() -> None:
    """Those that its registrations reported first, and those that they reported later, with times in common."""
    unit, shared = a_unit("Credit", one()), Audience.of(frozenset([one().pk, two().pk]))
    shared.save(force_insert=True)
    moments = dict.fromkeys(("happened_at", "raised_at", "rate_window"), MOMENT)
    for number in range(9):
        registration, audience = (one(), None) if number % 2 else (two(), shared.pk)
        moments["raised_at"] = MOMENT + timedelta(minutes=number // 3)
        key = content_key("alert", number)
        Alert.objects.create(
            id=key, registration=registration, audience=audience, severity=3, sequence=1, title=str(number), **moments
        )
    rows = visible_to(seen_by(unit), Alert.objects.order_by("-raised_at", "-id"))
    found, left = list[Alert](), rows
    while (page := cut_in_parts(left, 2))[1]:
        found += page[0]
        left = beyond(rows, ("raised_at", "id"), [found[-1].raised_at, found[-1].pk], newest_first=True)
    assert [row.pk for row in (*found, *page[0])] == [row.pk for row in Alert.objects.order_by("-raised_at", "-id")]
