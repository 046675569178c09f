"""Two workers read two deliveries of one company at once: whatever the order of their steps, one story comes out."""

import os
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import pytest

from monitoring.history import seed_diff, settle, steps
from monitoring.models import Change, Delivery, Entry, Observation, Publication
from monitoring.pipeline import apart
from monitoring.pipeline import ingest as pipeline
from monitoring.pipeline.ingest import ingest, surplus_of
from monitoring.publications.sequence import counts_of, publish
from monitoring.story_order import OLDEST_FIRST
from portfolio.models import Company, Registration
from tests.builders.deliveries import a_delivery
from tests.builders.elements import an_element
from tests.builders.notifications import a_notice, a_seed, an_update
from tests.builders.registrations import a_registration, one, two, whole
from tests.builders.times import stamp
from tests.engines import engine
from tests.interleaving import (
    Order,
    all_orders,
    cut,
    cut_after,
    cut_before,
    interleave,
    orders_with_two_switches,
    without_transactions,
)

pytestmark = pytest.mark.django_db
# MongoDB's stand-in is slow: it takes each of so many.
EVERY = 25 if engine() == "mongodb" else 1
# INTERLEAVINGS=1 takes all.
SOME = int(os.environ.get("INTERLEAVINGS", "25" if engine() == "mongodb" else "5"))
Item = Callable[[str], dict[str, Any]]
Told = tuple[Registration, Item]
# What was read before, and the two that are read at once.
Case = tuple[Sequence[Told], tuple[Told, Told]]


def seed(name: str, *, day: float) -> Item:
    return lambda duns: a_seed(duns, primaryName=name, delivered=stamp(days=day))


def update(
    previous: str, current: str, *, day: float, delivered: float = 9, also: tuple[str, str] | None = None
) -> Item:
    steps = [(previous, current), *([also] if also else [])]
    elements = [an_element(previous=one, current=other, timestamp=stamp(days=day)) for one, other in steps]
    return lambda duns: an_update(*elements, duns=duns, delivered=stamp(days=delivered))


def notice(kind: str, *, day: float) -> Item:
    return lambda duns: a_notice(kind, duns, delivered=stamp(days=day))


class Reader:
    """Reads each publication as soon as it is there: the first entry of each change, and what it last knew of it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.firsts: Counter[Any] = Counter()
        self.holds: dict[Any, bool] = {}
        self.numbers = set(Publication.objects.values_list("pk", flat=True))
        for module in (pipeline, apart):
            monkeypatch.setattr(module, "publish", self.published)

    def published(self, delivery: Delivery) -> Publication:
        cut()
        publication = publish(delivery)
        if publication.pk not in self.numbers:
            self.numbers.add(publication.pk)
            self.read(publication)
        return publication

    def read(self, publication: Publication) -> None:
        changes = Change.objects.filter(delivery=publication.delivery_id, entry=Entry.CHANGE)
        self.firsts.update(changes.values_list("pk", flat=True))
        reports = Observation.objects.filter(delivery=publication.delivery_id).values_list("change_id", flat=True)
        for row in [*changes, *Change.objects.filter(pk__in=list(reports))]:
            self.holds[row.pk] = not row.superseded


def story(duns: str) -> tuple[Any, ...]:
    """What holds of a company, in its order, and what lists show."""
    rows = Change.objects.filter(company=duns).order_by(*OLDEST_FIRST)
    live = [(row.kind, row.element, row.previous, row.current, row.changed_at) for row in rows if not row.superseded]
    return live, Company.objects.values_list("name", "operating_status", "changed_at").get(pk=duns)


def assert_published(duns: str, reader: Reader) -> None:
    """Each change that holds has one first entry, and the reader knows of each whether it holds."""
    rows = Change.objects.filter(company=duns)
    for row in rows:
        assert reader.firsts[row.pk] == (row.entry == Entry.CHANGE), row
        assert row.superseded or row.entry == Entry.CHANGE, row
        assert reader.holds.get(row.pk, False) != row.superseded, row
    for publication in Publication.objects.filter(delivery__in=rows.values_list("delivery", flat=True)):
        assert counts_of(publication.delivery_id)["entry_count"] == publication.entry_count
        assert surplus_of(publication.delivery_id) == []


def in_any_order(
    monkeypatch: pytest.MonkeyPatch, before: Sequence[Told], works: tuple[Told, Told], orders: Iterable[Order]
) -> None:
    """What was known before is read for all companies at once; then each company's two deliveries in an order of
    their steps, the first in two orders without a switch: both tell the story that any other has to tell."""
    chosen = [[0] * 99, [1] * 99, *orders]
    numbers = [f"3{number:08}" for number in range(len(chosen))]
    reader = Reader(monkeypatch)
    for registration, item in before:
        ingest(a_delivery(*map(item, numbers), registration=registration))
    expected = None
    for duns, order in zip(numbers, chosen, strict=True):
        interleave(order, *(reading(item(duns), registration) for registration, item in works))
        found = story(duns)
        expected = expected or found
        assert found == expected, order
        assert_published(duns, reader)


def reading(item: dict[str, Any], registration: Registration) -> Callable[[], object]:
    delivery = a_delivery(item, registration=registration)
    return lambda: ingest(delivery)


def two_late_documents() -> Case:
    before = [(whole(), seed("A", day=1)), (whole(), seed("D", day=4))]
    return before, ((whole(), seed("B", day=2)), (whole(), seed("C", day=3)))


def an_update_and_a_document_that_it_explains() -> Case:
    return [(whole(), seed("A", day=1))], ((whole(), seed("B", day=3)), (one(), update("A", "B", day=2)))


def an_update_and_a_first_document_that_shows_it_already() -> Case:
    """The one would replace a difference that the other keeps alive."""
    before = [(whole(), seed("A", day=1)), (whole(), seed("B", day=3))]
    return before, ((one(), update("A", "B", day=0.501)), (whole(), seed("B", day=0.5)))


def differences_of_two_registrations() -> Case:
    before = [(whole(), seed("A", day=1)), (whole("WHOLE2"), seed("A", day=1))]
    return before, ((whole(), seed("B", day=3)), (whole("WHOLE2"), seed("B", day=4)))


def a_chain_of_one_moment_in_parts() -> Case:
    first, second = update("A", "B", day=2, delivered=9), update("B", "C", day=2, delivered=3)
    return [(whole(), seed("A", day=1))], ((one(), first), (two(), second))


def one_update_of_two_registrations() -> Case:
    """It stands between two others of its moment, or before them, by the lesser of its places."""
    first, second = update("A", "B", day=2, delivered=9), update("A", "B", day=2, delivered=3)
    between = update("X", "Y", day=2, delivered=6)
    return [(a_registration("THREE"), between)], ((one(), first), (two(), second))


def one_change_in_two_notifications_of_one_registration() -> Case:
    first, second = update("A", "B", day=2, delivered=9), update("A", "B", day=2, delivered=3, also=("M", "N"))
    between = update("X", "Y", day=2, delivered=6)
    return [(two(), between)], ((one(), first), (one(), second))


def a_deletion_and_a_restoration_before_another_deletion() -> Case:
    return [(one(), notice("DELETE", day=3))], ((one(), notice("DELETE", day=1)), (two(), notice("UNDELETE", day=2)))


def one_deletion_of_two_registrations() -> Case:
    return [(whole(), seed("A", day=1))], ((one(), notice("DELETE", day=2)), (two(), notice("DELETE", day=3)))


CASES = [
    two_late_documents,
    an_update_and_a_document_that_it_explains,
    an_update_and_a_first_document_that_shows_it_already,
    differences_of_two_registrations,
    a_chain_of_one_moment_in_parts,
    one_update_of_two_registrations,
    one_change_in_two_notifications_of_one_registration,
    a_deletion_and_a_restoration_before_another_deletion,
    one_deletion_of_two_registrations,
]


def test_two_late_documents_in_every_order_of_the_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """A step each: insert, compare, settle and bring up to date, publish."""
    cut_before(monkeypatch, (pipeline, "compare_seeds"), (pipeline, "settle"))
    in_any_order(monkeypatch, *two_late_documents(), list(all_orders(4, 4))[::EVERY])


@pytest.mark.parametrize("case", CASES)
def test_two_readings_that_take_turns_twice(case: Callable[[], Case], monkeypatch: pytest.MonkeyPatch) -> None:
    """With cuts also between what a step reads and what it writes."""
    without_transactions(monkeypatch, pipeline, seed_diff, steps, settle)
    cut_before(monkeypatch, (pipeline, "compare_seeds"), (pipeline, "order_moments"), (pipeline, "settle"))
    cut_before(monkeypatch, (seed_diff, "insert_new"), (pipeline, "_bring_companies_up_to_date"))
    cut_after(monkeypatch, (steps, "_chained"), (settle, "judge"), (settle, "judge_lifecycle"))
    in_any_order(monkeypatch, *case(), list(orders_with_two_switches(8, 8))[::SOME])
