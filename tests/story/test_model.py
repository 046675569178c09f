"""The model itself, on stories whose answer the rules name."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.story.facts import Answer, answer, answers, known_of
from tests.story.model import Element, Item, StoredDelivery, differences, notifications
from tests.story.worlds import FULL_PRODUCT, World

UPDATES, OTHER, FULL, WEEKLY = "STORY_01", "STORY_04", "STORY_03", "STORY_10"
NAME = "organization.primaryName"
PRESENT = frozenset[str]()


def at(hours: float = 0) -> datetime:
    return datetime(2026, 1, 5, 8, tzinfo=UTC) + timedelta(hours=hours)


def an_update(previous: Any, current: Any, when: float = 0, delivered: float = 1, path: str = NAME) -> Item:
    return Item("UPDATE", "c", at(delivered), (Element(path, previous, current, at(when)),))


def a_seed(name: str, delivered: float = 1, **members: Any) -> Item:
    return Item("SEED", "c", at(delivered), document={"primaryName": name, **members})


def stored(*items: Item, by: str = UPDATES, turn: int = 1, source: str = "pull", instead: int = 0) -> StoredDelivery:
    return StoredDelivery(by, source, turn, instead or turn, items[-1].stamp, items)


def told(*deliveries: StoredDelivery) -> Answer:
    return answer(known_of(deliveries, "c"), FULL_PRODUCT, PRESENT)


def names(found: Answer) -> list[str]:
    """The changes of the name, and how they are known: of a difference, whose it is."""
    changes = [token for _, token in found.order if token[2] == "primaryName"]
    return [f"{token[3]}>{token[4]} {token[-1]}".replace('"', "").strip() for token in changes]


def test_a_document_that_returns_in_one_answer_with_one_stamp_is_the_last() -> None:
    answer_of_d_and_b = stored(a_seed("A"), a_seed("B"), a_seed("A"), a_seed("A"), by=FULL)
    assert len(notifications([answer_of_d_and_b])) == 3
    found = told(answer_of_d_and_b)
    assert found.state == {"primaryName": '"A"'}
    assert names(found) == [f"A>B {FULL}", f"B>A {FULL}"]


def test_a_document_of_one_stamp_that_comes_again_after_another_stamp_is_one() -> None:
    for between in ("A", "B"):
        answer_of_d_and_b = stored(a_seed("A", 1), a_seed(between, 2), a_seed("A", 1), by=FULL)
        assert len(notifications([answer_of_d_and_b])) == 2


def test_each_of_two_equal_notices_of_one_answer_is_one_of_its_own() -> None:
    notice = Item("SOMETHING_NEW", "c", at())
    assert len(notifications([stored(notice, notice), stored(notice, turn=2, source="replay", instead=1)])) == 2


def test_a_part_of_a_file_counts_what_returns_as_an_answer_does() -> None:
    """So one that returns in a later part is not told from its first: the limit of one stamp over several answers."""
    parts = [stored(a_seed("A"), a_seed("B"), by=FULL, source="file"), stored(a_seed("A"), by=FULL, source="file")]
    assert len(notifications(parts)) == 2
    assert len(notifications([stored(*parts[0].items, *parts[1].items, by=FULL, source="file")])) == 3


def test_a_file_that_shows_an_update_of_an_answer_tells_it_on_its_own_account() -> None:
    """An answer represents it; the change stands where the file has it, which was delivered before."""
    by_file = stored(an_update("A", "B", delivered=3), source="file", turn=2)
    by_answer = stored(an_update("A", "B", delivered=9), an_update("X", "Y", delivered=9), turn=1)
    (shown, _) = notifications([by_file, by_answer])
    assert (shown.place[0], shown.in_files) == (0, (at(3), (2, 2, 2, 0)))
    assert names(told(by_file, by_answer)) == ["A>B", "X>Y"]
    assert names(told(stored(an_update("X", "Y", delivered=5), by=OTHER), by_file, by_answer)) == ["A>B", "X>Y"]


def test_a_replay_stands_where_the_call_stood_that_it_makes_good() -> None:
    second = stored(a_seed("B"), by=FULL, turn=2)
    found = told(second, stored(a_seed("A"), by=FULL, turn=3, source="replay", instead=1))
    assert names(found) == [f"A>B {FULL}"] and found.state == {"primaryName": '"B"'}


def test_positions_of_two_registrations_are_not_compared() -> None:
    first = stored(an_update("A", "B"), an_update("B", "C"))
    found = told(stored(an_update("B", "C"), by=OTHER), first)
    assert names(found) == ["A>B", "B>C"] and found.state == {"primaryName": '"C"'}


def test_of_equal_times_the_next_is_the_one_whose_previous_value_is_known() -> None:
    baseline = stored(a_seed("A", delivered=-5))
    assert names(told(baseline, stored(an_update("B", "C"), an_update("A", "B"), turn=2))) == ["A>B", "B>C"]


def test_a_seed_that_lags_behind_does_not_undo_a_change() -> None:
    assert told(stored(an_update("A", "B")), stored(a_seed("A", delivered=2), turn=2)).state == {"primaryName": '"B"'}


def test_an_update_explains_a_difference_once() -> None:
    updates = stored(an_update("A", "B", 1), an_update("B", "A", 2), an_update("A", "B", 3))
    seeds = [stored(a_seed(name, hour), by=FULL, turn=hour) for name, hour in (("A", 1), ("B", 4), ("A", 5), ("B", 6))]
    assert names(told(updates, *seeds)) == ["A>B", "B>A", "A>B", f"B>A {FULL}", f"A>B {FULL}"]


def test_a_teller_tells_in_the_order_of_its_documents() -> None:
    """Though another one says of the last step that it was the first of this moment."""
    first = stored(a_seed("B", delivered=-1), an_update("A", "B", -5, -1))
    of_that_moment = stored(an_update("B", "C", 2, 2), turn=2)
    seeds = stored(*(a_seed(name, delivered=2) for name in "ABCB"), by=FULL, turn=3)
    assert names(told(first, of_that_moment, seeds)) == ["A>B", "B>C", f"C>B {FULL}"]


def test_a_container_explains_a_difference_only_if_all_its_leaves_are_as_in_the_document() -> None:
    leeds, york = {"town": "Leeds", "street": "High St"}, {"town": "York", "street": "High St"}
    seeds = [stored(a_seed("A", n, primaryAddress=place), by=FULL, turn=n) for n, place in ((1, leeds), (4, york))]
    for current, live in ((york, 1), ({"town": "York", "street": "Mill Rd"}, 2)):
        update = stored(an_update(leeds, current, 2, path="organization.primaryAddress"))
        changes = [token for _, token in told(update, *seeds).order if token[0] == "element"]
        assert len(changes) == live


def test_the_same_difference_of_two_registrations_is_one_fact() -> None:
    seeds = [stored(a_seed(name, n), by=by, turn=n) for by, n in ((FULL, 2), (WEEKLY, 30)) for name in ("A",)]
    later = [stored(a_seed("B", n + 8), by=by, turn=n + 8) for by, n in ((FULL, 2), (WEEKLY, 30))]
    found = told(*seeds, *later)
    assert names(found) == [f"A>B {FULL}"]
    (fact,) = (token for token in found.observed if token[0] == "element")
    assert found.observed[fact] == {FULL, WEEKLY}


def test_a_repeated_deletion_is_one_until_it_is_undone() -> None:
    kinds = [("DELETE", 1), ("DELETE", 2), ("UNDELETE", 3), ("DELETE", 4)]
    items = [stored(Item(kind, "c", at(hour)), turn=hour) for kind, hour in kinds]
    assert [token[0] for _, token in told(*items).order] == ["deleted", "restored", "deleted"]


SCORES = "organization.dnbAssessment"
NEWER, OLDER = ({"classScore": number, "scoreDate": f"2026-01-0{number}"} for number in (4, 2))


@pytest.mark.parametrize("name", ["failureScore", "delinquencyScore"])
def test_an_older_score_does_not_replace_a_newer_one(name: str) -> None:
    known = stored(an_update(None, NEWER, 1, path=f"{SCORES}.{name}"))
    alone = an_update(None, OLDER, 2, path=f"{SCORES}.{name}")
    together = an_update(None, {name: OLDER, "other": 1}, 2, path=SCORES)
    parts = [Element(f"{SCORES}.{name}.{part}", None, value, at(2)) for part, value in OLDER.items()]
    for item in (
        alone,
        together,
        Item("UPDATE", "c", at(3), tuple(parts)),
        a_seed("A", 3, dnbAssessment={name: OLDER}),
    ):
        state = told(known, stored(item, turn=2)).state
        assert state[f"dnbAssessment.{name}.scoreDate"] == '"2026-01-04"'
        assert state[f"dnbAssessment.{name}.classScore"] == '"#4"'


def test_a_part_of_a_score_has_the_date_of_its_moment_in_whatever_order_it_is_told() -> None:
    part = an_update(None, 2, 2, path=f"{SCORES}.failureScore.classScore")
    date = an_update(None, "2026-01-02", 2, path=f"{SCORES}.failureScore.scoreDate")
    known = stored(an_update(None, NEWER, 1, path=f"{SCORES}.failureScore"))
    told_by_two = [known, stored(part, turn=2), stored(date, by=OTHER)]
    for deliveries in (told_by_two, told_by_two[::-1]):
        assert told(*deliveries).state["dnbAssessment.failureScore.classScore"] == '"#4"'
    assert told(*told_by_two[:2]).state["dnbAssessment.failureScore.classScore"] == '"#2"'


def test_a_difference_is_observed_by_the_chain_that_shows_it() -> None:
    seeds = [stored(a_seed(name, n), by=FULL, turn=n, source="file") for name, n in (("A", 1), ("B", 2))]
    (difference,) = differences(known_of(seeds, "c"), FULL_PRODUCT)
    assert (difference.source, difference.observers) == ((FULL, True), {(FULL, 2)})


def test_the_order_in_which_deliveries_are_received_does_not_matter() -> None:
    for seed in range(20):
        world = World(seed)
        for company in world.companies:
            orders = [answers(order, company, FULL_PRODUCT)[0] for order in world.arrivals(3)]
            assert all((one.order, one.state) == (orders[0].order, orders[0].state) for one in orders)
