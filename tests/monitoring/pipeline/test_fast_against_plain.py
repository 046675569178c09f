"""Deliveries that are read together come to the same as each read alone: rows, companies, and what the feed says.

The random worlds of `tests/story` hold what makes that hard: several sources that report the same, whole documents with
equal stamps, lost answers and replays, files. Any cut of a plain stream into deliveries is tried as well.
"""

import random
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

import pytest

from core.blobs import delete_bytes
from core.db import database_now
from monitoring import jobs
from monitoring.claims import Claim
from monitoring.models import Change, Delivery, DeliveryState, Entry, Notification, Observation, Publication, Verb
from monitoring.pipeline import ingest as pipeline_ingest
from monitoring.pipeline.ingest import ingest, ingest_together, waiting_together
from monitoring.publications.sequence import counts_of
from portfolio.models import Company, Registration
from tests.builders.companies import DUNS, OTHER
from tests.builders.deliveries import a_delivery
from tests.builders.elements import an_element
from tests.builders.notifications import a_notice, a_seed, an_update
from tests.builders.registrations import a_registration
from tests.builders.times import stamp
from tests.story.application import found, registrations, store
from tests.story.comparison import judge
from tests.story.model import StoredDelivery
from tests.story.worlds import World

pytestmark = pytest.mark.django_db
COLUMNS = ("name", "country", "city", "operating_status", "changed_at", "merged_into", "global_ultimate")
# What a change is, wherever in a stream its delivery was cut.
SAID = ("id", "company_id", "kind", "element", "previous", "current", "changed_at", "delivered_at", "severity")
PHONE, EMPLOYEES = "organization.telephone", "organization.numberOfEmployees"


@pytest.mark.parametrize("seed", range(6))
def test_a_world_read_together_is_the_world_read_one_by_one(seed: int) -> None:
    world, made = World(seed), registrations()
    alone, together = numbers_of(world, 1), numbers_of(world, 2)
    for delivery in world.arrivals(2)[1]:
        ingest(store(delivery, alone, made[delivery.registration]))
    read_in_groups(world.arrivals(2)[1], together, made, random.Random(seed))
    for company in world.companies:
        one, other = alone[company], together[company]
        assert found(one) == found(other), company
        assert judge(found(other), world.deliveries, company)[0] == [], company
        assert columns_of(one) == columns_of(other), company
        assert said_by_the_feed(one) == live(one), company
        assert said_by_the_feed(other) == live(other), company
    assert_published_whole()


def numbers_of(world: World, first: int) -> dict[str, str]:
    return {company: f"{first}{position:08}" for position, company in enumerate(world.companies)}


def read_in_groups(
    deliveries: Iterable[StoredDelivery],
    numbers: dict[str, str],
    made: dict[str, Registration],
    choose: random.Random,
) -> None:
    waiting = [store(delivery, numbers, made[delivery.registration]) for delivery in deliveries]
    while waiting:
        size = choose.choice((1, 2, 3, 10))
        group, waiting = waiting[:size], waiting[size:]
        ingest_together(group)


@pytest.mark.parametrize("seed", range(4))
def test_any_cut_read_in_any_order_and_any_groups_is_one_notification_at_a_time(seed: int) -> None:
    choose = random.Random(seed)
    stream = a_stream(choose)
    singly = outcome([[item] for item in stream], 1, choose, is_mixed=False)
    cut = outcome(cut_at_random(stream, choose), choose.choice((3, 10)), choose, is_mixed=True)
    assert cut == singly


def a_stream(choose: random.Random) -> list[Any]:
    """Each with a stamp of its own, so that no cut decides about its place."""
    items: list[Any] = []
    for number in range(60):
        duns, at = choose.choice([DUNS, OTHER, "100000001", "100000002"]), stamp(seconds=number)
        kind = choose.choice(["seed", "update", "update", "DELETE", "UNDELETE", "TRANSFER"])
        if kind == "seed":
            items.append(a_seed(duns, delivered=at, primaryName=f"Name {choose.randrange(3)}"))
        elif kind == "update":
            before, after = choose.sample(["1", "2", "3"], 2)
            elements = [an_element(PHONE, before, after, at), an_element("organization.primaryName", before, after, at)]
            items.append(an_update(*elements[: choose.randrange(1, 3)], duns=duns, delivered=at))
        else:
            items.append(a_notice(kind, duns, delivered=at))
    # A replay repeats; equal notices of one answer would be two.
    return items + choose.sample([item for item in items if item["type"] in ("SEED", "UPDATE")], 10)


def cut_at_random(stream: Sequence[Any], choose: random.Random) -> list[list[Any]]:
    cuts = sorted(choose.sample(range(1, len(stream)), 15))
    return [list(stream[start:end]) for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)]


def outcome(answers: Sequence[Sequence[Any]], at_once: int, choose: random.Random, *, is_mixed: bool) -> Any:
    for model in (Publication, Observation, Change, Notification, Company, Delivery):
        model._default_manager.all().delete()
    registration = a_registration("PLAIN")
    waiting = [a_delivery(*answer, registration=registration) for answer in answers]
    if is_mixed:
        choose.shuffle(waiting)
    for start in range(0, len(waiting), at_once):
        ingest_together(waiting[start : start + at_once])
    assert_published_whole()
    companies = Company.objects.order_by("pk").values_list("duns", *COLUMNS)
    changes = Change.objects.filter(superseded=False).order_by("id").values_list(*SAID)
    said = {duns: said_by_the_feed(duns) for duns, *_ in companies}
    notifications = Notification.objects.order_by("id").values_list("id", "company_id", "type", "organization")
    return list(companies), list(changes), said, list(notifications)


def columns_of(duns: str) -> Any:
    return Company.objects.values_list(*COLUMNS).get(pk=duns)


def live(duns: str) -> set[Any]:
    return set(Change.objects.filter(company=duns, superseded=False).values_list("pk", flat=True))


def said_by_the_feed(duns: str) -> set[Any]:
    """The changes that hold for whoever has read all publications in their order."""
    held: set[Any] = set()
    changes = list(Change.objects.filter(company=duns, entry=Entry.CHANGE).values_list("delivery", "pk"))
    verbs = Observation.objects.filter(company=duns).exclude(verb=Verb.OBSERVED).order_by("recorded_at", "id")
    later = list(verbs.values_list("delivery", "verb", "change"))
    for delivery in Publication.objects.order_by("sequence").values_list("delivery", flat=True):
        held |= {key for one, key in changes if one == delivery}
        for one, verb, key in later:
            if one == delivery:
                (held.add if verb == Verb.REINSTATED else held.discard)(key)
    return held


def assert_published_whole() -> None:
    assert not Delivery.objects.exclude(state=DeliveryState.PUBLISHED).exists()
    for publication in Publication.objects.all():
        # What holds for the first time later on is published again, elsewhere.
        assert publication.entry_count >= counts_of(publication.delivery_id)["entry_count"]


def test_an_unreadable_item_leaves_the_group_to_be_read_one_by_one() -> None:
    """Twenty of them stop what follows, which must not depend on how many were read at once."""
    good, bad = a_delivery(an_update()), a_delivery("nonsense")
    assert ingest_together([good, bad]) == 0
    assert set(Delivery.objects.values_list("state", "claimed_until")) == {(DeliveryState.RECEIVED, None)}


class Killed(BaseException):
    """As a process ends in the middle."""


@pytest.mark.parametrize(
    "step",
    ["insert_what_is_new", "order_moments", "settle", "_bring_companies_up_to_date", "_mark_ingested", "publish"],
)
def test_who_is_killed_while_reading_several_leaves_nothing_out(step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def dies(*arguments: Any, **options: Any) -> Any:
        raise Killed

    stream = a_stream(random.Random(step))
    waiting = [a_delivery(*part, registration=a_registration()) for part in (stream[:30], stream[30:], stream[:5])]
    with monkeypatch.context() as patched:
        patched.setattr(pipeline_ingest, step, dies)
        patched.setattr(Claim, "release", lambda self: None)
        with pytest.raises(Killed):
            ingest_together(waiting)
    Delivery.objects.update(claimed_until=database_now() - timedelta(seconds=1))
    jobs.ingest_received()
    jobs.publish_read()
    assert_published_whole()
    assert Notification.objects.count() == len({str(item) for item in stream})
    for duns in Company.objects.values_list("pk", flat=True):
        assert said_by_the_feed(duns) == live(duns)


def test_one_that_cannot_be_read_holds_up_none_that_wait_with_it() -> None:
    good, torn, last = a_delivery(an_update()), a_delivery(a_seed()), a_delivery(a_notice())
    delete_bytes(torn.pk)
    assert jobs.ingest_received() == 3
    states = dict(Delivery.objects.values_list("pk", "state"))
    assert states == {
        good.pk: DeliveryState.PUBLISHED,
        torn.pk: DeliveryState.RECEIVED,
        last.pk: DeliveryState.PUBLISHED,
    }


def test_groups_are_of_ten_and_large_ones_stand_alone() -> None:
    registration = a_registration()
    large = a_delivery(registration=registration)
    Delivery.objects.filter(pk=large.pk).update(notification_count=8000)
    small = [a_delivery(an_update(), registration=registration) for _ in range(12)]
    groups = [[delivery.pk for delivery in group] for group in waiting_together()]
    keys = [delivery.pk for delivery in small]
    assert groups == [[large.pk], keys[:10], keys[10:]]
