"""Reading deliveries: items stand alone, repetition is harmless, and too much that is unreadable stops it."""

from typing import Any

import pytest
from django.db import DataError
from django.utils import timezone

from core.blobs import load_bytes
from core.db import insert_new
from monitoring.content_ids import source_of
from monitoring.ingest import circuit_breaker, insert
from monitoring.ingest.circuit_breaker import resume_ingest
from monitoring.models import (
    Change,
    DeadLetter,
    DeadLetterState,
    Delivery,
    DeliveryState,
    Element,
    Kind,
    Notification,
    Publication,
    Severity,
    Source,
)
from monitoring.pipeline import ingest as pipeline_ingest
from monitoring.pipeline.ingest import ingest, retry_dead_letter, waiting_deliveries
from portfolio.models import Company, Registration
from tests.builders.companies import DUNS
from tests.builders.deliveries import a_delivery, delivered
from tests.builders.elements import an_element
from tests.builders.notifications import a_notice, a_seed, a_transfer, an_update
from tests.builders.registrations import a_registration
from tests.builders.times import stamp

pytestmark = pytest.mark.django_db

KINDS = {
    "SEED": Kind.BASELINE,
    "DELETE": Kind.DELETED,
    "UNDELETE": Kind.RESTORED,
    "TRANSFER": Kind.TRANSFERRED,
    "UNDER_REVIEW": Kind.UNDER_REVIEW,
    "REVIEWED": Kind.REVIEWED,
    "EXIT": Kind.LEFT,
    "ENTER": Kind.ENTERED,
    "REMOVED": Kind.REMOVED,
    "NEVER_HEARD_OF": Kind.UNKNOWN,
}


@pytest.mark.parametrize("type_", KINDS)
def test_every_notification_makes_a_change(type_: str) -> None:
    delivered(a_seed() if type_ == "SEED" else a_notice(type_))
    assert Change.objects.get().kind == KINDS[type_]


def test_an_update_makes_a_change_an_element() -> None:
    delivered(an_update(an_element("organization.a"), an_element("organization.b")))
    assert set(Change.objects.values_list("element", flat=True)) == {"organization.a", "organization.b"}


def test_an_update_without_elements_makes_a_change_too() -> None:
    item = an_update()
    item["elements"] = []
    delivered(item)
    assert Change.objects.get().kind == Kind.UNKNOWN


def test_a_transfer_names_who_remains() -> None:
    delivered(a_transfer(to="150483782"))
    assert Notification.objects.get().retained_duns == "150483782"
    assert Change.objects.get().current == '"150483782"'


def test_the_same_fact_from_two_registrations_is_one_change() -> None:
    for reference in ("ONE", "TWO"):
        delivered(an_update(), registration=a_registration(reference))
    assert (Notification.objects.count(), Change.objects.count()) == (2, 1)


def test_rows_belong_to_the_delivery_that_brought_them_first() -> None:
    first = delivered(an_update())
    second = delivered(an_update(), an_update(an_element(current="NEWEST")))
    assert (first.new_count, second.new_count) == (1, 1)
    assert set(Change.objects.values_list("delivery_id", flat=True)) == {first.pk, second.pk}


def test_reading_a_delivery_again_changes_nothing() -> None:
    delivery = delivered(a_seed(), an_update(), a_notice())
    before = [list(model.objects.order_by("pk").values()) for model in (Notification, Change, Company, Publication)]
    ingest(delivery)
    assert [list(m.objects.order_by("pk").values()) for m in (Notification, Change, Company, Publication)] == before
    delivery.refresh_from_db()
    assert (delivery.state, delivery.new_count) == (DeliveryState.PUBLISHED, 3)


def test_goes_on_after_being_killed_between_any_two_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    steps = [
        (insert, "_insert_notifications"),
        (insert, "_insert"),
        (insert, "_keep_unreadable"),
        (pipeline_ingest, "_bring_companies_up_to_date"),
        (pipeline_ingest, "_mark_ingested"),
        (pipeline_ingest, "publish"),
    ]
    delivery = a_delivery(a_seed(), an_update(), "nonsense", a_notice())

    class Killed(Exception):
        pass

    def die(*arguments: Any, **options: Any) -> None:
        raise Killed

    for module, step in steps:
        with monkeypatch.context() as patch:
            patch.setattr(module, step, die)
            with pytest.raises(Killed):
                ingest(delivery)
    ingest(Delivery.objects.get(pk=delivery.pk))
    delivery.refresh_from_db()
    assert (delivery.state, delivery.new_count) == (DeliveryState.PUBLISHED, 3)
    assert (Notification.objects.count(), Change.objects.count(), DeadLetter.objects.count()) == (3, 3, 1)
    assert Publication.objects.get().change_count == 3


def test_unknown_paths_appear_in_the_elements_with_words_and_weight() -> None:
    delivered(an_update(an_element("organization.corporateLinkage.globalUltimate.duns")))
    element = Element.objects.get()
    assert (element.label, element.severity) == ("Duns (global ultimate)", Severity.HIGH)


def test_severities_that_people_set_count_from_then_on() -> None:
    delivered(an_update(an_element("organization.websiteAddress")))
    Element.objects.update(severity=Severity.HIGH)
    delivered(an_update(an_element("organization.websiteAddress", current="later")))
    assert sorted(Change.objects.values_list("severity", flat=True)) == [Severity.LOW, Severity.HIGH]


def test_a_path_too_long_for_an_index_is_kept_apart_from_its_like() -> None:
    long = "organization." + "x" * 500
    delivered(an_update(an_element(long + "a"), an_element(long + "b")))
    assert len(set(Change.objects.values_list("element", flat=True))) == 2


def test_company_names_are_cleaned_and_cut() -> None:
    delivered(a_seed(primaryName="A" * 5000))
    delivered('{"type":"SEED","organization":{"duns":"100000001","primaryName":"A\\u0000B\\ud800C"}}')
    assert len(Company.objects.get(pk=DUNS).name) == 1000
    assert Company.objects.get(pk="100000001").name == "A\ufffdB?C"


def test_a_row_that_the_database_refuses_becomes_a_dead_letter(monkeypatch: pytest.MonkeyPatch) -> None:
    real = insert_new

    def refuse(model: Any, rows: Any, **options: Any) -> Any:
        if model is Notification and any(row.company_id == "100000001" for row in rows):
            raise DataError("value out of range")
        return real(model, rows, **options)

    monkeypatch.setattr(insert, "insert_new", refuse)
    delivery = delivered(a_seed(), a_seed("100000001"), a_notice(duns="100000002"))
    assert (Notification.objects.count(), Change.objects.count()) == (2, 2)
    assert "value out of range" in DeadLetter.objects.get().reason
    assert delivery.state == DeliveryState.PUBLISHED


def test_while_the_database_answers_nothing_no_item_is_at_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    real = insert_new

    def refuse(model: Any, rows: Any, **options: Any) -> Any:
        if model is Notification:
            raise DataError("the server has gone away")
        return real(model, rows, **options)

    delivery = a_delivery(a_seed())
    monkeypatch.setattr(insert, "insert_new", refuse)
    monkeypatch.setattr(insert, "_database_answers", lambda: False)
    with pytest.raises(DataError):
        ingest(delivery)
    assert not DeadLetter.objects.exists()
    assert waiting_deliveries() == [delivery.pk]


def test_a_dead_letter_keeps_the_bytes_and_is_read_when_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    item = '{"type": "UPDATE", "organization": {"duns": "12345678"}, "elements": []}'
    delivered(item)
    letter = DeadLetter.objects.get()
    assert load_bytes(letter.pk) == item.encode()
    assert retry_dead_letter(letter) is False
    letter.refresh_from_db()
    assert (letter.state, letter.tried_at is not None) == (DeadLetterState.OPEN, True)
    monkeypatch.setattr("direct_plus.payloads.normalise_duns", lambda text: text.zfill(9))
    assert retry_dead_letter(letter) is True
    letter.refresh_from_db()
    assert letter.state == DeadLetterState.SOLVED
    retry = Delivery.objects.filter(source=Source.RETRY).order_by("-id")[0]
    assert (retry.state, retry.new_count) == (DeliveryState.PUBLISHED, 1)
    assert Publication.objects.filter(delivery=retry).exists()


def test_the_same_unreadable_item_is_one_dead_letter() -> None:
    delivered("nonsense")
    delivered("nonsense", "nonsense")
    assert DeadLetter.objects.count() == 1
    assert DeadLetter.objects.get().pk.version == 8
    assert source_of("a", "b") != source_of("a", "c")


def test_twenty_unreadable_in_a_row_stop_reading_but_lose_nothing() -> None:
    delivered(*[f"[{number}]" for number in range(12)])
    registration = a_registration()
    assert registration.ingest_stopped_reason == ""
    delivered(*[f"[1, {number}]" for number in range(8)])
    registration.refresh_from_db()
    assert "20 items in a row" in registration.ingest_stopped_reason
    waiting = a_delivery(an_update())
    assert ingest(waiting) == 0
    assert waiting_deliveries() == []
    resume_ingest(registration)
    assert waiting_deliveries() == [waiting.pk]
    delivered("[0]")
    ingest(Delivery.objects.get(pk=waiting.pk))
    registration.refresh_from_db()
    assert (registration.ingest_stopped_reason, Notification.objects.count()) == ("", 1)


def test_more_than_one_in_a_hundred_of_the_last_ones_stop_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(circuit_breaker, "WINDOW", 100)
    good = [a_notice(delivered=stamp(seconds=number)) for number in range(98)]
    delivered(*good[:50], "[0]", *good[50:], "[1]")
    assert "2 of the last 100" in Registration.objects.get().ingest_stopped_reason


def test_one_in_a_hundred_is_borne(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(circuit_breaker, "WINDOW", 100)
    delivered(*[a_notice(delivered=stamp(seconds=number)) for number in range(99)], "[0]")
    assert Registration.objects.get().ingest_stopped_reason == ""


def test_changed_at_of_a_company_ignores_noise() -> None:
    delivered(a_seed(delivered=stamp(days=1)))
    delivered(an_update(an_element("organization.dnbAssessment.failureScore.scoreDate", timestamp=stamp(days=5))))
    changed_at = Company.objects.get().changed_at
    assert changed_at is not None
    assert changed_at.day == 8
    assert timezone.is_aware(changed_at)
