"""A rebuild gives the story that the stored deliveries tell, and a second one changes nothing."""

import uuid
from datetime import timedelta
from typing import Any

import pytest

from core.blobs import delete_bytes
from core.models import Blob
from monitoring.models import Change, Delivery, Entry, Notification, Observation, Publication, Source
from monitoring.pipeline.ingest import ingest
from monitoring.publications.sequence import counts_of
from monitoring.rebuild import removal
from monitoring.rebuild.rebuild import Rebuilt, rebuild
from tests.builders.companies import DUNS
from tests.builders.deliveries import a_delivery, delivered
from tests.builders.elements import an_element
from tests.builders.notifications import an_update
from tests.builders.registrations import one, two
from tests.builders.story import PHONE, observations, phone_seed, phone_update
from tests.builders.times import MOMENT, stamp

pytestmark = pytest.mark.django_db
UNIMPORTANT = {"recorded_at"}


def story() -> list[list[dict[str, Any]]]:
    rows: list[list[Any]] = [list(model._default_manager.order_by("pk").values()) for model in (Change, Observation)]
    return [
        [{name: value for name, value in row.items() if name not in UNIMPORTANT} for row in found] for found in rows
    ]


def changed(result: Rebuilt) -> tuple[int, ...]:
    return (result.added, result.mended, result.removed, result.replaced, result.withdrawn, result.reinstated)


def counts_hold() -> bool:
    return all(row.entry_count == counts_of(row.delivery_id)["entry_count"] for row in Publication.objects.all())


def a_history() -> None:
    """Reports by three, a difference that was replaced after it was published, and one that never held."""
    phone_seed(None, 0)
    phone_seed("1", 4)
    for reference in ("ONE", "TWO", "THREE"):
        phone_update(None, "1", 3, reference)
    phone_update("1", "2", 6, "TWO")
    phone_seed("2", 7)
    shown_by_two_answers()


def shown_by_two_answers() -> None:
    """The earlier one is read last, stands for the notification, and says when it was delivered."""
    element = an_element("organization.websiteAddress", None, "x", stamp(days=2))
    answers = [a_delivery(an_update(element, delivered=stamp(days=day)), registration=one()) for day in (9, 8)]
    for answer in reversed(answers):
        ingest(answer)
    assert Notification.objects.get(delivery=answers[1]).delivered_at == MOMENT + timedelta(days=9)


def forget_the_story() -> None:
    """As rows of an earlier version: nobody knows who else reported a change, or which are one fact."""
    Observation.objects.all().delete()
    Change.objects.update(superseded=False, replaced_by=None, entry=Entry.CHANGE)
    for row in Change.objects.all():
        Change.objects.filter(pk=row.pk).update(place=row.place[:13] + row.place[22:])
    count_again()


def count_again() -> None:
    for row in Publication.objects.all():
        Publication.objects.filter(pk=row.pk).update(**counts_of(row.delivery_id))


def test_a_rebuild_of_what_is_right_changes_nothing() -> None:
    a_history()
    before = story()
    assert changed(rebuild()) == (0,) * 6
    assert story() == before and counts_hold()


def test_rows_of_an_earlier_version_get_the_story() -> None:
    a_history()
    reports = [row for row in observations() if row[1] == "observed"]
    holding = {key: (superseded, other) for key, superseded, other in verdicts()}
    places = dict(Change.objects.values_list("pk", "place"))
    forget_the_story()
    result = rebuild()
    assert {key: (superseded, other) for key, superseded, other in verdicts()} == holding
    assert dict(Change.objects.values_list("pk", "place")) == places
    assert sorted(row for row in observations() if row[1] == "observed") == sorted(reports)
    assert (result.observed, result.replaced, result.story_companies) == (2, 2, 1)
    assert counts_hold()
    before = story()
    assert changed(rebuild()) == (0,) * 6 and story() == before


def verdicts() -> list[tuple[uuid.UUID, bool, uuid.UUID | None]]:
    return list(Change.objects.order_by("pk").values_list("pk", "superseded", "replaced_by"))


def test_a_report_that_no_delivery_yields_is_removed() -> None:
    phone_update(None, "1", 1, "ONE")
    other = phone_update(None, "2", 5, "TWO")
    a_report(other)
    assert rebuild().removed == 1
    assert not Observation.objects.exists() and counts_hold()


def test_a_report_that_another_delivery_of_its_source_yields_goes_there() -> None:
    phone_update(None, "1", 1, "ONE")
    own = phone_update(None, "1", 1, "TWO")
    other = phone_update("1", "2", 5, "TWO")
    before = story()
    # As if an answer that does not hold it had reported it first.
    Observation.objects.update(delivery=other, notification=Notification.objects.get(delivery=other))
    count_again()
    assert rebuild().removed == 0
    assert Observation.objects.get().delivery_id == own.pk
    assert story() == before and counts_hold()


def test_of_the_reports_of_a_registration_the_next_is_the_first_when_that_is_removed() -> None:
    phone_update(None, "1", 1, "ONE")
    other = phone_update(None, "2", 5, "TWO")
    a_report(other)
    kept = a_report(other, number=6, is_first=False)
    Observation.objects.filter(pk=kept.pk).update(delivery=phone_seed(None, 1, "TWO"))
    delete_bytes(Observation.objects.get(pk=kept.pk).delivery_id)
    assert rebuild().removed == 1
    assert [(row.pk, row.is_first) for row in Observation.objects.all()] == [(kept.pk, True)]


def test_a_change_goes_to_nobody_whose_report_goes_too() -> None:
    change = Change.objects.get(delivery=phone_update(None, "1", 1, "ONE"))
    first, other = phone_update(None, "9", 9, "ONE"), phone_update(None, "2", 5, "TWO")
    a_report(other)
    delete_bytes(change.delivery_id)
    Change.objects.filter(pk=change.pk).update(notification=Notification.objects.get(delivery=first))
    assert rebuild().removed == 2
    assert not Change.objects.filter(pk=change.pk).exists() and not Observation.objects.exists()


def test_a_report_whose_item_cannot_be_read_now_is_kept() -> None:
    phone_update(None, "1", 1, "ONE")
    element = an_element(PHONE, None, "2", stamp(days=5))
    other = delivered(an_update(element, delivered=stamp(days=5)), '{"type": "UPDATE"}', registration=two())
    row = a_report(other)
    # As when its second item could still be read.
    brought = values(Notification.objects.get(delivery=other)) | {"id": uuid.UUID(int=6), "position": 1}
    Observation.objects.filter(pk=row.pk).update(notification=Notification.objects.create(**brought))
    rebuild()
    assert Observation.objects.filter(pk=row.pk).exists()


def test_a_change_goes_to_another_delivery_of_its_own_registration_first() -> None:
    phone_update(None, "1", 1, "ONE")
    element = an_element(PHONE, None, "1", stamp(days=1))
    second = a_delivery(an_update(element, delivered=None), registration=two(), source=Source.FILE)
    ingest(second)
    other = phone_update(None, "2", 5, "TWO")
    Observation.objects.all().delete()
    # As if TWO had reported it first, in an answer that does not hold it.
    change = Change.objects.get(current='"1"')
    brought = Notification.objects.get(delivery=other)
    Change.objects.filter(pk=change.pk).update(registration=two(), delivery=other, notification=brought)
    rebuild()
    change.refresh_from_db()
    assert (change.registration, change.delivery_id) == (two(), second.pk)
    assert observations() == [("ONE", "observed", True)] and counts_hold()


def a_report(delivery: Delivery, number: int = 5, *, is_first: bool = True) -> Observation:
    """That a delivery reports ONE's change, which it does not."""
    change = Change.objects.filter(registration__reference="ONE").earliest("changed_at")
    return Observation.objects.create(
        id=uuid.UUID(int=number),
        change=change,
        company_id=DUNS,
        registration=delivery.registration,
        verb="observed",
        is_first=is_first,
        delivery=delivery,
        notification=Notification.objects.get(delivery=delivery),
        place=change.place,
        observed_at=MOMENT,
        recorded_at=MOMENT,
    )


def test_a_report_whose_answer_is_gone_is_kept() -> None:
    phone_update(None, "1", 1, "ONE")
    other = phone_update(None, "2", 5, "TWO")
    a_report(other)
    delete_bytes(other.pk)
    assert rebuild().removed == 0 and Observation.objects.count() == 1


def test_a_lost_report_comes_back() -> None:
    a_history()
    before = story()
    Observation.objects.filter(verb="observed").delete()
    assert rebuild().observed == 2
    assert story() == before


def test_a_change_that_its_delivery_yields_no_more_goes_to_one_that_reported_it() -> None:
    """Also to one whose bytes are gone: what is recorded of it counts."""
    first = phone_update(None, "1", 1, "ONE")
    second = phone_update(None, "1", 1, "TWO")
    third = phone_update(None, "1", 1, "THREE")
    other = phone_update(None, "9", 5, "ONE")
    change = Change.objects.get(current='"1"')
    # As if ONE's answer had never held it.
    for delivery in (first, second, third):
        delete_bytes(delivery.pk)
    Change.objects.filter(pk=change.pk).update(notification=Notification.objects.get(delivery=other))
    assert rebuild().removed == 0
    change.refresh_from_db()
    assert (change.registration.reference, change.delivery_id) == ("TWO", second.pk)
    assert observations() == [("THREE", "observed", True)]
    assert changed(rebuild()) == (0,) * 6 and counts_hold()


def test_after_bytes_were_dropped_the_rest_keeps_its_story() -> None:
    a_history()
    before = story()
    deliveries = list(Delivery.objects.order_by("pk").values_list("pk", flat=True))
    Blob.objects.filter(owner__in=deliveries[:3]).delete()
    result = rebuild()
    assert (changed(result), result.unreadable, result.deliveries) == ((0,) * 6, 0, len(deliveries) - 3)
    assert story() == before


def test_a_change_published_with_another_delivery_stays_there() -> None:
    """What holds only since a later delivery is published with that one."""
    own = phone_update(None, "1", 1, "ONE")
    later = phone_update("1", "2", 5, "ONE")
    change = Change.objects.get(delivery=own)
    Change.objects.filter(pk=change.pk).update(delivery=later)
    count_again()
    rebuild()
    change.refresh_from_db()
    assert change.delivery_id == later.pk and change.element == PHONE


def test_what_a_ghost_had_replaced_holds_again() -> None:
    """Also where the bytes of all that is near it are gone."""
    near = phone_seed(None, 0), phone_update(None, "1", 3), phone_seed("1", 4)
    later = Notification.objects.get(delivery=phone_update("1", "2", 60))
    change = Change.objects.get(delivery=near[1])
    for delivery in near:
        delete_bytes(delivery.pk)
    ghost = {**values(change), "id": uuid.UUID(int=change.pk.int ^ 1), "notification_id": later.pk}
    Change.objects.create(**ghost)
    Change.objects.exclude(derived_from="").update(replaced_by=ghost["id"])
    assert rebuild().removed == 1
    assert Change.objects.exclude(derived_from="").get().replaced_by == change.pk


def test_the_next_rebuild_counts_what_one_that_was_killed_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else what came into that delivery later would pass for what is gone."""
    phone_update(None, "1", 1, "ONE")
    a_report(phone_update(None, "2", 5, "TWO"))
    count_again()
    with monkeypatch.context() as patched:
        patched.setattr(removal, "count_deliveries", lambda keys: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            rebuild()
    assert not Observation.objects.exists() and not counts_hold()
    rebuild()
    assert counts_hold()


def values(row: Change | Notification) -> dict[str, Any]:
    return {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}
