"""Two workers read two deliveries of one company at once: whatever the order of their steps, one story comes out."""

import os
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import pytest

from monitoring import observations
from monitoring.history import company_projection, seed_diff, settle, steps
from monitoring.history.sources import reports_of
from monitoring.ingest import insert
from monitoring.models import Change, Delivery, Entry, Observation, Publication, Source, Verb
from monitoring.pipeline import apart
from monitoring.pipeline import ingest as pipeline
from monitoring.pipeline.ingest import ingest, surplus_of
from monitoring.publications.sequence import counts_of, publish
from monitoring.story_order import OLDEST_FIRST
from portfolio.models import Company, Registration
from tests.builders.deliveries import a_delivery
from tests.builders.elements import ACTIVE, OUT, STATUS, an_element
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
    orders_with_one_stop,
    orders_with_two_switches,
    without_transactions,
)

pytestmark = pytest.mark.django_db
# MongoDB's stand-in is slow: it takes each of so many.
EVERY = 25 if engine() == "mongodb" else 1
# INTERLEAVINGS=1 takes all.
SOME = int(os.environ.get("INTERLEAVINGS", "25" if engine() == "mongodb" else "8"))
Item = Callable[[str], dict[str, Any]]
# Of whom, what, and how where it does not come as an answer.
Told = tuple[Registration, Item] | tuple[Registration, Item, Source]
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
    """What holds of a company, in its order, who reported it, and what lists show."""
    rows = Change.objects.filter(company=duns).order_by(*OLDEST_FIRST)
    holding = [row for row in rows if not row.superseded]
    live = [(row.kind, row.element, row.previous, row.current, row.changed_at) for row in holding]
    reports = reports_of(holding, replaced=[]).values()
    sources = [[(one.registration, one.how, one.observed_at) for one in found] for found in reports]
    return live, sources, Company.objects.values_list("name", "operating_status", "changed_at").get(pk=duns)


def assert_published(duns: str, reader: Reader) -> None:
    """Each change that holds has one first entry, and the reader knows of each whether it holds."""
    rows = Change.objects.filter(company=duns)
    for row in rows:
        assert reader.firsts[row.pk] == (row.entry == Entry.CHANGE), row
        assert row.superseded or row.entry == Entry.CHANGE, row
        assert reader.holds.get(row.pk, False) != row.superseded, row
        assert holds_by_the_feed(row) != row.superseded, row
    assert observations.keep_places([row.pk for row in rows]) == 0
    for publication in Publication.objects.filter(delivery__in=rows.values_list("delivery", flat=True)):
        assert counts_of(publication.delivery_id)["entry_count"] == publication.entry_count
        assert surplus_of(publication.delivery_id) == []


def holds_by_the_feed(row: Change) -> bool:
    """By its last entry."""
    first = row.delivery.publication.sequence, row.pk, str(Verb.OBSERVED)
    entries = [first] if row.entry == Entry.CHANGE else []
    became = Observation.objects.filter(change=row).exclude(verb=Verb.OBSERVED)
    entries += became.values_list("delivery__publication", "pk", "verb")
    return bool(entries) and max(entries)[2] in (Verb.OBSERVED, Verb.REINSTATED)


def in_any_order(
    monkeypatch: pytest.MonkeyPatch, before: Sequence[Told], works: tuple[Told, Told], orders: Iterable[Order]
) -> None:
    """What was known before is read for all companies at once; then each company's two deliveries in an order of
    their steps, the first in two orders without a switch: both tell the story that any other has to tell."""
    chosen = [[0] * 99, [1] * 99, *orders]
    numbers = [f"3{number:08}" for number in range(len(chosen))]
    reader = Reader(monkeypatch)
    for told in before:
        ingest(waiting(told, *numbers))
    expected = None
    for duns, order in zip(numbers, chosen, strict=True):
        interleave(order, *(reading(waiting(told, duns)) for told in works))
        found = story(duns)
        expected = expected or found
        assert found == expected, order
        assert_published(duns, reader)


def some_orders() -> list[Order]:
    return [*list(orders_with_one_stop(8))[:: max(SOME // 8, 1)], *list(orders_with_two_switches(8, 8))[::SOME]]


def waiting(told: Told, *companies: str) -> Delivery:
    registration, item, *source = told
    return a_delivery(*map(item, companies), registration=registration, source=source[0] if source else Source.PULL)


def reading(delivery: Delivery) -> Callable[[], object]:
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


def an_update_and_a_document_between() -> Case:
    """Either ends the difference of the documents around them, in its own way."""
    before = [(whole(), seed("A", day=1)), (whole(), seed("C", day=4))]
    return before, ((one(), update("A", "C", day=2)), (whole(), seed("B", day=3)))


def differences_of_two_registrations() -> Case:
    before = [(whole(), seed("A", day=1)), (whole("WHOLE2"), seed("A", day=1))]
    return before, ((whole(), seed("B", day=3)), (whole("WHOLE2"), seed("B", day=4)))


def a_chain_of_one_moment_in_parts() -> Case:
    first, second = update("A", "B", day=2, delivered=9), update("B", "C", day=2, delivered=3)
    return [(whole(), seed("A", day=1))], ((one(), first), (two(), second))


def a_chain_and_a_late_document_that_begins_in_its_middle() -> Case:
    """The document shows that the chain's second part is what comes first."""
    before = [(whole(), seed("A", day=1)), (two(), update("B", "C", day=2, delivered=3))]
    return before, ((one(), update("A", "B", day=2, delivered=9)), (whole(), seed("B", day=1.5)))


def closed(*, day: float) -> Item:
    status = an_element(STATUS, ACTIVE, OUT, stamp(days=day))
    return lambda duns: an_update(status, duns=duns, delivered=stamp(days=day))


def two_columns_of_a_company() -> Case:
    return [(whole(), seed("A", day=1))], ((one(), update("A", "B", day=5)), (two(), closed(day=6)))


def two_late_changes_there_and_back() -> Case:
    """Both together alter no column."""
    before = [(whole(), seed("A", day=1)), (two(), closed(day=9))]
    return before, ((one(), update("A", "B", day=2)), (two(), update("B", "A", day=3)))


def a_chain_whose_second_part_is_reported_earlier() -> Case:
    before = [(whole(), seed("A", day=1)), (two(), update("B", "C", day=2, delivered=8))]
    return before, ((one(), update("A", "B", day=2)), (a_registration("THREE"), update("B", "C", day=2, delivered=3)))


def one_update_of_two_registrations() -> Case:
    """It stands between two others of its moment, or before them, by the lesser of its places."""
    first, second = update("A", "B", day=2, delivered=9), update("A", "B", day=2, delivered=3)
    between = update("X", "Y", day=2, delivered=6)
    return [(a_registration("THREE"), between)], ((one(), first), (two(), second))


def one_change_in_two_notifications_of_one_registration() -> Case:
    first, second = update("A", "B", day=2, delivered=9), update("A", "B", day=2, delivered=3, also=("M", "N"))
    between = update("X", "Y", day=2, delivered=6)
    return [(two(), between)], ((one(), first), (one(), second))


def one_change_in_three_notifications_of_one_registration() -> Case:
    first = update("A", "B", day=2, delivered=5, also=("M", "N"))
    second = update("A", "B", day=2, delivered=3, also=("O", "P"))
    known = (two(), update("X", "Y", day=2, delivered=4)), (one(), update("A", "B", day=2, delivered=9))
    return known, ((one(), first), (one(), second))


def one_update_by_file_and_by_answer() -> Case:
    by_file, by_answer = update("A", "B", day=2, delivered=3), update("A", "B", day=2, delivered=9)
    between = update("X", "Y", day=2, delivered=6)
    return [(two(), between)], ((one(), by_file, Source.FILE), (one(), by_answer))


def one_update_by_file_and_by_two_answers() -> Case:
    """The first answer says when it was delivered."""
    by_file, between = update("A", "B", day=2, delivered=9), update("X", "Y", day=2, delivered=6)
    first, second = update("A", "B", day=2, delivered=3), update("A", "B", day=2, delivered=8)
    return [(two(), between), (one(), by_file, Source.FILE)], ((one(), first), (one(), second))


def a_deletion_and_a_restoration_before_another_deletion() -> Case:
    return [(one(), notice("DELETE", day=3))], ((one(), notice("DELETE", day=1)), (two(), notice("UNDELETE", day=2)))


def one_deletion_of_two_registrations() -> Case:
    return [(whole(), seed("A", day=1))], ((one(), notice("DELETE", day=2)), (two(), notice("DELETE", day=3)))


CASES = [
    two_late_documents,
    an_update_and_a_document_that_it_explains,
    an_update_and_a_first_document_that_shows_it_already,
    an_update_and_a_document_between,
    differences_of_two_registrations,
    a_chain_of_one_moment_in_parts,
    a_chain_and_a_late_document_that_begins_in_its_middle,
    two_columns_of_a_company,
    two_late_changes_there_and_back,
    a_chain_whose_second_part_is_reported_earlier,
    one_update_of_two_registrations,
    one_change_in_two_notifications_of_one_registration,
    one_update_by_file_and_by_answer,
    one_update_by_file_and_by_two_answers,
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
    cut_after(monkeypatch, (settle._Writer, "_publish"), (company_projection, "_projected"))
    in_any_order(monkeypatch, *case(), some_orders())


@pytest.mark.parametrize(
    "case",
    [
        one_update_of_two_registrations,
        one_change_in_two_notifications_of_one_registration,
        one_change_in_three_notifications_of_one_registration,
        one_update_by_file_and_by_answer,
        one_update_by_file_and_by_two_answers,
    ],
)
def test_two_readings_that_report_one_change(case: Callable[[], Case], monkeypatch: pytest.MonkeyPatch) -> None:
    """With cuts between what is known of its places and what is written."""
    without_transactions(monkeypatch, pipeline)
    cut_after(monkeypatch, (observations, "_own_places"), (observations, "_least_places"), (insert, "keep_reports"))
    cut_before(monkeypatch, (insert, "_move"), (insert, "record_reports"))
    in_any_order(monkeypatch, *case(), some_orders())
