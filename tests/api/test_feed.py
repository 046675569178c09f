"""The feed: everything once, in the order of publication, however it is read and whatever arrives meanwhile."""

import json
import random
import threading
import uuid
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection

from core.blobs import load_bytes
from core.lists.pagination import write_token
from monitoring.feed import feed
from monitoring.models import Change, DeadLetter, DeadLetterState, Delivery, DeliveryState, Publication, Source
from monitoring.pipeline.ingest import ingest, retry_dead_letter, write
from monitoring.publications.sequence import publish
from monitoring.rebuild.rebuild import rebuild
from portfolio.models import Company
from tests.builders.companies import OTHER
from tests.builders.deliveries import a_delivery, delivered
from tests.builders.elements import an_element
from tests.builders.notifications import a_notice, a_seed, a_transfer, an_update
from tests.builders.programs import Program
from tests.builders.registrations import a_registration
from tests.builders.times import stamp

pytestmark = pytest.mark.django_db


def some_elements(count: int, *, path: str = "organization.registeredName", first: int = 0) -> list[dict[str, Any]]:
    return [an_element(path, None, f"name {number}", stamp(seconds=number)) for number in range(first, first + count)]


def published_in_order() -> list[str]:
    numbers = dict(Publication.objects.values_list("delivery_id", "sequence"))
    rows = Change.objects.filter(delivery__in=list(numbers)).values_list("delivery_id", "id")
    return [str(key) for _, key in sorted((numbers[delivery], key) for delivery, key in rows)]


def test_an_empty_feed_has_a_cursor_that_goes_on(program: Program) -> None:
    page = program.read("changes/")
    assert page["results"] == [] and page["more"] is False
    delivered(an_update())
    assert len(program.follow(page["next"]).items) == 1


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 1000])
def test_every_change_once_in_the_order_of_publication(program: Program, limit: int) -> None:
    for number, count in enumerate([3, 1, 7, 2]):
        delivered(an_update(*some_elements(count, first=100 * number)))
        # Brings nothing new, and is published with no change.
        delivered(an_update(*some_elements(count, first=100 * number)))
    followed = program.follow(limit=limit)
    assert followed.ids == published_in_order()
    assert len(followed.ids) == 13


def test_polling_for_ever_keeps_the_cursor_and_shows_what_comes(program: Program) -> None:
    delivered(an_update())
    cursor = program.follow().cursor
    for _ in range(3):
        page = program.read("changes/", after=cursor)
        assert page == {"results": [], "next": cursor, "more": False}
    delivered(a_notice("DELETE"))
    assert [item["kind"] for item in program.follow(cursor).items] == ["deleted"]


def test_latest_is_the_end_as_of_now(program: Program) -> None:
    delivered(an_update())
    page = program.read("changes/", after="latest")
    assert page["results"] == [] and page["more"] is False
    assert program.follow(page["next"]).items == []
    delivered(a_notice("EXIT"))
    assert [item["kind"] for item in program.follow(page["next"]).items] == ["left"]


def test_a_first_call_may_start_at_a_date(program: Program) -> None:
    for number in range(3):
        delivered(an_update(*some_elements(1, first=number)))
    ids, (second, third) = published_in_order(), Publication.objects.order_by("sequence")[1:]
    later, before = third.published_at + timedelta(minutes=1), second.published_at - timedelta(days=9)
    for moment, expected in ((second.published_at, ids[1:]), (later, []), (before, ids)):
        page = program.read("changes/", since=moment.isoformat())
        assert [change["id"] for change in page["results"]] == expected
        assert program.follow(page["next"]).items == [], "each goes on at the end"
    delivered(an_update(*some_elements(1, first=3)))
    assert len(program.follow(page["next"]).items) == 1
    refused = program.get("changes/", since="2026-01-31", after=page["next"])
    assert refused.status_code == 400 and "`since` in the first call only" in refused.text


def test_what_was_read_before_and_published_later_comes_later(program: Program) -> None:
    """The rows of a delivery appear together when it is published, never behind a reader's back."""
    first, second = a_delivery(an_update(*some_elements(3))), a_delivery(a_notice("DELETE", OTHER))
    write(first)
    write(second)
    assert program.follow().items == []
    publish(second)
    seen = program.follow(limit=1)
    assert [item["kind"] for item in seen.items] == ["deleted"]
    publish(first)
    late = program.follow(seen.cursor, limit=2)
    assert len(late.items) == 3
    assert {item["publication"] for item in late.items} == {2}


class Following:
    """Writers at once, and a reader that follows meanwhile until they are done."""

    def __init__(self) -> None:
        self.seen: list[tuple[int, Any]] = []
        self.errors: list[BaseException] = []
        self.done = threading.Event()

    def read(self) -> None:
        cursor = feed.Cursor()
        while True:
            was_done = self.done.is_set()
            page = feed.read(cursor, 3, feed.Choice())
            self.seen.extend((entry.sequence, entry.change.pk) for entry in page.entries)
            cursor = feed.Cursor.read(str(page.next))
            if was_done and not page.has_more:
                return

    def guarded(self, run: Any, *arguments: Any) -> None:
        try:
            run(*arguments)
        except BaseException as error:  # noqa: BLE001
            # An error ends only its thread: kept here, it fails the test.
            self.errors.append(error)
        finally:
            connection.close()

    def while_writing(self, *phases: Callable[[int], None]) -> None:
        """Each phase is done by four writers at once."""
        reader = threading.Thread(target=self.guarded, args=(self.read,))
        reader.start()
        for phase in phases:
            writers = [threading.Thread(target=self.guarded, args=(phase, number)) for number in range(4)]
            for thread in writers:
                thread.start()
            for thread in writers:
                thread.join(60)
        self.done.set()
        reader.join(60)
        assert not self.errors
        assert self.seen == sorted(self.seen), "out of order"
        assert [str(key) for _, key in self.seen] == published_in_order()


def own(number: int, round_: int) -> dict[str, Any]:
    return an_update(*some_elements(3, first=1000 * number + 10 * round_), duns=f"80000000{number}")


def shared(round_: int) -> dict[str, Any]:
    return an_update(*some_elements(2, first=10 * round_))


@pytest.mark.django_db(transaction=True)
def test_nothing_is_missed_while_many_publish_at_once() -> None:
    """Writers publish what overlaps in any order; a reader that follows meanwhile sees each change once."""
    a_registration()
    following = Following()

    def write_all(number: int) -> None:
        for round_ in range(4):
            ingest(a_delivery(own(number, round_), shared(round_)))

    following.while_writing(write_all)
    assert len(following.seen) == Change.objects.count() == 4 * 4 * 3 + 4 * 2


@pytest.mark.django_db(transaction=True)
def test_replays_late_arrivals_retried_items_and_a_rebuild_are_each_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    a_registration()
    following = Following()

    def with_unreadable(number: int) -> None:
        unreadable = {**own(number, 6), "organization": {"duns": f"7000000{number}"}}
        ingest(a_delivery(own(number, 5), shared(5), unreadable))

    def replayed_and_late(number: int) -> None:
        """What is known comes again, with what happened long before it."""
        ingest(a_delivery(own(number, 5), shared(5), own(number, 1), source=Source.REPLAY))
        ingest(a_delivery(shared(5), shared(0), own((number + 1) % 4, 1)))

    def retried(number: int) -> None:
        """By now a number of eight digits can be read."""
        monkeypatch.setattr("direct_plus.payloads.normalise_duns", lambda text: text.zfill(9))
        for letter in DeadLetter.objects.all():
            if load_bytes(letter.pk).count(b"7000000%d" % number):
                assert retry_dead_letter(letter)

    def rebuilt_meanwhile(number: int) -> None:
        rebuild() if number == 0 else ingest(a_delivery(own(number, 8), own(0, 8)))

    following.while_writing(with_unreadable, replayed_and_late, retried, rebuilt_meanwhile)
    assert DeadLetter.objects.filter(state=DeadLetterState.SOLVED).count() == 4
    assert len(following.seen) == Change.objects.count() == 4 * 3 * 4 + 2 * 2


@pytest.mark.parametrize("seed", range(4))
def test_any_interleaving_is_read_completely(seed: int, monkeypatch: pytest.MonkeyPatch, db: None) -> None:
    """Deliveries are read and published in any order while readers with any filter and page size follow."""
    chance = random.Random(seed)
    monkeypatch.setattr(feed, "SCAN", chance.choice([1, 2, 5, 50]))
    monkeypatch.setattr(feed, "PUBLICATIONS", chance.choice([2, 3, 50]))
    choices = [feed.Choice(), feed.Choice(severity=2), feed.Choice(countries=frozenset(["GB"]))]
    readers = [(choice, [str(feed.Cursor())], list[Any]()) for choice in choices]
    waiting: list[Delivery] = []

    def read_on(choice: feed.Choice, cursors: list[str], seen: list[Any]) -> bool:
        page = feed.read(feed.Cursor.read(cursors[-1]), chance.choice([1, 2, 3, 20]), choice)
        seen += [entry.change.pk for entry in page.entries]
        cursors.append(str(page.next))
        return page.has_more

    for number in range(14):
        company = a_seed(f"80000000{number % 4}", delivered=stamp(days=number), countryISOAlpha2Code="GB")
        elements = some_elements(chance.choice([1, 1, 4, 9]), first=chance.choice([0, 20 * number]))
        waiting.append(a_delivery(an_update(*elements), *[company] * chance.choice([0, 1])))
        write(waiting[-1])
        while waiting and chance.random() < 0.6:
            publish(waiting.pop(chance.randrange(len(waiting))))
        read_on(*chance.choice(readers))
    for reader in readers:
        assert any(not read_on(*reader) for _ in range(1000)), "it does not end"
    for choice, _, seen in readers:
        rows = Change.objects.filter(pk__in=published_in_order()).in_bulk()
        requested = [uuid.UUID(key) for key in published_in_order() if taken(choice, rows[uuid.UUID(key)])]
        assert seen == requested


def taken(choice: feed.Choice, change: Change) -> bool:
    return change.severity >= choice.severity and (choice.countries is None or change.company.country == "GB")


def test_a_filter_takes_what_it_says(program: Program) -> None:
    second = a_registration("ACME_LOD_02")
    delivered(
        an_update(
            an_element("organization.primaryName", "A", "B"),
            an_element("organization.primaryAddress.addressLocality", None, {"name": "Leeds"}),
            an_element("organization.dnbAssessment.failureScore.scoreDate", "2026-01-01", "2026-01-02"),
        ),
        a_seed(OTHER, countryISOAlpha2Code="DE"),
    )
    delivered(a_transfer(OTHER, delivered=stamp(days=2)), registration=second)
    Company.objects.filter(pk="804735132").update(country="GB")

    def kinds(**filters: Any) -> list[str]:
        return sorted(item["element"] or item["kind"] for item in program.follow(**filters).items)

    name, address = "organization.primaryName", "organization.primaryAddress.addressLocality"
    score = "organization.dnbAssessment.failureScore.scoreDate"
    assert kinds() == sorted([name, address, score, "baseline", "transferred"])
    assert kinds(kind="baseline,transferred") == ["baseline", "transferred"]
    assert kinds(kind=["baseline", "element"]) == sorted([name, address, score, "baseline"])
    assert kinds(severity="critical") == ["transferred"]
    assert kinds(severity="medium") == sorted([name, address, "transferred"])
    assert kinds(element="organization.primary") == [address, name]
    assert kinds(element=f"{address}.name") == [address], "a change may name the container"
    assert kinds(registration="ACME_LOD_02") == ["transferred"]
    assert kinds(company="15-048-3782") == ["baseline", "transferred"]
    assert kinds(country="de") == ["baseline", "transferred"]
    assert kinds(country="GB", severity="low") == [address, name]
    assert kinds(country="FR") == []


@pytest.mark.parametrize("limit", [1, 2, 100])
def test_a_filter_that_takes_little_moves_on_all_the_same(
    program: Program, monkeypatch: pytest.MonkeyPatch, limit: int
) -> None:
    monkeypatch.setattr(feed, "SCAN", 4)
    for number in range(5):
        delivered(an_update(*some_elements(7, first=10 * number)))
        if number % 2:
            delivered(a_notice("EXIT", delivered=stamp(days=number)))
    first = program.read("changes/", kind="left", limit=limit)
    assert first["results"] == [] and first["more"] is True
    assert first["next"] != program.read("changes/", kind="left", limit=limit, after=first["next"])["next"]
    followed = program.follow(kind="left", limit=limit)
    assert [item["kind"] for item in followed.items] == ["left", "left"]
    assert followed.calls >= 37 // 4
    # Another filter may go on from the same cursor.
    assert program.follow(followed.cursor).items == []
    everything = program.follow(severity="noise", element="organization", limit=limit)
    assert len(everything.items) == 35


def test_many_publications_without_changes_are_passed_in_bounded_steps(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "PUBLICATIONS", 3)
    for _ in range(8):
        delivered(an_update())
    delivered(a_notice("EXIT"))
    followed = program.follow()
    assert [item["kind"] for item in followed.items] == ["element", "left"]
    assert followed.calls == 4


@pytest.mark.parametrize(
    "sent", ["3.0251016094E8", "1.50", "-0", "1E400", "12345678901234567890123", "0.10000000000000000001"]
)
def test_numbers_come_out_as_they_went_in(program: Program, sent: str) -> None:
    item = (
        '{"type":"UPDATE","organization":{"duns":"804735132"},"deliveryTimeStamp":"2026-01-08T00:00:00Z","elements":['
        f'{{"element":"organization.financials","previous":{sent},"current":[{{"value": {sent}}}],'
        '"timestamp":"2026-01-07T00:00:00Z"}]}'
    )
    delivered(item)
    content = program.get("changes/").content.decode()
    assert f'"previous":{sent},' in content
    assert f'"current":[{{"value": {sent}}}]' in content
    assert f'"value": {sent}' in program.get("companies/804735132/changes/").content.decode()


def test_any_json_value_comes_through(program: Program) -> None:
    values: list[Any] = [
        None,
        True,
        "",
        "ü \U0001f600 \u2028",
        [],
        {},
        [[{"a": None}]],
        "</script>",
        'quote " and \\ back',
    ]
    delivered(an_update(*[an_element(f"organization.e{n}", value, value, stamp()) for n, value in enumerate(values)]))
    items = {item["element"]: item for item in program.follow().items}
    for number, value in enumerate(values):
        assert items[f"organization.e{number}"]["previous"] == value
        assert items[f"organization.e{number}"]["current"] == value


def test_items_of_an_array_are_told_apart(program: Program) -> None:
    before = '[{"telephoneNumber":"1","rate":1.50},{"telephoneNumber":"2"},"gone"]'
    after = '[{"telephoneNumber":"2","isUnreachable":true},{"telephoneNumber":"1","rate":1.50},{"telephoneNumber":"3"}]'
    delivered(
        '{"type":"UPDATE","organization":{"duns":"804735132"},"deliveryTimeStamp":"2026-01-08T00:00:00Z","elements":['
        f'{{"element":"organization.telephone","previous":{before},"current":{after},'
        '"timestamp":"2026-01-07T00:00:00Z"},{"element":"organization.fax","previous":"1","current":"2"}]}'
    )
    items = {item["element"]: item["items"] for item in program.follow().items}
    assert items["organization.fax"] is None
    assert items["organization.telephone"] == {
        "added": [{"telephoneNumber": "3"}],
        "removed": ["gone"],
        "changed": [
            {
                "previous": {"telephoneNumber": "2"},
                "current": {"telephoneNumber": "2", "isUnreachable": True},
            }
        ],
    }


@pytest.mark.parametrize("sent", ["3.0251016094E8", "1.50", "0.10000000000000000001"])
def test_numbers_in_items_keep_their_value(program: Program, sent: str) -> None:
    element = f'{{"element":"organization.new","previous":[],"current":[{{"value":{sent}}}]}}'
    delivered(f'{{"type":"UPDATE","organization":{{"duns":"804735132"}},"elements":[{element}]}}')
    [change] = json.loads(program.get("changes/").content, parse_float=Decimal)["results"]
    assert change["items"]["added"] == [{"value": Decimal(sent)}]


def test_control_characters_and_lone_surrogates_come_out_as_json(program: Program) -> None:
    item = json.dumps(an_update(an_element("organization.primaryName", "A", "TAB_NEWLINE_\ud83d")))
    delivered(item.replace("TAB_", "a\tb").replace("NEWLINE_", "c\nd"))
    answer = program.get("changes/")
    assert json.loads(answer.content.decode(), strict=True)["results"][0]["current"] == "a\tbc\nd\ud83d"


def test_a_change_says_where_it_comes_from(program: Program) -> None:
    delivered(a_seed(primaryName="Acme Ltd"))
    delivered(an_update(an_element("organization.primaryName", "Acme Ltd", "Acme & Sons", stamp(days=2))))
    item = program.follow().items[-1]
    assert item["company"] == {"duns": "804735132", "name": "Acme & Sons", "country": "GB"}
    assert item["label"] == "Primary name" and item["severity"] == "medium" and item["kind"] == "element"
    assert item["changed_at"] == "2026-01-09T01:23:13Z"
    assert item["registration"] == "ACME_LOD_01" and item["publication"] == 2
    assert item["derived"] is False and item["superseded"] is False


def test_derived_changes_say_so_and_superseded_ones_too(program: Program) -> None:
    full = a_registration(full_product=True)
    delivered(a_seed(delivered=stamp(days=1), primaryName="One"), registration=full)
    delivered(a_seed(delivered=stamp(days=3), primaryName="Three"), registration=full)
    before = program.follow()
    assert [(i["current"], i["derived"], i["superseded"]) for i in before.items if i["kind"] == "element"] == [
        ("Three", True, False)
    ]
    delivered(a_seed(delivered=stamp(days=2), primaryName="Two"), registration=full)
    late = [item for item in program.follow(before.cursor).items if item["kind"] == "element"]
    assert sorted((item["current"], item["verb"], item["superseded"]) for item in late) == [
        ("Three", "observed", False),
        ("Three", "withdrawn", True),
        ("Two", "observed", False),
    ]
    again = [item for item in program.follow().items if item["superseded"]]
    assert [(item["current"], item["verb"]) for item in again] == [("Three", "observed"), ("Three", "withdrawn")]


def test_a_cursor_too_old_is_gone_and_says_how_to_start_again(program: Program) -> None:
    cursors = [program.follow().cursor]
    for number in range(4):
        delivered(an_update(*some_elements(3, first=10 * number)))
        cursors.append(program.follow(cursors[-1]).cursor)
    half = program.read("changes/", after=cursors[1], limit=1)["next"]
    Publication.objects.filter(sequence__lte=2).delete()
    for cursor in [cursors[0], cursors[1], half]:
        answer = program.get("changes/", after=cursor)
        assert answer.status_code == 410
        assert answer.json()["type"].endswith("#gone")
        assert (
            "The changes after this cursor were deleted: the feed now begins with publication 3"
            in answer.json()["detail"]
        )
        assert answer.json()["start_again"]["snapshot"] == "/api/v1/companies/"
    assert len(program.follow(cursors[2]).items) == 6
    assert len(program.follow().items) == 6, "without a cursor the feed begins with what there is"
    assert program.follow(cursors[4]).items == []


def test_a_feed_that_starts_in_the_middle_of_a_removed_publication_is_gone(program: Program) -> None:
    delivered(an_update(*some_elements(3)))
    half = program.read("changes/", limit=2)["next"]
    delivered(a_notice("EXIT"))
    assert len(program.follow(half).items) == 2
    Publication.objects.filter(sequence=1).delete()
    assert program.get("changes/", after=half).status_code == 410


def test_after_a_restored_backup_old_cursors_are_gone(program: Program) -> None:
    delivered(an_update())
    kept = program.follow().cursor
    delivered(a_notice("EXIT"))
    lost = program.follow().cursor
    Publication.objects.filter(sequence=2).delete()
    beyond_the_end = program.get("changes/", after=lost)
    delivered(a_notice("ENTER"))
    another_publication = program.get("changes/", after=lost)
    for answer in (beyond_the_end, another_publication):
        assert answer.status_code == 410
        detail = answer.json()["detail"]
        assert detail.startswith("This cursor does not belong to this feed. It may come from another installation, or")
    assert [item["kind"] for item in program.follow(kept).items] == ["entered"]


@pytest.mark.parametrize(
    "after",
    ["x", "", "0", "WyIxIl0", "é", "a\0b", "=" * 20, "W10", "WyIxIiwiIiwiIl0=", "A" * 9000]
    + [
        write_token(parts)
        for parts in (
            ["-1", "", ""],
            ["99999999999999999999", "", ""],
            ["9223372036854775808", "", ""],
            ["01", "", ""],
            ["1", "no id", ""],
            ["0", "0" * 32, ""],
            ["0", "", "abc"],
            ["x", "", ""],
            ["1", "", "", ""],
        )
    ],
)
def test_garbage_is_no_cursor(program: Program, after: str) -> None:
    delivered(an_update())
    answer = program.get("changes/", after=after)
    assert answer.status_code == 400, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["errors"][0]["parameter"] == "after"


@pytest.mark.parametrize(
    "filters",
    [
        {"kind": "nothing"},
        {"severity": "5"},
        {"severity": "a\0"},
        {"element": "\0"},
        {"registration": "NONE"},
        {"registration": "\0"},
        {"company": "12345678"},
        {"company": "80473513\0"},
        {"country": "DEU"},
        {"country": "D\0"},
        {"limit": "0"},
        {"limit": "1001"},
        {"limit": "x"},
        {"contry": "DE"},
        {"\0": "\0"},
    ],
)
def test_a_filter_that_cannot_be_is_refused(program: Program, filters: dict[str, str]) -> None:
    answer = program.get("changes/", **filters)
    assert answer.status_code == 400, answer.content
    assert answer.json()["errors"]


@pytest.mark.parametrize("filters", [{}, {"country": "GB", "registration": "ACME_LOD_01", "severity": "low"}])
def test_a_call_takes_at_most_twelve_queries(
    program: Program, django_assert_max_num_queries: Any, filters: dict[str, str]
) -> None:
    duns = [f"80000{number:04}" for number in range(40)]
    delivered(*[a_seed(number) for number in duns])
    for batch in range(3):
        delivered(*[an_update(*some_elements(2, first=10 * batch), duns=number) for number in duns])
    half = program.read("changes/", limit=10)["next"]
    with django_assert_max_num_queries(12):
        page = program.read("changes/", after=half, limit=130, **filters)
    assert len(page["results"]) == 130
    assert {item["publication"] for item in page["results"]} == {1, 2, 3}
    with django_assert_max_num_queries(12):
        assert len(program.read("changes/", limit=1000, **filters)["results"]) == 280


def test_a_rebuilt_count_does_not_lose_changes(program: Program) -> None:
    """The counts only choose how much to read at once."""
    delivered(an_update(*some_elements(5)))
    delivered(an_update(*some_elements(5, first=20)))
    Publication.objects.update(change_count=1, entry_count=1)
    assert program.follow(limit=3).ids == published_in_order()
    assert program.follow(limit=4, severity="low").ids == published_in_order()


def test_a_delivery_in_doubt_is_not_in_the_feed(program: Program) -> None:
    delivery = a_delivery(an_update())
    Delivery.objects.filter(pk=delivery.pk).update(state=DeliveryState.IN_DOUBT)
    assert program.follow().items == []
