"""Reading by hand what is stored; reading everything again."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from django.core.management import CommandError
from django.db import models

from core.blobs import delete_bytes, store_bytes
from monitoring import jobs
from monitoring.elements.registry import SeverityTable
from monitoring.history.seed_diff import compare_company
from monitoring.models import (
    Change,
    DailyStat,
    DeadLetter,
    DeadLetterState,
    Delivery,
    DeliveryState,
    Element,
    Kind,
    Notification,
    Observation,
    Publication,
    Severity,
)
from monitoring.rebuild import rebuild as rebuild_rebuild
from monitoring.rebuild.rebuild import rebuild
from portfolio.models import Company, Registration
from tests.builders.commands import Run
from tests.builders.companies import DUNS, OTHER
from tests.builders.deliveries import a_delivery, delivered
from tests.builders.elements import an_element
from tests.builders.notifications import a_notice, a_seed, an_update
from tests.builders.registrations import a_registration
from tests.builders.story import phone_update
from tests.builders.times import MOMENT, stamp

pytestmark = [pytest.mark.django_db, pytest.mark.every_engine]

DERIVED: tuple[type[models.Model], ...] = (Notification, Change, Company, DailyStat, DeadLetter, Element, Publication)

Rows = dict[str, list[dict[str, Any]]]


def everything() -> Rows:
    """All derived rows."""
    return {model.__name__: list(model._default_manager.order_by("pk").values()) for model in DERIVED}


def some_history() -> None:
    """Several companies and kinds, a repetition, and something unreadable."""
    delivered(a_seed(), a_seed(OTHER, primaryName="Other Ltd"), at=stamp(days=1))
    delivered(an_update(), an_update(an_element(current="ONCE MORE LTD", timestamp=stamp(hours=3))), at=stamp(days=2))
    delivered(an_update(), a_notice("DELETE", OTHER), '{"type": "UPDATE"}', at=stamp(days=3))
    while jobs.count_days():
        pass
    jobs.update_company_figures()


def a_ghost(delivery: Delivery, position: int = 0) -> tuple[Notification, Change]:
    """Rows that an earlier reader made of this delivery, and that no reading makes any more."""
    notification = Notification.objects.create(
        id=UUID(int=77),
        registration=delivery.registration,
        company_id=DUNS,
        type="UPDATE",
        recorded_at=MOMENT,
        delivery=delivery,
        position=position,
    )
    change = Change.objects.create(
        id=UUID(int=78),
        company_id=DUNS,
        kind=Kind.ELEMENT,
        element="organization.primaryName",
        previous='"NEW NAME LTD"',
        current='"GHOST LTD"',
        changed_at=MOMENT.replace(year=2030),
        position=position * 1000,
        recorded_at=MOMENT,
        severity=Severity.MEDIUM,
        notification=notification,
        registration=delivery.registration,
        delivery=delivery,
    )
    return notification, change


def test_reads_what_was_received_and_counts_it(run: Run) -> None:
    a_delivery(an_update())
    assert "1 deliveries processed" in run("ingest")
    assert Delivery.objects.get().state == DeliveryState.PUBLISHED
    assert DailyStat.objects.exists()
    assert "0 deliveries processed" in run("ingest")


def test_publishes_what_was_read_and_not_published(run: Run) -> None:
    delivered(an_update())
    Publication.objects.all().delete()
    Delivery.objects.update(state=DeliveryState.INGESTED)
    assert "1 more published" in run("ingest")


def test_what_cannot_be_read_ends_with_its_reason(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(delivery: Delivery) -> int:
        raise RuntimeError("no such thing")

    a_delivery(an_update())
    monkeypatch.setattr(jobs, "ingest", fail)
    with pytest.raises(CommandError, match="could not be processed: RuntimeError: no such thing"):
        run("ingest")


def test_reading_that_a_person_has_to_resume_is_told(run: Run) -> None:
    a_delivery(an_update())
    Registration.objects.update(ingest_stopped_reason="21 items in a row could not be read.")
    with pytest.raises(CommandError, match="21 items in a row"):
        run("ingest")
    assert Delivery.objects.get().state == DeliveryState.RECEIVED


def test_rebuild_of_what_is_right_changes_nothing(run: Run) -> None:
    some_history()
    before = everything()
    said = run("ingest", rebuild=True)
    assert "3 deliveries processed again: 0 rows added, 0 corrected, 0 removed" in said
    assert without(everything(), "version") == without(before, "version")


def test_rebuild_reports_what_changed_in_the_story(run: Run) -> None:
    phone_update(None, "1", 1, "ONE")
    phone_update(None, "1", 1, "TWO")
    phone_update(None, "1", 2, "THREE")
    Observation.objects.all().delete()
    Change.objects.update(superseded=False, replaced_by=None, entry=0)
    said = run("ingest", rebuild=True)
    assert "Changes of 1 companies differ: 1 replaced by one that reports the same fact, 0 withdrawn" in said
    assert "1 reports by other registrations added" in said


def drop_rows() -> None:
    Change.objects.all().delete()
    Notification.objects.all().delete()


def drop_projection() -> None:
    Company.objects.update(name="", search_name="", country="", operating_status="", changed_at=None)
    DailyStat.objects.all().delete()


def spoil_columns() -> None:
    Notification.objects.update(delivered_at=None, retained_duns="x")
    Change.objects.update(changed_at=MOMENT.replace(year=1999), previous=None, current='"x"', element="x")


def add_ghosts() -> None:
    for delivery in Delivery.objects.order_by("id")[:1]:
        a_ghost(delivery)
    Company.objects.filter(pk=DUNS).update(name="GHOST LTD", changed_at=MOMENT.replace(year=2030))


@pytest.mark.parametrize("harm", [drop_rows, drop_projection, spoil_columns, add_ghosts])
def test_rebuild_restores_what_was_harmed(harm: Callable[[], None]) -> None:
    some_history()
    before = comparable(everything())
    harm()
    rebuild()
    assert comparable(everything()) == before


def comparable(rows: Rows) -> Rows:
    """Without what tells when a row was written."""
    return without(rows, "version", "recorded_at", "tried_at")


def without(rows: Rows, *names: str) -> Rows:
    return {
        model: [{name: value for name, value in row.items() if name not in names} for row in of_model]
        for model, of_model in rows.items()
    }


def test_rebuild_keeps_publications_and_says_how_many_changes_they_hold() -> None:
    some_history()
    before = list(Publication.objects.order_by("sequence").values())
    drop_rows()
    rebuild()
    assert list(Publication.objects.order_by("sequence").values()) == before


def test_a_row_that_another_delivery_yields_moves_there() -> None:
    first = delivered(a_notice("REVIEWED"))
    second = delivered(an_update())
    Notification.objects.filter(delivery=second).update(delivery=first)
    Change.objects.filter(delivery=second).update(delivery=first)
    result = rebuild()
    assert result.removed == 0
    assert Notification.objects.get(type="UPDATE").delivery == second
    assert Change.objects.get(kind=Kind.ELEMENT).delivery == second
    assert [Delivery.objects.get(pk=one.pk).new_count for one in (first, second)] == [1, 1]


def test_what_is_no_longer_stored_is_no_reason_to_remove() -> None:
    delivery = delivered(an_update())
    a_ghost(delivery)
    delete_bytes(delivery.pk)
    assert rebuild().removed == 0
    assert Notification.objects.count() == 2


def test_what_cannot_be_read_now_is_no_reason_to_remove() -> None:
    a_ghost(delivered(an_update(), '{"type": "UPDATE"}'), position=1)
    assert rebuild().removed == 0


def test_bytes_that_cannot_be_split_now_are_told_and_change_nothing() -> None:
    delivery = delivered(an_update())
    delete_bytes(delivery.pk)
    store_bytes(delivery.pk, b"<html>")
    result = rebuild()
    assert (result.removed, result.unreadable) == (0, 1)
    assert Notification.objects.count() == 1


def test_an_item_that_can_be_read_by_now_is_unreadable_no_longer() -> None:
    delivery = delivered(an_update())
    registration = delivery.registration
    DeadLetter.objects.create(
        id=UUID(int=1), registration=registration, delivery=delivery, position=0, reason="once", recorded_at=MOMENT
    )
    rebuild()
    assert DeadLetter.objects.get().state == DeadLetterState.SOLVED


def derived() -> list[tuple[str | None, str | None, bool]]:
    rows = Change.objects.exclude(derived_from="").order_by("changed_at", "previous")
    return list(rows.values_list("previous", "current", "superseded"))


def three_seeds() -> list[Delivery]:
    full = a_registration("FULL_01", full_product=True)
    return [
        delivered(a_seed(primaryName=name, delivered=stamp(days=day)), registration=full, at=stamp(days=day))
        for day, name in enumerate(["One", "Two", "Three"], 1)
    ]


def test_derived_changes_stay_while_their_seeds_do() -> None:
    three_seeds()
    before = derived()
    assert before == [('"One"', '"Two"', False), ('"Two"', '"Three"', False)]
    assert rebuild().removed == 0
    assert derived() == before


def test_seeds_whose_middle_one_is_gone_are_compared_anew() -> None:
    _, second, _ = three_seeds()
    ghost = Notification.objects.get(delivery=second)
    # As if a better reader gave this item another id.
    new_id = UUID(int=ghost.pk.int ^ 1)
    Notification.objects.create(**{**values(ghost), "id": new_id, "organization": '{"duns": "804735132"}'})
    Change.objects.exclude(derived_from="").delete()
    Change.objects.filter(notification=ghost).update(notification=new_id)
    ghost.delete()
    compare_company(second, DUNS, SeverityTable())
    rebuild()
    assert not Notification.objects.filter(pk=new_id).exists()
    assert [row for row in derived() if not row[2]] == [('"One"', '"Two"', False), ('"Two"', '"Three"', False)]


def values(row: models.Model) -> dict[str, Any]:
    return {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}


def test_a_rebuild_that_was_stopped_can_begin_again() -> None:
    some_history()
    before = comparable(everything())
    drop_rows()

    def stop(text: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rebuild(report=stop)
    rebuild()
    assert comparable(everything()) == before


def test_many_suspects_are_settled_in_between(monkeypatch: pytest.MonkeyPatch) -> None:
    some_history()
    before = comparable(everything())
    add_ghosts()
    monkeypatch.setattr(rebuild_rebuild, "MOST_SUSPECTS", 1)
    assert rebuild().removed == 2
    assert comparable(everything()) == before
