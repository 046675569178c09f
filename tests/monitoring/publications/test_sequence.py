"""Numbers without a hole, one for each delivery, in an order that readers can rely on."""

import threading

import pytest
from django.db import connection

from monitoring.models import Change, Delivery, DeliveryState, Publication
from monitoring.pipeline import ingest as pipeline_ingest
from monitoring.pipeline.ingest import ingest, write
from monitoring.publications.sequence import publish, publish_waiting
from tests.builders.deliveries import a_delivery, delivered
from tests.builders.elements import an_element
from tests.builders.notifications import a_notice, a_seed, an_update
from tests.builders.registrations import a_registration
from tests.builders.times import stamp


@pytest.mark.django_db
def test_numbers_run_from_one_without_a_hole() -> None:
    for name in "ABC":
        delivered(an_update(an_element(current=name)))
    assert list(Publication.objects.order_by("sequence").values_list("sequence", flat=True)) == [1, 2, 3]


@pytest.mark.django_db
def test_a_delivery_is_published_once() -> None:
    delivery = delivered(a_notice())
    assert publish(delivery).sequence == publish(delivery).sequence == 1


@pytest.mark.django_db
def test_publishes_what_a_dead_process_has_read() -> None:
    delivery = a_delivery(a_notice())
    write(delivery)
    assert Delivery.objects.get().state == DeliveryState.INGESTED
    assert len(publish_waiting()) == 1
    assert Delivery.objects.get().state == DeliveryState.PUBLISHED


@pytest.mark.django_db(transaction=True)
def test_four_writers_at_once_leave_no_hole_and_take_no_number_twice() -> None:
    deliveries = [a_delivery(an_update(an_element(current=str(sequence)))) for sequence in range(24)]
    for delivery in deliveries:
        write(delivery)
    errors: list[Exception] = []

    def work(mine: list[Delivery]) -> None:
        try:
            for delivery in mine:
                publish(delivery)
        except Exception as error:  # noqa: BLE001
            # An error ends only its thread: kept here, it fails the test.
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=(deliveries[start::4] + deliveries[:3],)) for start in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert sorted(Publication.objects.values_list("sequence", flat=True)) == list(range(1, 25))
    assert Publication.objects.values("delivery").distinct().count() == 24


@pytest.mark.django_db
def test_what_comes_into_a_delivery_after_its_publication_gets_a_number_of_its_own() -> None:
    delivery = delivered(a_notice(), an_update())
    Change.objects.filter(kind="element").delete()
    ingest(delivery)
    late = Publication.objects.get(sequence=2)
    assert late.change_count == 1
    assert Change.objects.get(kind="element").delivery_id == late.delivery_id
    ingest(delivery)
    assert Publication.objects.count() == 2


@pytest.mark.django_db
def test_a_comparison_is_never_hidden_behind_readers_of_the_feed(monkeypatch: pytest.MonkeyPatch) -> None:
    registration = a_registration("FULL", full_product=True)
    first = delivered(a_seed(primaryName="A", delivered=stamp(days=1)), registration=registration)
    late = a_delivery(a_seed(primaryName="B", delivered=stamp(days=2)), registration=registration)
    with monkeypatch.context() as patch:
        patch.setattr(pipeline_ingest, "compare_seeds", lambda *arguments: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            ingest(late)
    ingest(first)
    ingest(late)
    comparison = Change.objects.get(kind="element")
    assert comparison.current == '"B"'
    seen_by_then = Publication.objects.get(delivery=first).sequence
    assert Publication.objects.get(delivery=comparison.delivery).sequence > seen_by_then
