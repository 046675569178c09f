"""One order for a company's story: what a call brought stands in the order of its answer, whatever is read first."""

import itertools
import json
import re
import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db.models import QuerySet
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.db import insert_new
from direct_plus.payloads import UnreadableItem, read_item
from monitoring import observations, story_order
from monitoring.company_page.timeline import changes_of
from monitoring.content_ids import milliseconds
from monitoring.elements.registry import SeverityTable
from monitoring.feed.admin import ChangeAdmin
from monitoring.history import seed_diff, window
from monitoring.history.checkpoints import profile
from monitoring.history.settle import Touched, settle
from monitoring.ingest.admin.notifications import NotificationAdmin
from monitoring.models import (
    Alert,
    AlertItem,
    AlertKind,
    AlertRule,
    AlertState,
    Change,
    DeadLetter,
    Delivery,
    Grouping,
    Kind,
    Notification,
    Publication,
    ScoreChange,
    Source,
)
from monitoring.pipeline.ingest import Apart, ingest, retry_dead_letter
from monitoring.rebuild.rebuild import rebuild
from monitoring.replay.cursor import next_step
from monitoring.stats.daily_counts import roll_up
from monitoring.story_order import (
    LATEST_NOTIFICATIONS_FIRST,
    OF_FETCHES,
    OF_FILES,
    OLDEST_FIRST,
    first_step,
    index_at,
    is_fetched,
    item_place,
    newest,
    next_turn,
    order_text,
    place_of,
    reporter_at,
    source_at,
    step_of,
    story_key,
    story_place,
    take_turn,
    way_at,
    with_step,
)
from portfolio.models import Company, Registration
from tests.builders.alerts import raised
from tests.builders.companies import DUNS, OTHER
from tests.builders.deliveries import a_delivery, delivered
from tests.builders.elements import BANKRUPTCY, PERCENTILE
from tests.builders.notifications import a_notice, a_seed, news
from tests.builders.registrations import a_registration
from tests.builders.rules import a_rule
from tests.builders.times import MOMENT, now_stamp, stamp

pytestmark = pytest.mark.django_db
SCORES = [70, 60, 50, 40, 55, 54, 30]


def full() -> Registration:
    return a_registration("FULL", full_product=True)


def scored(value: int, duns: str = DUNS, at: str | None = None) -> dict[str, Any]:
    assessment = {"failureScore": {"nationalPercentile": value}}
    return a_seed(duns, dnbAssessment=assessment, delivered=at or stamp(days=1))


def named(name: str, at: str | None = None, duns: str = DUNS) -> dict[str, Any]:
    return a_seed(duns, primaryName=name, delivered=at or stamp(days=1))


def story(duns: str = DUNS) -> list[tuple[Any, Any]]:
    """What holds, from the first change to the last."""
    rows = Change.objects.filter(company=duns, kind="element", superseded=False).order_by(*OLDEST_FIRST)
    return [(json.loads(row.previous or "null"), json.loads(row.current or "null")) for row in rows]


def steps(values: list[Any]) -> list[tuple[Any, Any]]:
    return [(one, two) for one, two in itertools.pairwise(values) if one != two]


# One stamp an answer


def test_documents_of_one_answer_and_stamp_are_compared_in_its_order() -> None:
    companies = [f"1000000{number:02}" for number in range(12)]
    delivered(*(scored(value, duns) for value in SCORES for duns in companies), registration=full())
    assert {duns: story(duns) for duns in companies} == dict.fromkeys(companies, steps(SCORES))


def test_a_document_that_returns_in_one_answer_is_a_state_of_its_own() -> None:
    delivered(named("A"), named("B"), named("A"), registration=full())
    assert story() == [("A", "B"), ("B", "A")]
    assert (profile(DUNS).value("organization.primaryName"), Company.objects.get(pk=DUNS).name) == ("A", "A")
    assert Notification.objects.count() == 3


def test_a_document_said_twice_without_another_in_between_is_one() -> None:
    delivered(named("A"), named("C", duns=OTHER), named("A"), named("B"), named("B"), registration=full())
    assert Notification.objects.filter(company=DUNS).count() == 2
    assert story() == [("A", "B")]


def test_documents_without_a_time_are_compared_as_they_came() -> None:
    for name in "ABC":
        item = {**named(name), "deliveryTimeStamp": "unknown"}
        ingest(a_delivery(item, registration=full(), at="unknown"))
    assert story() == steps(list("ABC"))
    before = dict(Change.objects.values_list("pk", "place"))
    rebuilt = rebuild()
    assert (rebuilt.mended, dict(Change.objects.values_list("pk", "place"))) == (0, before)


def test_a_document_repeated_with_its_own_stamp_is_one() -> None:
    """An answer that holds its first items once more at its end, each with the stamp that it had."""
    early, late = named("A", stamp(days=1)), named("B", stamp(days=2))
    delivered(early, late, early, registration=full())
    assert (story(), profile(DUNS).value("organization.primaryName")) == ([("A", "B")], "B")
    assert Notification.objects.count() == 2


def test_pages_tell_the_story_in_its_order(admin_client: Client) -> None:
    delivered(*map(scored, SCORES), registration=full())
    newest_first = [change.current for change in changes_of(DUNS) if change.kind == "element"]
    assert newest_first == [str(value) for value in reversed(SCORES[1:])]
    page = admin_client.get("/monitoring/change/").content.decode()
    shown = re.findall(r"(\d\d) → (\d\d)", re.sub(r"\s+", " ", re.sub(r"<[^>]*>", "", page)))
    assert shown == [(str(one), str(two)) for one, two in reversed(steps(SCORES))]


def test_pages_are_not_cut_through_a_moment_at_random(admin_client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Twelve companies, seven scores each and one stamp: the front page and each page of the list go on where the one
    before ended."""
    companies = [f"1000000{number:02}" for number in range(12)]
    at = now_stamp()
    delivered(*(scored(value, duns, at) for value in SCORES for duns in companies), registration=full())
    last_steps = [(str(one), str(two)) for one, two in reversed(steps(SCORES))]
    in_story = [(duns, *step) for step in last_steps for duns in reversed(companies)]
    assert told_on("/", admin_client)[:12] == in_story[:12]
    monkeypatch.setattr(ChangeAdmin, "list_per_page", 25)
    pages = [told_on(f"/monitoring/change/?kind=element&p={number}", admin_client) for number in (1, 2, 3)]
    assert list(map(len, pages)) == [25, 25, 22]
    assert list(itertools.chain(*pages)) == in_story


def told_on(page: str, client: Client) -> list[tuple[str, str, str]]:
    """Each company's number, and its score before and after, in the order of the page."""
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", client.get(page).content.decode()))
    return re.findall(r"\b(1000000\d\d)\b(?:(?!1000000).)*?(\d\d) → (\d\d)", text)


def test_notifications_of_one_moment_are_listed_as_they_came(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"1000000{number:02}" for number in range(12)]
    delivered(*(named("A", duns=duns) for duns in names))
    monkeypatch.setattr(NotificationAdmin, "list_per_page", 5)
    pages = [admin_client.get(f"/monitoring/notification/?p={number}").context["cl"] for number in (1, 2, 3)]
    listed = [row.company_id for page in pages for row in page.result_list]
    assert listed == list(reversed(names))


@pytest.mark.parametrize("most", [10_000, 4])
def test_each_part_of_a_list_holds_what_the_whole_order_has_there(most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Moments of three, two and four rows, a millisecond apart, listed in parts of any size; also where one holds as
    many as are sorted."""
    for turn, count in ((1, 3), (2, 2), (3, 4)):
        at = stamp(seconds=turn / 1000)
        delivered(*(named("A", at, duns=f"1000000{turn}{number}") for number in reversed(range(count))))
    monkeypatch.setattr(story_order, "MOST_OF_A_MOMENT", most)
    rows = Notification.objects.all()
    whole = list(rows.order_by("-delivered_at", *LATEST_NOTIFICATIONS_FIRST))
    assert len({row.delivered_at for row in whole}) == 3 and whole != list(rows.order_by("-id"))
    for start, stop in itertools.combinations(range(11), 2):
        found = newest(rows, start, stop, LATEST_NOTIFICATIONS_FIRST)
        assert {row.pk for row in found} == {row.pk for row in whole[start:stop]}, (start, stop)
        assert [row.delivered_at for row in found] == [row.delivered_at for row in whole[start:stop]]


def test_a_moment_of_very_many_is_listed_by_key(monkeypatch: pytest.MonkeyPatch) -> None:
    delivered(*(named("A", duns=f"1000000{number:02}") for number in range(6)))
    monkeypatch.setattr(story_order, "MOST_OF_A_MOMENT", 5)
    by_key = list(Change.objects.order_by("-id"))
    assert newest(Change.objects.all(), 2, 4) == by_key[2:4]
    assert newest(Change.objects.all(), 6, 9) == []


def test_a_run_of_falls_is_counted_in_the_order_of_the_story() -> None:
    delivered(*map(scored, SCORES), registration=full())
    while roll_up():
        pass
    rows = ScoreChange.objects.order_by("at", "place")
    assert [(row.before, row.after, row.consecutive_declines) for row in rows] == [
        ("70", "60", 1),
        ("60", "50", 2),
        ("50", "40", 3),
        ("40", "55", 0),
        ("55", "54", 1),
        ("54", "30", 2),
    ]


def test_deleted_and_restored_in_one_answer_is_restored() -> None:
    a_rule(kinds="deleted")
    at = now_stamp()
    delivered(a_notice("DELETE", delivered=at), a_notice("UNDELETE", delivered=at))
    delivered(a_notice("UNDELETE", OTHER, delivered=at), a_notice("DELETE", OTHER, delivered=at))
    raised()
    assert {row.pk: row.operating_status for row in Company.objects.all()} == {DUNS: "", OTHER: "Deleted at D&B"}
    assert dict(Alert.objects.values_list("company", "state")) == {DUNS: AlertState.CLOSED, OTHER: AlertState.NEW}


@given(
    values=st.lists(st.sampled_from("ABC"), min_size=2, max_size=8),
    cuts=st.sets(st.integers(1, 7)),
    order=st.randoms(use_true_random=False),
)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_cut_into_answers_read_in_any_order_gives_the_same_story(
    values: list[str], cuts: set[int], order: Any
) -> None:
    forget_everything()
    for delivery in order.sample(answers := as_answers(values, cuts, shared=False), len(answers)):
        ingest(delivery)
    assert story() == steps(values)
    assert profile(DUNS).value("organization.primaryName") == values[-1]
    assert Company.objects.get(pk=DUNS).name == values[-1]


@given(cuts=st.sets(st.integers(1, 5)), order=st.randoms(use_true_random=False))
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_one_stamp_over_several_answers_stands_in_the_order_of_the_calls(cuts: set[int], order: Any) -> None:
    forget_everything()
    values = list("CABEDF")
    for delivery in order.sample(answers := as_answers(values, cuts, shared=True), len(answers)):
        ingest(delivery)
    assert story() == steps(values)


def as_answers(values: list[str], cuts: set[int], *, shared: bool) -> list[Delivery]:
    """The same stream, cut into answers; with one stamp each, or one for all."""
    bounds = [0, *sorted(cut for cut in cuts if cut < len(values)), len(values)]
    parts = [values[start:end] for start, end in itertools.pairwise(bounds)]
    return [
        a_delivery(*(named(value, stamp(seconds=0 if shared else number)) for value in part), registration=full())
        for number, part in enumerate(parts)
    ]


def forget_everything() -> None:
    for model in (Publication, Change, Notification, Delivery, Company):
        model.objects.all().delete()


# What a replay makes good


def a_page(*items: Any, turn: int, stands_for: int) -> Delivery:
    delivery = a_delivery(*items, registration=full(), source=Source.REPLAY)
    Delivery.objects.filter(pk=delivery.pk).update(turn=turn, stands_for=stands_for)
    delivery.refresh_from_db()
    return delivery


def test_what_was_lost_stands_where_the_call_stood_that_lost_it() -> None:
    ingest(a_delivery(named("A", stamp(days=-1)), registration=full()))
    lost, arrived = [named("B"), named("C")], [named("D"), named("E")]
    a_delivery(registration=full())  # the call whose answer was lost, turn 2
    ingest(a_delivery(*arrived, registration=full()))
    ingest(a_page(*lost, *arrived, turn=4, stands_for=2))
    assert story() == steps(list("ABCDE"))


def test_the_turns_of_calls_count_and_not_the_clocks_of_machines() -> None:
    """A machine whose clock is behind made the later call: its row's id, which begins with its time, sorts first."""
    behind = a_delivery(named("B"), named("C"), registration=full())
    ahead = a_delivery(named("A"), registration=full())
    for delivery, turn in ((ahead, 7), (behind, 8)):
        Delivery.objects.filter(pk=delivery.pk).update(turn=turn, stands_for=turn)
        delivery.refresh_from_db()
    assert behind.pk < ahead.pk
    ingest(behind)
    ingest(ahead)
    assert story() == steps(list("ABC"))


@pytest.mark.parametrize("size", [1, 2, 3, 4, 6])
def test_replay_pages_that_end_inside_a_stamp_tell_the_story_of_the_answer(size: int) -> None:
    """Each page begins at the stamp's edge again, so every page that shows a document shows those before it."""
    lost = [named("A"), named("B"), named("A"), named("C"), named("A"), named("D")]
    a_delivery(registration=full())  # the call whose answer was lost, turn 1
    for turn, page in enumerate(replayed(lost, size), start=2):
        ingest(a_page(*page, turn=turn, stands_for=1))
    assert story() == steps(list("ABACAD"))
    assert profile(DUNS).value("organization.primaryName") == "D"


def replayed(items: list[dict[str, Any]], size: int) -> Iterator[list[dict[str, Any]]]:
    """The pages of D&B's replay of items that have one stamp: what was delivered after the cursor, from the first."""
    cursor, delivered_at = MOMENT, MOMENT + timedelta(days=1)
    while cursor < delivered_at:
        page = items[:size]
        yield page
        step = next_step(cursor, size, [delivered_at] * len(page), len(page))
        assert step
        cursor, size = step.cursor, step.size


def test_an_answer_read_late_moves_what_a_later_one_has_shown_before() -> None:
    pulled = a_delivery(named("A"), named("B"), registration=full())
    replayed = a_page(named("A"), named("B"), turn=9, stands_for=9)
    ingest(replayed)
    ingest(pulled)
    pulled.refresh_from_db()
    assert {row.place for row in Notification.objects.all()} == {place_of(pulled, 0), place_of(pulled, 1)}
    assert (pulled.new_count, pulled.placed_count, pulled.is_needed) == (0, 2, True)
    ingest(replayed)
    replayed.refresh_from_db()
    assert (replayed.placed_count, {row.delivery_id for row in Notification.objects.all()}) == (0, {replayed.pk})


def test_documents_that_change_places_are_compared_again_both_ways() -> None:
    """1, 3, 2 becomes 1, 2, 3: what was superseded holds again."""
    three = {name: a_page(named(name), turn=turn, stands_for=turn) for turn, name in ((1, "1"), (2, "2"), (3, "3"))}
    for delivery in three.values():
        ingest(delivery)
    before = story()
    ingest(a_page(named("2"), turn=4, stands_for=4))
    assert story() == before == steps(list("123"))
    Notification.objects.filter(delivery=three["2"].pk).update(place=place_of(three["3"], 1))
    seed_diff.compare_company(three["2"], DUNS, SeverityTable())
    settle(Touched({DUNS: MOMENT - timedelta(days=400)}), None, Apart(three["2"]).delivery)
    assert story() == steps(list("132"))
    ingest(three["2"])
    assert story() == steps(list("123"))


def test_a_document_that_moves_to_the_beginning_is_compared_with_none_before_it() -> None:
    for turn, name in ((5, "A"), (6, "B")):
        ingest(a_page(named(name), turn=turn, stands_for=turn))
    ingest(a_page(named("B"), turn=7, stands_for=3))
    assert story() == steps(list("BA"))


def test_only_whole_documents_that_the_registration_was_sent_are_compared() -> None:
    """Not its notices, nor what was fetched for it, nor the documents of a registration that is sent changes."""
    for hour, name in enumerate("XY"):
        ingest(a_delivery(named(name, stamp(hours=hour)), registration=a_registration()))
        fetched = a_delivery(named(f"{name}2", stamp(hours=hour)), registration=full())
        fetched.place = f"3{fetched.turn:08x}{fetched.turn:08x}00000"
        ingest(fetched)
    sent = named("A", stamp(hours=2)), a_notice("UNDER_REVIEW", delivered=stamp(hours=3)), named("B", stamp(hours=4))
    last = delivered(*sent, named("Z", stamp(hours=4), OTHER), registration=full())
    seed_diff.compare_company(last, DUNS, SeverityTable())
    assert story() == [("A", "B")]


def test_late_documents_of_several_companies_are_each_compared_with_their_neighbors() -> None:
    known = [(DUNS, "A", 1), (DUNS, "D", 10), (DUNS, "E", 20), (OTHER, "P", 2), (OTHER, "S", 30), ("123456789", "Z", 6)]
    for duns, name, hour in known:
        ingest(a_delivery(named(name, stamp(hours=hour), duns), registration=full()))
    late = named("B", stamp(hours=5)), named("Q", stamp(hours=25), OTHER)
    ingest(a_delivery(*late, registration=full()))
    assert (story(DUNS), story(OTHER)) == (steps(list("ABDE")), steps(list("PQS")))


def test_an_item_read_at_a_second_try_keeps_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr("monitoring.ingest.parser.read_item", refusing("B"))
        delivered(named("A"), named("B"), named("C"), registration=full())
    assert story() == [("A", "C")]
    assert retry_dead_letter(DeadLetter.objects.get())
    assert story() == steps(list("ABC"))


def refusing(name: str) -> Any:
    def refuse(raw: bytes, **options: Any) -> Any:
        if f'"{name}"'.encode() in raw:
            raise UnreadableItem("damaged")
        return read_item(raw, **options)

    return refuse


def test_two_workers_with_two_late_documents_leave_no_comparison_over_them(monkeypatch: pytest.MonkeyPatch) -> None:
    first, last = (a_delivery(named(name, stamp(days=day)), registration=full()) for day, name in ((1, "A"), (4, "D")))
    for delivery in (first, last):
        ingest(delivery)
    mine, theirs = (a_delivery(named(name, stamp(days=day)), registration=full()) for day, name in ((2, "B"), (3, "C")))
    waiting = [theirs]

    def interrupted(*arguments: Any, **options: Any) -> Any:
        """The other worker stores its document after this one has looked at the documents."""
        if waiting and arguments[0] is Change:
            other = waiting.pop()
            with monkeypatch.context() as patched:
                patched.setattr("monitoring.pipeline.ingest.compare_seeds", lambda *rest: [])
                ingest(other)
        return insert_new(*arguments, **options)

    monkeypatch.setattr(seed_diff, "insert_new", interrupted)
    ingest(mine)
    assert story() == steps(list("ABC"))
    Delivery.objects.filter(pk=theirs.pk).update(state="received")
    theirs.refresh_from_db()
    ingest(theirs)
    assert story() == steps(list("ABCD"))


@pytest.mark.parametrize("order", ["ABC", "ACB"])
def test_a_comparison_stands_where_its_document_stands_though_another_moves_it_meanwhile(
    order: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Further in the same order, or so that the order is another one."""
    for turn, name in ((1, "A"), (6, "B"), (7, "C")):
        ingest(a_page(named(name), turn=turn, stands_for=turn))
    mine = a_page(named("B"), named("C"), turn=8, stands_for=4)
    theirs = a_page(named(order[1]), turn=9, stands_for=3)
    waiting, keep_places = [theirs], seed_diff._keep_places

    def interrupted(*arguments: Any) -> None:
        """The other worker moves a document after this one has looked at the documents."""
        if waiting:
            ingest(waiting.pop())
        keep_places(*arguments)

    monkeypatch.setattr(seed_diff, "_keep_places", interrupted)
    ingest(mine)
    assert story() == steps(list(order))
    assert observations.keep_places(Change.objects.filter(superseded=False).values_list("pk", flat=True)) == 0


def test_a_comparison_that_two_workers_find_stands_where_its_document_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    """The other worker has moved the later document, and stands before it inserts what this one inserts."""
    ingest(a_delivery(named("A", stamp(days=1)), registration=full()))
    ingest(a_delivery(named("C", stamp(days=3)), registration=full(), source=Source.REPLAY))
    mine, theirs = (a_delivery(named(name, stamp(days=day)), registration=full()) for day, name in ((2, "B"), (3, "C")))
    waiting = [theirs]

    def interrupted(*arguments: Any) -> Any:
        if waiting:
            with monkeypatch.context() as patched:
                patched.setattr(seed_diff, "insert_new", lambda *rest: [])
                ingest(waiting.pop())
        return insert_new(*arguments)

    monkeypatch.setattr(seed_diff, "insert_new", interrupted)
    ingest(mine)
    assert story() == steps(list("ABC"))
    assert observations.keep_places(Change.objects.filter(superseded=False).values_list("pk", flat=True)) == 0


# The key


def test_the_key_sorts_by_delivery_then_call_then_position_then_element() -> None:
    calls = [Delivery(source=source, turn=turn, stands_for=stands) for source, turn, stands in CALLS]
    registration = uuid.uuid4()
    keys = [
        story_place(registration, MOMENT + timedelta(milliseconds=later), place_of(call, position), index)
        for later in (0, 1)
        for call in calls
        for position in (0, 9, 100)
        for index in (0, 1, 4000)
    ]
    assert keys == sorted(keys)
    assert len(set(map(len, keys))) == 1


CALLS = [(Source.PULL, 1, 1), (Source.REPLAY, 30, 2), (Source.PULL, 3, 3), (Source.PULL, 300, 300)]


def test_a_place_names_its_parts() -> None:
    registration = uuid.UUID(int=0xABCDEF01 << 96)
    place = place_of(Delivery(source=Source.REPLAY, turn=3, stands_for=2), 4)
    found = story_place(registration, MOMENT, place, index=500, step=20)
    assert place == "1000000020000000300004"
    assert found == f"0014{milliseconds(MOMENT):012x}abcdef01000000002100000003000041f4"
    assert (step_of(found), index_at(found), source_at(found)) == (20, 500, "abcdef010")
    assert (item_place(found), way_at(found), with_step(found, 7)) == (place, "1", f"0007{found[4:]}")
    assert story_place(registration, MOMENT, place)[:4] == "0001"
    assert story_place(registration, MOMENT, place, index=10**6)[-3:] == with_step(found, 10**6)[1:4] == "fff"
    assert (step_of(""), index_at(""), first_step(Kind.BASELINE), first_step(Kind.DELETED)) == (0, 0, 0, 1)


def test_a_retry_stands_where_its_item_stood_and_other_ways_after_each_other() -> None:
    ways = Source.PULL, Source.REPLAY, Source.FILE, Source.FETCH, Source.RETRY
    places = [place_of(Delivery(source=way, turn=1, stands_for=1), 10**9) for way in ways]
    assert [place[0] for place in places] == list("01230") and {place[-5:] for place in places} == {"fffff"}
    assert [reporter_at(place) for place in ("", *places)] == [0, 0, 0, 1, 2, 0]
    assert [is_fetched(place) for place in places] == [False, False, False, True, False]
    for number, (first, last) in ((2, OF_FILES), (3, OF_FETCHES)):
        assert [place for place in places if first <= place <= last] == [places[number]]
    assert place_of(Delivery(source=Source.RETRY, place="x"), 3) == "x"


def test_two_that_take_a_turn_simultaneously_take_different_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = Registration.objects.filter(pk=full().pk)
    taken: list[int | None] = []
    update, waiting = QuerySet.update, [rows.all()]

    def interrupted(queryset: QuerySet[Any], **values: Any) -> int:
        if waiting:
            taken.append(take_turn(waiting.pop()))
        return update(queryset, **values)

    monkeypatch.setattr(QuerySet, "update", interrupted)
    taken.append(take_turn(rows.all(), last_error="mine"))
    assert taken == [1, 2] and rows.values_list("turn", "last_error").get() == (2, "mine")
    assert take_turn(rows.filter(last_error="theirs")) is None
    other = a_registration("ONE")
    assert (next_turn(rows.get()), next_turn(other), rows.get().turn) == (3, 1, 3)


def test_other_programs_sort_by_the_same() -> None:
    delivered(*map(scored, SCORES), registration=full())
    rows = list(Change.objects.all())
    assert sorted(rows, key=order_text) == sorted(rows, key=story_key)


# Alerts: only what holds takes back, and never what a person has taken up


def the_alert() -> Alert:
    return Alert.objects.get(kind=AlertKind.CHANGE)


def percentile(before: int, after: int, *, hours: float = 0) -> Any:
    return news(PERCENTILE, before, after, hours=hours)


def test_an_alert_with_two_facts_is_taken_back_when_both_are() -> None:
    a_rule(elements=f"{BANKRUPTCY}\n{PERCENTILE}")
    delivered(news(BANKRUPTCY, False, True), percentile(70, 20))
    raised()
    AlertRule.objects.update(active=False)
    delivered(percentile(20, 70, hours=1))
    raised()
    alert = the_alert()
    assert (alert.state, alert.reversal) == (AlertState.NEW, "")
    delivered(news(BANKRUPTCY, True, False, hours=2))
    raised()
    alert = the_alert()
    assert alert.state == AlertState.CLOSED and alert.reversal


def test_what_is_set_again_later_opens_the_alert_again() -> None:
    a_rule(elements=BANKRUPTCY, conditions="becomes true")
    delivered(news(BANKRUPTCY, False, True))
    raised()
    AlertRule.objects.update(active=False)
    delivered(news(BANKRUPTCY, True, False, hours=1))
    raised()
    assert the_alert().state == AlertState.CLOSED
    delivered(news(BANKRUPTCY, False, True, hours=2))
    raised()
    alert = the_alert()
    assert (alert.state, alert.reversal, alert.closed_by) == (AlertState.NEW, "", "")


def test_a_late_document_that_shows_that_nothing_was_taken_back_opens_the_alert_again() -> None:
    a_rule(elements=PERCENTILE, conditions="drops by 20")
    delivered(scored(70, at=now_stamp(hours=-3)), scored(20, at=now_stamp(hours=-2)), registration=full())
    raised()
    AlertRule.objects.update(active=False)
    delivered(scored(70, at=now_stamp()), registration=full())
    raised()
    assert the_alert().state == AlertState.CLOSED
    delivered(scored(30, at=now_stamp(hours=-1)), registration=full())
    raised()
    assert the_alert().state == AlertState.NEW


def test_an_alert_of_a_change_that_did_not_happen_is_closed_with_a_note() -> None:
    a_rule(elements=PERCENTILE, conditions="drops by 40")
    delivered(scored(70, at=now_stamp(hours=-3)), scored(20, at=now_stamp(hours=-1)), registration=full())
    raised()
    delivered(scored(45, at=now_stamp(hours=-2)), registration=full())
    raised()
    alert = the_alert()
    assert (alert.state, alert.closed_by) == (AlertState.CLOSED, "the program")
    assert alert.reversal.startswith("Reversed: a later document")


@pytest.mark.parametrize("state", [AlertState.ACKNOWLEDGED, AlertState.NEW])
def test_what_a_person_has_acknowledged_stays_open(state: AlertState) -> None:
    """Also when it was opened again since."""
    a_rule(elements=BANKRUPTCY, conditions="becomes true")
    delivered(news(BANKRUPTCY, False, True))
    raised()
    Alert.objects.update(state=state, acknowledged_by="Ann", acknowledged_at=MOMENT)
    delivered(news(BANKRUPTCY, True, False, hours=1))
    raised()
    alert = the_alert()
    assert alert.state == state and alert.reversal
    raised()


def test_genuine_alerts_of_one_answer_stay_open() -> None:
    """As on the demo's first screen: by the order of their hashes some of these fell back to where they were."""
    a_rule(elements=PERCENTILE, conditions="drops by 5")
    at = now_stamp()
    delivered(*(scored(value, at=at) for value in [70, 60, 70, 50, 40]), registration=full())
    raised()
    alert = the_alert()
    assert (alert.state, values_of(alert.title)) == (AlertState.NEW, "70 → 60")
    facts = AlertItem.objects.order_by("changed_at", "place")
    assert [values_of(fact.text) for fact in facts] == ["70 → 60", "70 → 50", "50 → 40"]


# A rebuild mends what was published before there was an order


def as_before() -> None:
    """Rows as the program made them when equal stamps stood in the order of their hashes."""
    Notification.objects.update(place="")
    Change.objects.exclude(derived_from="").delete()
    seeds = {json.loads(row.organization)["primaryName"]: row for row in Notification.objects.all()}
    for one, two in (("A", "C"), ("C", "B")):
        pair = seeds[one], seeds[two]
        insert_new(Change, seed_diff._comparisons(pair[1].delivery, [pair], SeverityTable()))
    Change.objects.update(place="")


def test_a_rebuild_gives_places_and_compares_anew() -> None:
    delivered(named("A"), named("B"), named("C"), registration=full())
    as_before()
    assert story() != steps(list("ABC"))
    rebuild()
    assert story() == steps(list("ABC"))
    assert Company.objects.get(pk=DUNS).name == "C"


def test_a_rebuild_adds_the_document_that_had_returned() -> None:
    delivered(named("A"), named("B"), named("A"), registration=full())
    returned = Notification.objects.order_by("place").last()
    assert returned
    Change.objects.exclude(derived_from="").delete()
    Change.objects.filter(notification=returned).delete()
    returned.delete()
    rebuild()
    assert story() == steps(list("ABA"))
    assert Company.objects.get(pk=DUNS).name == "A"


def test_a_rebuild_opens_alerts_that_were_closed_without_ground() -> None:
    a_rule(elements=BANKRUPTCY, conditions="becomes true")
    delivered(news(BANKRUPTCY, False, True))
    raised()
    Alert.objects.update(
        state=AlertState.CLOSED, closed_by="the program", reversal="Taken back on 7 Jan", closed_at=MOMENT
    )
    assert rebuild().alerts == 1
    alert = the_alert()
    assert (alert.state, alert.reversal, alert.closed_at) == (AlertState.NEW, "", None)
    assert rebuild().alerts == 0


def told_in_another_order(monkeypatch: pytest.MonkeyPatch, *values: int) -> None:
    """Alerts as the program raised them when it compared documents of one stamp in this order, not in the answer's."""

    def wrong_key(row: Notification) -> int:
        score = json.loads(Notification.objects.get(pk=row.pk).organization)["dnbAssessment"]["failureScore"]
        return values.index(score["nationalPercentile"])

    at = now_stamp()
    with monkeypatch.context() as patched:
        patched.setattr(seed_diff, "notification_key", wrong_key)
        patched.setattr(window, "notification_key", wrong_key)
        delivered(*(scored(value, at=at) for value in sorted(values, reverse=True)), registration=full())
    raised()


def facts_in_order() -> list[str]:
    return [values_of(fact.text) for fact in AlertItem.objects.order_by("changed_at", "place")]


def values_of(text: str) -> str:
    """ "Acme: national percentile (failure score) 70 → 60 (worse)" without what stands around "70 → 60"."""
    return text.removesuffix(" (worse)").removesuffix(" (better)").rpartition(") ")[2]


@pytest.mark.parametrize("closed_by", ["", "the program"])
def test_after_a_rebuild_an_alert_tells_the_steps_that_hold(monkeypatch: pytest.MonkeyPatch, closed_by: str) -> None:
    a_rule(elements=PERCENTILE, conditions="drops by 5")
    told_in_another_order(monkeypatch, 60, 40, 70, 50)
    assert sorted(facts_in_order()) == ["60 → 40", "70 → 50"]
    if closed_by:
        Alert.objects.update(state=AlertState.CLOSED, closed_by=closed_by, reversal="Taken back", closed_at=MOMENT)
    assert rebuild().alerts == 1
    alert = the_alert()
    assert (alert.state, alert.reversal, alert.fact_count) == (AlertState.NEW, "", 3)
    assert (values_of(alert.title), alert.reason.rpartition(": ")[2]) == (
        "70 → 60",
        "70 → 60 (drops by 5 or more)",
    )
    assert facts_in_order() == ["70 → 60", "60 → 50", "50 → 40"]
    assert rebuild().alerts == 0


def test_after_a_rebuild_an_alert_of_what_never_happened_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    a_rule(elements=PERCENTILE, conditions="drops by 15")
    told_in_another_order(monkeypatch, 60, 40, 70, 50)
    rebuild()
    alert = the_alert()
    assert (alert.state, alert.closed_by) == (AlertState.CLOSED, "the program")
    assert sorted(facts_in_order()) == ["60 → 40", "70 → 50"]
    assert alert.reversal.startswith("Reversed: a later document")


def test_a_rebuild_leaves_what_a_person_has_acknowledged(monkeypatch: pytest.MonkeyPatch) -> None:
    a_rule(elements=PERCENTILE, conditions="drops by 5")
    told_in_another_order(monkeypatch, 60, 40, 70, 50)
    Alert.objects.update(state=AlertState.ACKNOWLEDGED, acknowledged_by="Ann", acknowledged_at=MOMENT)
    rebuild()
    assert the_alert().state == AlertState.ACKNOWLEDGED
    assert sorted(facts_in_order()) == ["60 → 40", "70 → 50"]


def test_of_alerts_for_each_change_one_tells_what_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    a_rule(elements=PERCENTILE, conditions="drops by 5", grouping=Grouping.EACH)
    told_in_another_order(monkeypatch, 60, 40, 70, 50)
    rebuild()
    found = {alert.state: alert.fact_count for alert in Alert.objects.filter(kind=AlertKind.CHANGE)}
    assert found == {AlertState.NEW: 3, AlertState.CLOSED: 1}
