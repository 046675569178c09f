"""The feed says of each change that it was reported and what became of it, to everybody and by registration."""

import random
import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, NamedTuple

import pytest
from django.utils import timezone

from monitoring.content_ids import content_id, moment_of
from monitoring.feed import feed
from monitoring.models import Change, Delivery, DeliveryState, Entry, Observation, Publication, Source, Verb
from monitoring.publications.sequence import publish
from portfolio.models import Company, Registration
from tests.builders.companies import DUNS, OTHER
from tests.builders.deliveries import delivered
from tests.builders.elements import an_element
from tests.builders.notifications import a_seed, an_update
from tests.builders.programs import Program
from tests.builders.registrations import a_registration
from tests.builders.times import stamp

pytestmark = pytest.mark.django_db
NAME = "organization.primaryName"


def said(program: Program, **filters: Any) -> list[tuple[Any, ...]]:
    items = program.follow(**filters).items
    return [(i["publication"], i["verb"], i["current"], i["registration"]) for i in items if i["kind"] == "element"]


def a_rename(previous: str, current: str, day: float) -> dict[str, Any]:
    return an_update(an_element(NAME, previous, current, stamp(days=day)), delivered=stamp(days=day))


def test_each_registration_hears_of_a_change_when_it_reports_it(program: Program) -> None:
    second, third = a_registration("ACME_LOD_02"), a_registration("ACME_LOD_03")
    for registration in (None, second, second, third):
        delivered(a_rename("A", "B", 1), registration=registration)
    assert said(program) == [(1, "observed", "B", "ACME_LOD_01")]
    assert said(program, registration="ACME_LOD_01") == [(1, "observed", "B", "ACME_LOD_01")]
    assert said(program, registration="ACME_LOD_02") == [(2, "observed", "B", "ACME_LOD_02")]
    assert said(program, registration="ACME_LOD_03") == [(4, "observed", "B", "ACME_LOD_03")]


def test_filters_work_on_the_change_that_others_reported_first(program: Program) -> None:
    second = a_registration("ACME_LOD_02")
    for registration in (None, second):
        delivered(a_rename("A", "B", 1), registration=registration)
    Company.objects.filter(pk=DUNS).update(country="GB")
    both = {"registration": "ACME_LOD_02"}
    for fits in ({"kind": "element"}, {"severity": "medium"}, {"element": NAME}, {"company": DUNS}, {"country": "GB"}):
        assert len(said(program, **both, **fits)) == 1, fits
    for not_fitting in (
        {"kind": "deleted"},
        {"severity": "critical"},
        {"element": "organization.x"},
        {"company": OTHER},
        {"country": "DE"},
    ):
        assert said(program, **both, **not_fitting) == [], not_fitting


def test_a_difference_that_an_update_explains_is_replaced_once(program: Program) -> None:
    full, update = a_registration(full_product=True), a_registration("ACME_LOD_02")
    delivered(a_seed(primaryName="A", delivered=stamp(days=1)), registration=full)
    delivered(a_seed(primaryName="B", delivered=stamp(days=3)), registration=full)
    delivered(a_rename("A", "B", 2), registration=update)
    derived, told = Change.objects.exclude(derived_from="").get(), Change.objects.get(element=NAME, derived_from="")
    replaced = (3, "replaced", "B", "ACME_LOD_01")
    assert sorted(said(program)) == [
        (2, "observed", "B", "ACME_LOD_01"),
        (3, "observed", "B", "ACME_LOD_02"),
        replaced,
    ]
    assert said(program, registration="ACME_LOD_01") == [(2, "observed", "B", "ACME_LOD_01"), replaced]
    assert said(program, registration="ACME_LOD_02") == [(3, "observed", "B", "ACME_LOD_02")]
    [item] = [item for item in program.follow().items if item["verb"] == "replaced"]
    assert (item["id"], item["replaced_by"], item["superseded"]) == (str(derived.pk), str(told.pk), True)


def test_a_difference_that_was_explained_when_it_came_is_the_first_report_of_its_registration(
    program: Program,
) -> None:
    """No change of its own: what the other registration published stands for it."""
    full, update = a_registration(full_product=True), a_registration("ACME_LOD_02")
    delivered(a_seed(primaryName="A", delivered=stamp(days=1)), registration=full)
    delivered(a_rename("A", "B", 2), registration=update)
    delivered(a_seed(primaryName="B", delivered=stamp(days=3)), registration=full)
    told = Change.objects.get(element=NAME, derived_from="")
    assert Change.objects.exclude(derived_from="").get().entry == Entry.OBSERVATION
    assert said(program) == [(2, "observed", "B", "ACME_LOD_02")]
    assert said(program, registration="ACME_LOD_01") == [(3, "observed", "B", "ACME_LOD_01")]
    [item] = [item for item in program.follow(registration="ACME_LOD_01").items if item["kind"] == "element"]
    assert (item["id"], item["superseded"], item["derived"]) == (str(told.pk), False, False)


def test_an_entry_that_stands_for_another_has_a_key_of_its_own() -> None:
    """The same row may be published as a change later: whoever heard the one has to hear the other."""
    full, update = a_registration(full_product=True), a_registration("ACME_LOD_02")
    delivered(a_seed(primaryName="A", delivered=stamp(days=1)), registration=full)
    delivered(a_rename("A", "B", 2), registration=update)
    delivered(a_seed(primaryName="B", delivered=stamp(days=3)), registration=full)
    derived = Change.objects.exclude(derived_from="").get()
    choice = feed.Choice(registrations=frozenset([full.pk]), kinds=frozenset(["element"]))
    [entry] = feed.read(None, 10, choice).entries
    assert entry.id == derived.pk and entry.key != str(derived.pk)
    assert [one.key for one in feed.read(None, 10, feed.Choice()).entries if one.change.kind == "element"] == [
        str(derived.replaced_by)
    ]


# Permutations


class Expected(NamedTuple):
    number: int
    id: uuid.UUID
    change: uuid.UUID
    verb: str


def an_ingested_delivery(registration: Registration) -> Delivery:
    now = timezone.now()
    fields = {"source": Source.PULL, "state": DeliveryState.INGESTED, "called_at": now, "ingested_at": now}
    return Delivery.objects.create(registration=registration, **fields)


def an_observation(chance: random.Random, change: Change, delivery: Delivery, verb: Verb, *, is_first: bool) -> None:
    key = content_id(moment_of(change.pk), str(chance.random()))
    now = timezone.now()
    Observation.objects.create(
        id=key,
        change=change,
        company_id=change.company_id,
        registration_id=delivery.registration_id if verb == Verb.OBSERVED else change.registration_id,
        verb=verb,
        is_first=is_first,
        delivery=delivery,
        observed_at=now,
        recorded_at=now,
    )


def a_copy(chance: random.Random, change: Change, delivery: Delivery, entry: Entry) -> None:
    """A row that never held."""
    target = change.pk
    change = Change.objects.get(pk=target)
    change.pk = content_id(moment_of(target) + timedelta(seconds=chance.randrange(9)), str(chance.random()))
    change.registration_id, change.delivery, change.entry = delivery.registration_id, delivery, entry
    change.superseded, change.replaced_by = True, target
    change.save(force_insert=True)


def drawn_world(chance: random.Random, registrations: list[Registration]) -> None:
    for number in range(3):
        names = [an_element(NAME, None, f"{number} {one}", stamp(seconds=one)) for one in range(chance.randrange(1, 5))]
        delivered(an_update(*names), registration=chance.choice(registrations))
    changes = list(Change.objects.order_by("id"))
    known = {(change.pk, change.registration_id) for change in changes}
    for _ in range(8):
        delivery = an_ingested_delivery(chance.choice(registrations))
        for change in chance.sample(changes, chance.randrange(len(changes))):
            what, about = chance.randrange(5), (change.pk, delivery.registration_id)
            if what == 0:
                an_observation(chance, change, delivery, Verb.OBSERVED, is_first=about not in known)
                known.add(about)
            elif what == 1:
                a_copy(chance, change, delivery, Entry.NONE if about in known else Entry.OBSERVATION)
                known.add(about)
            elif what == 2:
                verb = chance.choice([Verb.REPLACED, Verb.WITHDRAWN, Verb.REINSTATED])
                an_observation(chance, change, delivery, verb, is_first=False)
        publish(delivery)


def expected(registrations: frozenset[uuid.UUID] | None) -> Iterator[Expected]:
    """By the definition, without thought of how much is read at once."""
    numbers = dict(Publication.objects.values_list("delivery_id", "sequence"))
    reports: dict[tuple[uuid.UUID, uuid.UUID], int] = {}

    def reported(change: uuid.UUID, registration: uuid.UUID, number: int) -> None:
        reports[change, registration] = min(number, reports.get((change, registration), number))

    for change in Change.objects.all():
        number, stands_for = numbers[change.delivery_id], change.replaced_by or change.pk
        reported(stands_for, change.registration_id, number)
        is_told = registrations is None or change.registration_id in registrations
        if change.entry == Entry.CHANGE and is_told:
            yield Expected(number, change.pk, change.pk, Verb.OBSERVED)
        if change.entry == Entry.OBSERVATION and registrations is not None and is_told:
            yield Expected(number, change.pk, stands_for, Verb.OBSERVED)
    for row in Observation.objects.filter(verb=Verb.OBSERVED):
        reported(row.change_id, row.registration_id, numbers[row.delivery_id])
        if row.is_first and registrations is not None and row.registration_id in registrations:
            yield Expected(numbers[row.delivery_id], row.pk, row.change_id, row.verb)
    for row in Observation.objects.exclude(verb=Verb.OBSERVED):
        number = numbers[row.delivery_id]
        chosen = [] if registrations is None else [reports.get((row.change_id, key)) for key in registrations]
        if registrations is None or any(one is not None and one <= number for one in chosen):
            yield Expected(number, row.pk, row.change_id, row.verb)


@pytest.mark.every_engine
@pytest.mark.parametrize("seed", range(6))
def test_any_filter_page_size_and_cursor_reads_each_entry_once(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where a page ends between a change and an observation of one publication."""
    chance = random.Random(seed)
    registrations = [a_registration(f"ACME_LOD_0{number}") for number in range(1, 4)]
    drawn_world(chance, registrations)
    keys = [row.pk for row in registrations]
    for chosen in (None, keys[:1], keys[1:], keys):
        choice = feed.Choice(registrations=frozenset(chosen) if chosen else None)
        wanted = sorted(expected(choice.registrations), key=lambda one: (one.number, one.id))
        for limit in (1, 2, 5, 1000):
            monkeypatch.setattr(feed, "SCAN", chance.choice([1, 2, 3, 50]))
            assert list(followed(choice, limit)) == wanted, (chosen, limit)


def followed(choice: feed.Choice, limit: int) -> Iterator[Expected]:
    cursor = feed.Cursor()
    for _ in range(1000):
        page = feed.read(cursor, limit, choice)
        assert len(page.entries) <= limit
        for one in page.entries:
            yield Expected(one.sequence, one.id, one.change.pk, one.verb)
        cursor = feed.Cursor.read(str(page.next))
        if not page.has_more:
            return
    raise AssertionError("it does not end")


def test_a_call_with_a_registration_takes_at_most_fourteen_queries(
    program: Program, django_assert_max_num_queries: Any
) -> None:
    drawn_world(random.Random(7), [a_registration(f"ACME_LOD_0{number}") for number in range(1, 4)])
    half = program.read("changes/", registration="ACME_LOD_02", limit=2)["next"]
    for limit in (3, 1000):
        with django_assert_max_num_queries(14):
            program.read("changes/", registration="ACME_LOD_02", country="GB", limit=limit, after=half)
