"""What is written when changes are settled: which hold, and what the feed is told of it."""

import uuid
from datetime import datetime, timedelta
from typing import Any

import pytest

from monitoring.history import facts, window
from monitoring.history import settle as settling
from monitoring.history.window import spans
from monitoring.models import Change, Delivery, Entry, Kind, Observation, Publication, Source, Verb
from monitoring.pipeline.ingest import Apart, ingest
from monitoring.publications.sequence import counts_of
from monitoring.story_order import OLDEST_FIRST
from portfolio.models import Registration
from tests.builders.companies import DUNS
from tests.builders.deliveries import a_delivery
from tests.builders.elements import an_element
from tests.builders.notifications import a_notice, a_seed, a_transfer, an_update
from tests.builders.registrations import a_registration, one, two, whole
from tests.builders.times import MOMENT, stamp

pytestmark = pytest.mark.django_db
NAME = "organization.primaryName"


def seed(name: str, hours: float, **members: Any) -> dict[str, Any]:
    return a_seed(primaryName=name, delivered=stamp(hours=hours), **members)


def update(previous: Any, current: Any, hours: float, path: str = NAME) -> dict[str, Any]:
    return an_update(an_element(path, previous, current, stamp(hours=hours)), delivered=stamp(hours=hours))


def read(*items: Any, registration: Registration, source: str = Source.PULL) -> Delivery:
    delivery = a_delivery(*items, registration=registration, source=source)
    ingest(delivery)
    return delivery


def live() -> list[tuple[str | None, str | None]]:
    rows = Change.objects.filter(kind=Kind.ELEMENT, superseded=False).order_by(*OLDEST_FIRST)
    return list(rows.values_list("previous", "current"))


def entries(delivery: Delivery) -> list[tuple[str, str, str | None, str | None]]:
    """What the delivery's publication reports of changes that were published before."""
    rows = Observation.objects.filter(delivery=delivery).exclude(verb=Verb.OBSERVED).select_related("change")
    return sorted((row.verb, row.registration.reference, row.change.previous, row.change.current) for row in rows)


def a_page(*items: Any, stands_for: int) -> Delivery:
    """Of a replay that stands for this turn."""
    delivery = a_delivery(*items, registration=whole(), source=Source.REPLAY)
    Delivery.objects.filter(pk=delivery.pk).update(stands_for=stands_for)
    delivery.refresh_from_db()
    ingest(delivery)
    return delivery


# What a delivery touched


def touched(*told: tuple[float, str, bool]) -> settling.Touched:
    """By hour, kind, and whether an UPDATE said it."""
    found = settling.Touched()
    for hour, kind, is_update in told:
        found.add(DUNS, kind, at(hour), is_update=is_update)
    return found


def at(hour: float) -> datetime:
    return MOMENT + timedelta(hours=hour)


def test_changes_are_looked_at_from_the_earliest_to_the_last_update_and_without_an_end_for_a_difference() -> None:
    element = Kind.ELEMENT
    found = touched((5, element, True), (3, element, True), (7, element, True), (4, element, True))
    assert (found.since, found.until) == ({DUNS: at(3)}, {DUNS: at(7)})
    found.add(DUNS, element, at(6))
    found.add(DUNS, element, at(9), is_update=True)
    assert (found.since, found.until) == ({DUNS: at(3)}, {})
    assert touched((5, element, False), (6, element, True)).until == {}


def test_what_two_deliveries_touched_is_joined() -> None:
    element = Kind.ELEMENT
    found = touched((5, element, True), (1, Kind.BASELINE, False))
    found.join(touched((3, element, True), (8, element, True), (2, Kind.DELETED, False)))
    assert (found.since, found.until, found.lifecycle) == ({DUNS: at(3)}, {DUNS: at(8)}, {DUNS})
    assert found.earliest() == {DUNS: at(1)}
    found.join(touched((4, element, False)))
    assert (found.until, touched((3, element, True), (9, Kind.DELETED, False)).earliest()) == ({}, {DUNS: at(3)})
    for first, second in ((1, 9), (9, 1)):
        documents = touched((first, Kind.BASELINE, False), (second, Kind.BASELINE, False))
        assert (documents.earliest(), documents.lifecycle) == ({DUNS: at(1)}, set())


def test_companies_near_each_other_are_read_together_up_to_the_last_of_them() -> None:
    since = {"1": at(0), "2": at(1), "3": at(720), "4": at(0)}
    found = list(spans(since, {"1": at(9), "2": at(5), "3": at(720)}))
    assert [(span.companies, span.until) for span in found] == [(["1", "2"], at(9)), (["3"], at(720)), (["4"], None)]
    assert found[0].since == at(0) - facts.SEED_MAY_LEAD


def test_companies_are_near_within_a_few_days_of_the_first_and_not_too_many_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    end = MOMENT + window.MARGIN
    moments = {"1": MOMENT, "2": end, "3": end + timedelta(milliseconds=1), "4": end + window.MARGIN}
    assert list(window.near_each_other(moments)) == [["1", "2"], ["3", "4"]]
    monkeypatch.setattr(window, "AT_ONCE", 2)
    assert list(window.near_each_other(dict.fromkeys("12345", MOMENT))) == [["1", "2"], ["3", "4"], ["5"]]


def test_of_each_kind_a_notice_that_two_registrations_report_is_one() -> None:
    items = (a_transfer(), a_notice("UNDER_REVIEW"), a_notice("REVIEWED"), a_transfer(to="804735132"), a_notice("EXIT"))
    for hours, item in enumerate(items):
        for registration in (one(), two()):
            read({**item, "deliveryTimeStamp": stamp(hours=hours)}, registration=registration)
    kinds = Change.objects.filter(superseded=False).order_by(*OLDEST_FIRST).values_list("kind", flat=True)
    transferred, left = Kind.TRANSFERRED, Kind.LEFT
    reported = [transferred, Kind.UNDER_REVIEW, Kind.REVIEWED, transferred, left, left]
    assert list(kinds) == reported
    read(update("A", "B", 1), registration=one())
    assert list(kinds.exclude(kind=Kind.ELEMENT)) == reported


# What holds goes both ways, and the feed is told each time


def test_documents_that_go_to_and_fro_withdraw_and_reinstate_their_differences() -> None:
    """1, 3, 2 becomes 1, 2, 3 and back, and again."""
    for name, stands_for in (("1", 1), ("3", 200), ("2", 300)):
        a_page(seed(name, 1), stands_for=stands_for)
    assert live() == [('"1"', '"3"'), ('"3"', '"2"')]
    there = a_page(seed("2", 1), stands_for=100)
    assert live() == [('"1"', '"2"'), ('"2"', '"3"')]
    apart = [("withdrawn", "WHOLE", '"1"', '"3"'), ("withdrawn", "WHOLE", '"3"', '"2"')]
    assert entries(there) == apart
    back = a_page(seed("3", 1), stands_for=90)
    assert live() == [('"1"', '"3"'), ('"3"', '"2"')]
    together = [("reinstated", *one[1:]) for one in apart]
    assert entries(back) == [*together, ("withdrawn", "WHOLE", '"1"', '"2"'), ("withdrawn", "WHOLE", '"2"', '"3"')]
    again = a_page(seed("2", 1), stands_for=80)
    assert live() == [('"1"', '"2"'), ('"2"', '"3"')]
    assert [entry for entry in entries(again) if entry[0] == "withdrawn"] == apart
    for publication in Publication.objects.all():
        assert publication.entry_count == counts_of(publication.delivery_id)["entry_count"]


def test_a_late_document_withdraws_a_difference_over_it() -> None:
    read(seed("A", 1), seed("C", 3), registration=whole())
    late = read(seed("B", 2), registration=whole())
    assert entries(late) == [("withdrawn", "WHOLE", '"A"', '"C"')]


def test_an_entry_of_a_second_reading_stands_for_the_change_that_it_was_killed_before() -> None:
    """The last that is published, where none waits that says otherwise. Who waits with the same has its entry taken
    back by the one who wrote the change."""
    answer = read(update("A", "B", 1), registration=one())
    change = Change.objects.get(kind=Kind.ELEMENT)

    def entry(verb: Verb, delivery: Delivery) -> Observation:
        row = {"company_id": DUNS, "registration": one(), "observed_at": MOMENT, "recorded_at": MOMENT}
        return Observation.objects.create(id=uuid.uuid4(), change=change, verb=verb, delivery=delivery, **row)

    def published() -> tuple[bool, bool]:
        return settling._is_published(change.pk, Verb.WITHDRAWN), settling._is_published(change.pk, Verb.REINSTATED)

    assert published() == (False, False)
    entry(Verb.WITHDRAWN, answer)
    assert published() == (False, False), "by a first reading, which finds its own entry again"
    apart = Apart(answer)
    entry(Verb.REINSTATED, apart.delivery())
    entry(Verb.OBSERVED, Apart(answer).delivery())
    assert published() == (False, False), "it may be taken back yet"
    apart.publish()
    assert published() == (False, True)
    waiting = entry(Verb.WITHDRAWN, Apart(answer).delivery())
    assert published() == (False, False), "it is withdrawn again, as soon as that is published"
    settling._take_back_others(entry(Verb.REINSTATED, apart.delivery()))
    assert Observation.objects.filter(pk=waiting.pk).exists()
    between = entry(Verb.REINSTATED, Apart(answer).delivery())
    settling._take_back_others(entry(Verb.WITHDRAWN, Apart(answer).delivery()))
    assert Observation.objects.filter(pk=waiting.pk).exists()
    between.delete()
    settling._take_back_others(entry(Verb.WITHDRAWN, Apart(answer).delivery()))
    assert not Observation.objects.filter(pk=waiting.pk).exists()
    assert Observation.objects.count() == 5


# A change that was never published as one


def test_what_held_in_no_publication_before_is_published_with_what_makes_it_hold() -> None:
    """Two differences are one until a third stands between them."""
    read(seed("A", 1), seed("B", 3), registration=whole())
    second = read(seed("A", 2), seed("B", 9), registration=whole("WHOLE2"))
    replaced = Change.objects.get(delivery=second, kind=Kind.ELEMENT)
    assert (replaced.superseded, replaced.entry) == (True, Entry.OBSERVATION)
    between = read(seed("A", 5), registration=whole())
    replaced.refresh_from_db()
    assert (replaced.superseded, replaced.entry, replaced.delivery_id) == (False, Entry.CHANGE, between.pk)
    assert entries(between) == []
    assert Publication.objects.get(delivery=between).change_count == 3
    for publication in Publication.objects.all():
        assert publication.entry_count == counts_of(publication.delivery_id)["entry_count"]


@pytest.mark.parametrize("is_known", [True, False])
def test_a_replaced_difference_is_the_first_report_of_its_registration_only(is_known: bool) -> None:
    read(update("A", "B", 2), registration=one())
    if is_known:
        read(update("A", "B", 2), registration=whole())
    read(seed("A", 1), seed("B", 3), registration=whole())
    entry = Change.objects.exclude(derived_from="").get().entry
    assert entry == (Entry.NONE if is_known else Entry.OBSERVATION)


def test_a_difference_that_its_own_registrations_update_explains_is_no_entry() -> None:
    """Its notification stands between the documents, which are neighbors all the same."""
    read(update("A", "B", 2), registration=whole())
    read(seed("A", 1), seed("B", 3), registration=whole())
    explained = Change.objects.exclude(derived_from="").get()
    own = Change.objects.get(derived_from="", kind=Kind.ELEMENT)
    assert (explained.entry, explained.replaced_by) == (Entry.NONE, own.pk)


def test_of_two_differences_that_one_update_explains_the_first_is_the_report() -> None:
    first, second = {"street": "S1", "town": "T1"}, {"street": "S2", "town": "T2"}
    read(update(first, second, 2, "organization.primaryAddress"), registration=one())
    read(seed("A", 1, primaryAddress=first), seed("A", 3, primaryAddress=second), registration=whole())
    found = sorted(Change.objects.exclude(derived_from="").values_list("entry", flat=True))
    assert found == [Entry.OBSERVATION, Entry.NONE]


def test_what_is_replaced_by_another_change_than_before_is_no_news() -> None:
    """Of three deletions the latest is read first, and the earliest last."""
    for hours, registration in ((5, one()), (3, two())):
        read(a_notice(delivered=stamp(hours=hours)), registration=registration)
    third = read(a_notice(delivered=stamp(hours=1)), registration=a_registration("THREE"))
    assert [(verb, reference) for verb, reference, *_ in entries(third)] == [("replaced", "TWO")]
    assert set(Change.objects.filter(superseded=True).values_list("replaced_by", flat=True)) == set(
        Change.objects.filter(superseded=False).values_list("pk", flat=True)
    )


def test_what_was_one_with_a_change_that_is_gone_holds_again() -> None:
    """No other source is left then, and no document."""
    read(update("A", "B", 2), registration=one())
    second = read(update("A", "B", 4), registration=two())
    assert Change.objects.get(delivery=second).superseded
    Change.objects.filter(registration=one()).delete()
    settling.settle(settling.Touched({DUNS: MOMENT}), None, Apart(second).delivery)
    assert live() == [('"A"', '"B"')]


# Who writes looks again


def while_another_reads(monkeypatch: pytest.MonkeyPatch, rule: str, other: Delivery) -> None:
    """It inserts and settles between what is read here and what is written."""
    waiting, judge = [other], getattr(facts, rule)

    def interrupted(*arguments: Any) -> Any:
        found = judge(*arguments)
        if waiting:
            ingest(waiting.pop())
        return found

    monkeypatch.setattr(settling, rule, interrupted)


def test_who_replaces_a_difference_that_another_keeps_alive_looks_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """The update would explain the difference, if the first document did not show that it was reported before."""
    read(seed("A", 1), seed("B", 3), registration=whole())
    while_another_reads(monkeypatch, "judge", a_delivery(seed("B", 0.5), registration=whole()))
    read(update("A", "B", 0.6), registration=one())
    assert live() == [('"A"', '"B"'), ('"B"', '"A"'), ('"A"', '"B"')]


def test_who_replaces_a_deletion_that_another_keeps_apart_looks_again(monkeypatch: pytest.MonkeyPatch) -> None:
    read(a_notice(delivered=stamp(hours=5)), registration=one())
    between = a_delivery(a_notice("UNDELETE", delivered=stamp(hours=3)), registration=two())
    while_another_reads(monkeypatch, "judge_lifecycle", between)
    read(a_notice(delivered=stamp(hours=1)), registration=two())
    assert not Change.objects.filter(superseded=True).exists()


@pytest.mark.parametrize("others_write", ["entry", "delivery"])
def test_who_makes_a_change_hold_sees_what_others_published_meanwhile(
    others_write: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It holds as little as when it was read, but stands in the feed already, or belongs to another delivery."""
    read(seed("A", 1), seed("B", 3), registration=whole())
    second = read(seed("A", 2), seed("B", 9), registration=whole("WHOLE2"))
    replaced = Change.objects.get(delivery=second, kind=Kind.ELEMENT)
    count = Publication.objects.get(delivery=second).entry_count
    written = {"entry": Entry.CHANGE} if others_write == "entry" else {"delivery": Apart(second).delivery()}

    def interrupted(*arguments: Any) -> Any:
        found = facts.judge(*arguments)
        Change.objects.filter(pk=replaced.pk, entry=Entry.OBSERVATION, delivery=second).update(**written)
        return found

    monkeypatch.setattr(settling, "judge", interrupted)
    between = read(seed("A", 5), registration=whole())
    replaced.refresh_from_db()
    assert Publication.objects.get(delivery=second).entry_count == count
    if others_write == "entry":
        assert replaced.delivery_id == second.pk
        assert entries(between) == [("reinstated", "WHOLE2", '"A"', '"B"')]
    else:
        assert (replaced.delivery_id, entries(between)) == (between.pk, [])


# How far back is looked


def test_documents_far_apart_are_explained_by_what_happened_in_between() -> None:
    read(seed("A", 0), registration=whole())
    read(update("A", "B", 24), registration=one())
    read(seed("B", 24 * 30), registration=whole())
    assert live() == [('"A"', '"B"')]


def test_documents_after_a_late_update_are_explained_by_the_last_that_says_so() -> None:
    """The earlier document lags behind the first update, and the second update follows the later document."""
    day = 24
    read(seed("A", 3 * day), seed("B", 30 * day), registration=whole())
    for hours, registration in ((1 * day, one()), (30 * day + 0.1, two())):
        late = read(update("A", "B", hours), registration=registration)
        assert Change.objects.exclude(derived_from="").get().replaced_by == Change.objects.get(delivery=late).pk


def test_what_a_late_update_repeats_no_more_is_looked_at_beyond_its_reach() -> None:
    """Of three in a row, each within four days of the one before, the third is one with the second only while that
    holds."""
    for day, reference in ((6, "THREE"), (3, "TWO"), (0, "ONE")):
        read(update("A", "B", day * 24), registration=a_registration(reference))
    holding = Change.objects.filter(superseded=False).order_by(*OLDEST_FIRST)
    assert list(holding.values_list("registration__reference", flat=True)) == ["ONE", "THREE"]


def test_what_lies_before_all_that_an_update_bears_on_stays_as_it_was_judged() -> None:
    """What it repeated is out of reach by then."""
    for day, registration in ((0, one()), (3, two())):
        read(update("A", "B", day * 24), registration=registration)
    late = read(update("1", "2", 7 * 24, "organization.telephone"), registration=one())
    assert (entries(late), Change.objects.get(registration=two()).superseded) == ([], True)


def test_a_source_has_reported_what_was_judged_before() -> None:
    read(update("A", "B", 2), registration=one())
    for hours, name in ((1, "A"), (3, "B"), (5, "A"), (7, "B")):
        read(seed(name, hours), registration=whole())
    assert live() == [('"A"', '"B"'), ('"B"', '"A"'), ('"A"', '"B"')]


@pytest.mark.parametrize("reference", ["ONE", "WHOLE"])
def test_an_update_shortly_after_a_document_explains_it(reference: str) -> None:
    read(seed("A", 1), seed("B", 3), registration=whole())
    read(update("A", "B", 3.2), registration=a_registration(reference, full_product=reference == "WHOLE"))
    assert live() == [('"A"', '"B"')]
    assert Change.objects.exclude(derived_from="").get().superseded


@pytest.mark.parametrize("reference", ["ONE", "TWO"])
def test_a_source_that_reported_the_same_change_too_is_not_another(reference: str) -> None:
    """Wherever the change stands that both reported, either means another one to the same value."""
    for registration in (one(), two()):
        read(update("A", "B", 2), registration=registration)
    read(update("A", "B", 5), registration=a_registration(reference))
    assert live() == [('"A"', '"B"'), ('"A"', '"B"')]


# What a source's first document shows


@pytest.mark.parametrize("way", [Source.PULL, Source.FILE])
def test_the_first_document_is_that_of_the_same_way(way: str) -> None:
    """The registration's answers showed B at first, and its files did not."""
    read(update("A", "B", 2), registration=one())
    read(seed("B", 3), registration=whole())
    read(seed("A", 3.5), registration=whole(), source=Source.FILE)
    for item in (seed("C", 4), seed("B", 5)):
        read(item, registration=whole(), source=way)
    replaced = Change.objects.filter(current='"B"', superseded=True).exclude(derived_from="")
    assert replaced.exists() == (way == Source.FILE)


def test_the_first_of_several_documents_of_one_stamp_is_the_first_of_the_answer() -> None:
    read(update("A", "B", 2), registration=one())
    read(seed("A", 3), seed("B", 3), registration=whole())
    assert live() == [('"A"', '"B"')]
