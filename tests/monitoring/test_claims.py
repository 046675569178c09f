"""One process reads a delivery; of one that dies, another takes it when the claim ends, and nothing is left out."""

from datetime import timedelta
from time import monotonic
from typing import Any

import pytest

from core.db import database_now
from monitoring import jobs
from monitoring.claims import LASTS, Claim, ClaimLost, claimed, claimed_together
from monitoring.history import settle as settling
from monitoring.models import Change, Delivery, DeliveryState, Observation, Publication, Source
from monitoring.pipeline import ingest as pipeline_ingest
from monitoring.pipeline.apart import publish_left_behind
from monitoring.pipeline.ingest import Apart, ingest, surplus_of, waiting_deliveries
from monitoring.publications.sequence import counts_of
from monitoring.story_order import OLDEST_FIRST
from portfolio.models import Company
from tests.builders.deliveries import a_delivery
from tests.builders.elements import an_element
from tests.builders.notifications import a_seed, an_update
from tests.builders.registrations import a_registration
from tests.builders.story import PHONE, observations, phone_seed, phone_update
from tests.builders.times import stamp
from tests.interleaving import without_transactions

pytestmark = pytest.mark.django_db


class Killed(BaseException):
    """As a process ends in the middle: nothing is caught, nothing given back."""


def dies(*arguments: Any, **options: Any) -> Any:
    raise Killed


def dies_after(function: Any) -> Any:
    def called(*arguments: Any, **options: Any) -> Any:
        function(*arguments, **options)
        raise Killed

    return called


def claim_ends(delivery: Delivery) -> None:
    Delivery.objects.filter(pk=delivery.pk).update(claimed_until=database_now() - timedelta(seconds=1))


def test_what_somebody_reads_nobody_else_reads() -> None:
    delivery = a_delivery(an_update())
    with claimed(delivery) as claim:
        assert claim and waiting_deliveries() == []
        assert ingest(Delivery.objects.get()) == 0 and not Change.objects.exists()
    assert waiting_deliveries() == [delivery.pk]
    assert ingest(Delivery.objects.get()) == 1
    assert Delivery.objects.values_list("state", "claimed_until").get() == (DeliveryState.PUBLISHED, None)


def test_deliveries_claimed_together_are_given_back_each_by_itself() -> None:
    first, second, third = (a_delivery(an_update()) for _ in range(3))
    with claimed_together([first, second]) as claims:
        assert waiting_deliveries() == [third.pk]
        claims[first.pk].release()
        assert waiting_deliveries() == sorted([first.pk, third.pk])


def test_a_claim_counts_until_it_ends_and_what_was_read_is_not_claimed() -> None:
    delivery = a_delivery(an_update())
    Delivery.objects.update(claimed_until=database_now() + LASTS / 5)
    with claimed(delivery) as claim:
        assert claim is None
    claim_ends(delivery)
    ingest(delivery)
    with claimed(delivery) as claim:
        assert claim is None


def test_a_reading_that_fails_gives_the_claim_back(monkeypatch: pytest.MonkeyPatch) -> None:
    delivery = a_delivery(an_update())
    with monkeypatch.context() as patched:
        patched.setattr(pipeline_ingest, "settle", lambda *arguments: 1 / 0)
        jobs.ingest_now(delivery)
    assert waiting_deliveries() == [delivery.pk]
    assert "ZeroDivisionError" in Delivery.objects.get().error
    assert jobs.ingest_received() == 1 and Delivery.objects.get().state == DeliveryState.PUBLISHED


def test_only_the_claimant_marks_it_as_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that stood still until its claim had ended finds that another has it, and leaves the rest to that one."""
    delivery = a_delivery(an_update())

    def slow(*arguments: Any, **options: Any) -> Any:
        claim_ends(delivery)
        Delivery.objects.filter(pk=delivery.pk).update(claimed_until=database_now() + LASTS * 2)
        return settling.settle(*arguments, **options)

    monkeypatch.setattr(pipeline_ingest, "settle", slow)
    assert ingest(delivery) == 0
    assert Delivery.objects.get().state == DeliveryState.RECEIVED and not Publication.objects.exists()
    monkeypatch.undo()
    claim_ends(delivery)
    ingest(delivery)
    assert Publication.objects.get().entry_count == 1


def test_a_claim_that_has_become_old_is_renewed_or_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    with claimed(a_delivery(an_update())) as claim:
        assert claim
        before = claim.until, claim.taken
        claim.keep()
        assert (claim.until, claim.taken) == before
        claim.taken -= LASTS.total_seconds()
        claim.keep()
        assert Delivery.objects.get().claimed_until == claim.until >= before[0] and claim.taken > monotonic() - 1
        claim.taken -= LASTS.total_seconds()
        Delivery.objects.update(claimed_until=None)
        with pytest.raises(ClaimLost):
            claim.keep()


STEPS: list[tuple[Any, str, Any]] = [
    (pipeline_ingest, "insert_what_is_new", dies),
    (pipeline_ingest, "settle", dies),
    (settling._Writer, "_publish", dies),
    # The entry is there, and the change is as before.
    (settling._Writer, "_publish", dies_after(settling._Writer._publish)),
    (pipeline_ingest, "_bring_companies_up_to_date", dies),
    (pipeline_ingest, "_mark_ingested", dies),
    (pipeline_ingest, "publish", dies),
]


@pytest.mark.parametrize("step", range(len(STEPS)))
def test_who_is_killed_on_the_way_leaves_nothing_out(step: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """An UPDATE that replaces a published difference: the entry of that belongs to the delivery, and its own change."""
    phone_seed(None, 0)
    phone_seed("1", 4)
    late = a_delivery(an_update(an_element(PHONE, None, "1", stamp(days=3)), delivered=stamp(days=5)))
    with monkeypatch.context() as patched:
        patched.setattr(*STEPS[step])
        without_transactions(patched, settling)
        patched.setattr(Claim, "release", lambda self: None)
        with pytest.raises(Killed):
            ingest(late)
    assert Publication.objects.count() == 2
    claim_ends(late)
    jobs.ingest_received()
    publish_left_behind()
    publication = Publication.objects.get(sequence=3)
    assert (publication.delivery_id, publication.change_count, publication.entry_count) == (late.pk, 1, 2)
    assert Observation.objects.get().verb == "replaced" and Change.objects.filter(superseded=True).count() == 1
    assert all(surplus_of(row.pk) == [] for row in Delivery.objects.all())


def a_page(name: str, stands_for: int) -> Delivery:
    """Of a replay, with one document; all have one stamp."""
    item = a_seed(primaryName=name, delivered=stamp(hours=1))
    delivery = a_delivery(item, registration=a_registration(full_product=True), source=Source.REPLAY)
    Delivery.objects.filter(pk=delivery.pk).update(stands_for=stands_for)
    delivery.refresh_from_db()
    return delivery


@pytest.mark.parametrize("step", ["compare_seeds", "order_moments", "settle", "_bring_companies_up_to_date"])
def test_who_is_killed_after_it_moved_a_document_leaves_nothing_out(step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """1, 3, 2 becomes 1, 2, 3."""
    for name, stands_for in (("1", 1), ("3", 200), ("2", 300)):
        ingest(a_page(name, stands_for))
    late = a_page("2", stands_for=100)
    with monkeypatch.context() as patched:
        patched.setattr(pipeline_ingest, step, dies)
        patched.setattr(Claim, "release", lambda self: None)
        with pytest.raises(Killed):
            ingest(late)
    claim_ends(late)
    jobs.ingest_received()
    live = Change.objects.exclude(derived_from="").filter(superseded=False).order_by(*OLDEST_FIRST)
    assert list(live.values_list("previous", "current")) == [('"1"', '"2"'), ('"2"', '"3"')]
    for publication in Publication.objects.all():
        counts = counts_of(publication.delivery_id)
        assert (publication.change_count, publication.entry_count) == (counts["change_count"], counts["entry_count"])
    assert Company.objects.get().name == "3"


def test_what_a_second_reading_left_behind_gets_a_number_when_it_is_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    registration = a_registration("WHOLE", full_product=True)
    phone_seed(None, 0)
    late = phone_seed("1", 4)
    Change.objects.exclude(derived_from="").delete()
    Publication.objects.filter(delivery=late).update(**counts_of(late.pk))
    with monkeypatch.context() as patched:
        patched.setattr(Apart, "take", dies)
        with pytest.raises(Killed):
            ingest(late)
    assert [row.pk for row in surplus_of(late.pk)] == [Change.objects.exclude(derived_from="").get().pk]
    ingest(late)
    newest = Publication.objects.get(sequence=3)
    assert (newest.entry_count, newest.registration) == (1, registration.pk)
    assert Change.objects.exclude(derived_from="").get().delivery_id == newest.delivery_id
    ingest(late)
    assert Publication.objects.count() == 3


@pytest.mark.parametrize("is_published", [True, False])
def test_what_a_second_reading_published_before_it_was_killed_is_not_published_twice(
    is_published: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What an earlier version did not see is replaced: the entry is there, the change is as before."""
    phone_seed(None, 0)
    phone_seed("1", 4)
    late = phone_update(None, "1", 3)
    Observation.objects.all().delete()
    Change.objects.filter(superseded=True).update(superseded=False, replaced_by=None)
    Publication.objects.filter(delivery=late).update(**counts_of(late.pk))
    with monkeypatch.context() as patched:
        patched.setattr(settling._Writer, "_publish", dies_after(settling._Writer._publish))
        without_transactions(patched, settling)
        with pytest.raises(Killed):
            ingest(late)
    made = Delivery.objects.get(source=Source.RETRY)
    if is_published:
        claim_ends(made)
        assert publish_left_behind() == 1
    ingest(late)
    claim_ends(made)
    publish_left_behind()
    assert observations() == [("WHOLE", "replaced", False)]
    assert Change.objects.filter(superseded=True).count() == 1
    assert all(surplus_of(row.pk) == [] for row in Delivery.objects.all())


def last_verbs() -> dict[str, tuple[str, bool]]:
    """Of each change that the feed reports more than once: the last verb, and whether it holds."""
    rows = Observation.objects.exclude(verb="observed").order_by("delivery__publication")
    return {row.change.current or "": (row.verb, not row.change.superseded) for row in rows.select_related("change")}


@pytest.mark.parametrize("reading", ["first", "second"])
def test_an_entry_of_a_killed_reading_is_corrected_where_the_change_holds_after_all(
    reading: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The UPDATE would explain the difference, if a document that comes in between did not show it before."""
    phone_seed(None, 1)
    phone_seed("1", 3)
    late = a_delivery(an_update(an_element(PHONE, None, "1", stamp(days=0.501)), delivered=stamp(days=0.501)))
    if reading == "second":
        Delivery.objects.filter(pk=late.pk).update(state=DeliveryState.INGESTED)
        late.refresh_from_db()
    with monkeypatch.context() as patched:
        patched.setattr(settling._Writer, "_publish", dies_after(settling._Writer._publish))
        without_transactions(patched, settling, pipeline_ingest)
        patched.setattr(Claim, "release", lambda self: None)
        with pytest.raises(Killed):
            ingest(late)
    assert [verb for _, verb, _ in observations()] == ["replaced"]
    phone_seed("1", 0.5)
    for delivery in Delivery.objects.exclude(claimed_until=None):
        claim_ends(delivery)
    jobs.ingest_received()
    publish_left_behind()
    assert last_verbs()['"1"'] == ("reinstated", True)
    assert all(surplus_of(row.pk) == [] for row in Delivery.objects.all())


def test_a_delivery_of_its_own_is_not_published_before_its_entries_are_in_it() -> None:
    late = phone_update(None, "1", 1)
    apart = Apart(late)
    made = apart.delivery()
    assert publish_left_behind() == 0
    claim_ends(made)
    assert publish_left_behind() == 1, "who made it has died"
    apart.claimed -= LASTS.total_seconds()
    assert apart.delivery().pk != made.pk, "what comes now needs another number"
