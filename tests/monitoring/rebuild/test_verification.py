"""Each night: what came after its publication is published again, and companies show what their history says."""

from typing import Any

import pytest

from core.db import database_now, insert_new
from core.models import AuditEntry
from dnbmon_site.worker.schedules import JOBS
from monitoring import jobs
from monitoring.claims import LASTS
from monitoring.history.facts import WITHDRAWN
from monitoring.history.settle import entry_of
from monitoring.history.state import events_of
from monitoring.models import Change, ConsumerOffset, Delivery, DeliveryState, Observation, Publication
from monitoring.pipeline import ingest as pipeline_ingest
from monitoring.publications.sequence import counts_of
from monitoring.rebuild import verification
from portfolio.models import Company
from tests.builders.companies import DUNS, OTHER
from tests.builders.deliveries import a_delivery, delivered
from tests.builders.notifications import a_seed, an_update
from tests.builders.story import phone_seed, phone_update
from tests.builders.times import ago

pytestmark = pytest.mark.django_db


def test_what_is_right_is_left_alone() -> None:
    delivered(a_seed(), a_seed(OTHER))
    for reference in ("ONE", "TWO"):
        phone_update(None, "1", 1, reference)
    before = list(Publication.objects.values()), list(Company.objects.order_by("pk").values())
    said = jobs.verify_stored_data()
    assert said == ("3 publications verified, 0 entries published again; 2 companies verified, 0 corrected")
    assert (list(Publication.objects.values()), list(Company.objects.order_by("pk").values())) == before
    assert not AuditEntry.objects.filter(action="verify").exists()
    assert ("Verify stored data", "monitoring.jobs.verify_stored_data", 24 * 60) in JOBS


def test_entries_that_came_after_their_publication_are_published_again() -> None:
    first = phone_update(None, "1", 1, "ONE")
    second = phone_update(None, "1", 1, "TWO")
    late = [Change.objects.get().pk, Observation.objects.get().pk]
    for delivery in (first, second):
        Publication.objects.filter(delivery=delivery).update(entry_count=0)
    assert "2 entries published again" in jobs.verify_stored_data()
    found: list[Change | Observation] = [Change.objects.get(), Observation.objects.get()]
    assert [row.pk for row in found] == late
    assert [row.delivery.publication.sequence for row in found] == [3, 4]
    assert all(row.entry_count == counts_of(row.delivery_id)["entry_count"] for row in Publication.objects.all())
    assert "0 entries published again" in jobs.verify_stored_data()
    assert "2 entries published again, 0 companies" in AuditEntry.objects.get(action="verify").summary


def test_of_a_delivery_the_last_that_were_recorded_came_late() -> None:
    first = phone_update(None, "1", 1, "ONE")
    other = phone_update(None, "2", 9, "ONE")
    Change.objects.filter(delivery=other).update(delivery=first)
    assert "1 entries published again" in jobs.verify_stored_data()
    assert Change.objects.get(current='"1"').delivery_id == first.pk
    assert Change.objects.get(current='"2"').delivery.publication.sequence == 3


def test_where_the_last_entry_of_a_change_says_otherwise_another_one_is_published() -> None:
    """As somebody leaves it who was killed after publishing."""
    phone_seed(None, 1)
    later = phone_seed("1", 3)
    change = Change.objects.exclude(derived_from="").get()
    insert_new(Observation, [entry_of(change, WITHDRAWN, later)])
    Publication.objects.filter(delivery=later).update(**counts_of(later.pk))
    assert "1 entries published again" in jobs.verify_stored_data()
    assert list(Observation.objects.order_by("delivery__publication").values_list("verb", flat=True)) == [
        *("withdrawn", "reinstated")
    ]
    assert "0 entries published again" in jobs.verify_stored_data()


def test_older_publications_are_not_looked_at() -> None:
    delivery = phone_update(None, "1", 1)
    Publication.objects.update(entry_count=0, published_at=ago(days=3))
    assert "0 publications verified" in jobs.verify_stored_data()
    assert Change.objects.get().delivery_id == delivery.pk


def test_columns_that_differ_from_history_are_corrected_and_counted() -> None:
    delivered(a_seed(), a_seed(OTHER))
    Company.objects.filter(pk=DUNS).update(name="WRONG", country="XX")
    assert "2 companies verified, 1 corrected" in jobs.verify_stored_data()
    assert Company.objects.values_list("name", "country").get(pk=DUNS) == ("Acme Ltd", "GB")
    assert "1 companies updated" in AuditEntry.objects.get(action="verify").summary


def test_a_name_that_no_history_tells_stays() -> None:
    Company.objects.create(duns=DUNS, name="From a list", search_name="from a list")
    phone_update(None, "1", 1)
    assert "0 corrected" in jobs.verify_stored_data()
    assert Company.objects.get().name == "From a list"


def test_the_next_night_goes_on_where_the_last_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = [f"1000000{number:02}" for number in range(5)]
    delivered(*(a_seed(duns) for duns in numbers))
    monkeypatch.setattr(verification, "AT_ONCE", 2)
    monkeypatch.setattr(verification, "MOST_COMPANIES", 2)
    seen = []
    for _ in range(5):
        jobs.verify_stored_data()
        seen.append(ConsumerOffset.objects.get(pk="verified companies").position)
    assert seen == [int(numbers[1]), int(numbers[3]), 0, int(numbers[1]), int(numbers[3])]


def test_what_somebody_reads_is_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its rows are there, and the company follows in a moment; also where the reader has died in between."""
    delivered(a_seed())
    late = a_delivery(a_seed(primaryName="New Ltd", delivered=None), at=None)

    def dies(*arguments: Any) -> None:
        raise RuntimeError("killed")

    monkeypatch.setattr(pipeline_ingest, "_bring_companies_up_to_date", dies)
    jobs.ingest_now(late)
    assert "0 corrected" in jobs.verify_stored_data()
    delivered_elsewhere = Delivery.objects.filter(pk=late.pk)
    delivered_elsewhere.update(claimed_until=database_now() + LASTS)
    Company.objects.update(city="Nowhere")
    assert "0 corrected" in jobs.verify_stored_data()
    delivered_elsewhere.update(claimed_until=None, state=DeliveryState.PUBLISHED)
    assert "1 corrected" in jobs.verify_stored_data()
    assert Company.objects.values_list("name", "city").get() == ("New Ltd", "")


def test_nothing_is_counted_where_somebody_writes_the_company_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    delivered(a_seed(), an_update())
    Company.objects.update(city="Nowhere")

    def interrupted(*arguments: Any, **options: Any) -> Any:
        Company.objects.update(version=99)
        return events_of(*arguments, **options)

    monkeypatch.setattr(verification, "events_of", interrupted)
    assert "0 corrected" in jobs.verify_stored_data()
