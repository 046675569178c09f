"""The rules of one fact, clause by clause, over changes at hand."""

import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest

from monitoring.elements.json_paths import comparable
from monitoring.history.facts import (
    FAMILIES,
    LIVE,
    WITHDRAWN,
    Element,
    FirstDocument,
    LifecycleEvent,
    Verdict,
    judge,
    judge_lifecycle,
    leaves_of,
)
from monitoring.models import Kind
from tests.builders.times import MOMENT

NAME = "organization.primaryName"
ADDRESS = "organization.primaryAddress"
STREET, TOWN = f"{ADDRESS}.street", f"{ADDRESS}.town"


def key(name: str) -> uuid.UUID:
    return uuid.uuid5(uuid.NAMESPACE_OID, name)


def at(hours: float) -> datetime:
    return MOMENT + timedelta(hours=hours)


def update(
    name: str, hours: float, leaves: Any, source: str = "updates", also: tuple[str, ...] = (), path: str = ""
) -> Element:
    leaves = leaves if isinstance(leaves, dict) else {NAME: comparable(leaves)}
    path = path or (next(iter(leaves)) if len(leaves) == 1 else ADDRESS)
    order = at(hours), name, 0
    return Element(key(name), order, source, path, leaves, sources={source, *also})


def difference(name: str, since: float, hours: float, leaves: Any, source: str = "documents", **more: Any) -> Element:
    found = update(name, hours, leaves, source)
    found.since = at(since)
    found.is_adjacent = more.get("is_adjacent", True)
    return found


def verdicts(
    *elements: Element,
    known: Mapping[str, Verdict] | None = None,
    first: Mapping[str, FirstDocument] | None = None,
) -> dict[str, str]:
    """By name: "live", "withdrawn", or the name of what replaces it."""
    kept = {key(name): verdict for name, verdict in (known or {}).items()}
    found = judge(sorted(elements, key=lambda one: one.order), kept, first or {})
    by_key = {key(one.order[1]): one.order[1] for one in elements}
    return {
        by_key[one]: "live" if verdict.live else by_key[verdict.replaced_by] if verdict.replaced_by else "withdrawn"
        for one, verdict in found.items()
    }


# Compared by leaves


def test_an_update_of_a_container_says_of_what_it_does_not_name_that_it_is_absent() -> None:
    """It may know less of what was there before than the documents."""
    explained = difference("D", 0, 2, {STREET: "", TOWN: ""})
    assert verdicts(update("U", 1, {TOWN: ""}, path=ADDRESS), explained) == {"U": "live", "D": "U"}
    assert verdicts(update("U", 1, {TOWN: "York"}, path=ADDRESS), explained) == {"U": "live", "D": "live"}
    assert verdicts(update("U", 1, {TOWN: ""}), explained) == {"U": "live", "D": "live"}
    street = difference("D", 0, 2, {STREET: ""})
    assert verdicts(update("U", 1, {TOWN: "York"}, path=ADDRESS), street)["D"] == "U"
    for line, expected in (("1", "live"), ("", "U")):
        below = update("U", 1, {TOWN: "York", f"{STREET}.line1": line}, path=ADDRESS)
        assert verdicts(below, street)["D"] == expected


def test_of_a_leaf_and_its_container_the_latest_explains() -> None:
    leaf, town = update("L", 1, {TOWN: ""}), difference("D", 0, 3, {TOWN: ""})
    for path in (ADDRESS, "organization"):
        assert verdicts(leaf, update("C", 2, {STREET: ""}, path=path), town)["D"] == "C"


def test_arrays_are_multisets_at_any_depth() -> None:
    assert comparable([{"n": [1, 2]}, {"n": [3]}]) == comparable([{"n": [3]}, {"n": [2, 1]}])
    assert comparable([1, 1, 2]) != comparable([1, 2, 2])
    for empty in (None, "", [], {}, [None], {"y": [""]}):
        assert comparable([{"n": 1, "x": empty}, {"z": empty}, empty]) == comparable([{"n": 1}])
    assert comparable({"a:1,b": 2}) != comparable({"a": 1, "b": 2})


def test_what_was_empty_before_is_no_leaf() -> None:
    assert leaves_of("a", {"b": None, "c": 1}, {"c": 2}) == {"a.c": "2E0"}


def test_every_change_has_a_leaf_and_one_without_is_a_fact() -> None:
    assert leaves_of("a", None, {}) == leaves_of("a", None, []) == {"a": ""}
    assert verdicts(update("U1", 1, "B"), update("U2", 2, {}, "others", path=NAME))["U2"] == "live"


# What explains a difference


def test_a_difference_of_documents_that_are_no_neighbors_does_not_hold_and_reports_nothing() -> None:
    found = verdicts(update("U", 2, "B"), difference("D1", 1, 3, "B", is_adjacent=False), difference("D2", 1, 4, "B"))
    assert found == {"U": "live", "D1": "withdrawn", "D2": "U"}


def test_of_several_updates_the_latest_explains() -> None:
    found = verdicts(
        update("U1", 2, "B"),
        update("U2", 3, "B"),
        difference("D1", 1, 4, "B"),
        difference("D2", 4, 5, "C"),
        difference("D3", 5, 6, "B"),
    )
    assert found == {"U1": "live", "U2": "live", "D1": "U2", "D2": "live", "D3": "live"}


def test_each_leaf_may_be_explained_by_another_update_and_the_last_replaces_it() -> None:
    found = verdicts(
        update("U1", 2, {STREET: "S"}), update("U2", 3, {TOWN: "T"}), difference("D", 1, 4, {STREET: "S", TOWN: "T"})
    )
    assert found["D"] == "U2"


def test_a_source_reports_one_update_after_the_other() -> None:
    updates = update("U1", 1, "B"), update("U2", 3, "A")
    found = verdicts(*updates, difference("D1", 0, 2, "B"), difference("D2", 2, 4, "A"))
    assert (found["D1"], found["D2"]) == ("U1", "U2")


def test_each_source_reports_a_fact_on_its_own_account() -> None:
    found = verdicts(
        update("U", 2, "B"), difference("D1", 1, 3, "B", "documents"), difference("D2", 1, 4, "B", "files")
    )
    assert (found["D1"], found["D2"]) == ("U", "U")


@pytest.mark.parametrize(
    ("since", "hours", "updated", "is_explained"),
    [
        (0, 1, -95.9, True),
        (0, 1, -96, False),
        # The time goes back from the earlier document, however long ago that was.
        (0, 240, 24, True),
        (0, 1, 1.25, True),
        (0, 1, 1.26, False),
    ],
)
def test_an_update_explains_from_four_days_before_the_earlier_document_to_15_minutes_after_the_later(
    since: float, hours: float, updated: float, is_explained: bool
) -> None:
    found = verdicts(update("U", updated, "B"), difference("D", since, hours, "B"))
    assert found["D"] == ("U" if is_explained else "live")


def test_an_update_to_another_value_explains_nothing() -> None:
    assert verdicts(update("U", 2, "C"), difference("D", 1, 3, "B"))["D"] == "live"


def test_what_is_replaced_by_a_change_that_is_one_with_another_is_replaced_by_that() -> None:
    found = verdicts(update("U1", 2, "B"), update("U2", 3, "B", "others"), difference("D", 1, 4, "B"))
    assert found == {"U1": "live", "U2": "U1", "D": "U1"}


# What the first document shows


def first(hours: float, **document: Any) -> dict[str, FirstDocument]:
    return {"documents": FirstDocument(at(hours), document)}


def there_and_back(*updates: Element, **options: Any) -> str:
    """What becomes of a difference to B after one to C, where the first document may have shown B."""
    found = verdicts(*updates, difference("D1", 3, 4, "C"), difference("D2", 4, 7, "B"), **options)
    return found["D2"]


@pytest.mark.parametrize(
    ("shown", "updated", "expected"),
    [
        ("B", 2, "live"),
        ("B", 3.25, "live"),  # up to 15 minutes later
        ("B", 3.26, "U"),
        ("B", 6, "U"),
        ("A", 2, "U"),
    ],
)
def test_what_the_first_document_shows_counts_as_reported(shown: str, updated: float, expected: str) -> None:
    assert there_and_back(update("U", updated, "B"), first=first_named(shown)) == expected


def first_named(name: str) -> dict[str, FirstDocument]:
    return first(3, primaryName=name)


def test_of_several_that_the_first_document_shows_all_are_reported() -> None:
    assert there_and_back(update("U1", 1, "B"), update("U2", 2, "B"), first=first_named("B")) == "live"


def test_what_was_reported_after_the_first_document_stays_reported() -> None:
    edits = difference("D1", 3, 4, "C"), difference("D2", 4, 5, "A"), difference("D3", 5, 6, "C")
    found = verdicts(update("U1", 2, "B"), update("U2", 3.5, "C"), *edits, first=first_named("B"))
    assert (found["D1"], found["D3"]) == ("U2", "live")


def test_the_first_document_of_another_source_reports_nothing() -> None:
    shown = {"files": first_named("B")["documents"]}
    assert there_and_back(update("U", 2, "B"), first=shown) == "U"


def test_a_first_document_says_nothing_of_a_member_that_it_lacks() -> None:
    phone = "organization.telephone"
    assert first(3)["documents"].leaf(phone) is None and first(3, telephone=None)["documents"].leaf(phone) == ""
    assert first(3, telephone={"n": "1"})["documents"].leaf("telephone.n") == comparable("1")
    assert first(3, telephone=None)["documents"].leaf("organization") is None
    found = verdicts(update("U", 2, {phone: ""}), difference("D", 4, 5, {phone: ""}), first=first(3))
    assert found["D"] == "U"


# What was settled before


def test_what_was_replaced_before_has_been_reported() -> None:
    elements = update("U", 2, "B"), difference("D1", 1, 3, "B"), difference("D2", 4, 5, "B")
    known = {"U": LIVE, "D1": Verdict(live=False, replaced_by=key("U"))}
    assert verdicts(*elements, known=known)["D2"] == "live"


def test_what_was_live_before_is_not_explained_anew_and_reports_nothing() -> None:
    elements = update("U", 2, "B"), difference("D1", 1, 3, "B"), difference("D2", 4, 5, "B")
    assert verdicts(*elements, known={"U": LIVE, "D1": LIVE}) == {"U": "live", "D1": "live", "D2": "U"}


def test_what_was_withdrawn_before_stays_so() -> None:
    assert verdicts(difference("D", 1, 3, "B"), known={"D": WITHDRAWN}) == {"D": "withdrawn"}


@pytest.mark.parametrize("source", ["two", "three"])
def test_who_reported_what_was_one_before_repeats_itself_the_next_time(source: str) -> None:
    elements = update("U1", 0, "B", "one"), update("U2", 2, "B", "two", ("three",)), update("U3", 4, "B", source)
    known = {"U1": LIVE, "U2": Verdict(live=False, replaced_by=key("U1"))}
    assert verdicts(*elements, known=known)["U3"] == "live"


def test_a_difference_that_an_update_explained_before_is_no_update_of_its_source() -> None:
    elements = update("U1", 1, "B"), difference("D", 0, 2, "B"), update("U2", 4, "B", "documents")
    known = {"U1": LIVE, "D": Verdict(live=False, replaced_by=key("U1"))}
    assert verdicts(*elements, known=known)["U2"] == "U1"


def test_what_was_replaced_before_stays_so_whatever_became_of_the_other() -> None:
    """It may be withdrawn, before the time that is looked at, or replaced in its turn."""
    pair = update("A", 1, "B"), update("B", 2, "B", "others")
    replaced = {name: Verdict(live=False, replaced_by=key(other)) for name, other in ("AB", "BA")}
    assert verdicts(*pair, known={"A": WITHDRAWN, "B": replaced["B"]}) == {"A": "withdrawn", "B": "A"}
    assert verdicts(*pair, known=replaced) == {"A": "B", "B": "A"}
    assert judge(pair[:1], {key("A"): replaced["A"]}, {}) == {key("A"): replaced["A"]}


# One fact of two sources


def test_updates_of_two_sources_are_one_within_four_days_of_the_one_that_holds() -> None:
    found = verdicts(update("U1", 0, "B", "one"), update("U2", 96, "B", "two"), update("U3", 97, "B", "three"))
    assert found == {"U1": "live", "U2": "U1", "U3": "live"}


def test_a_source_that_was_taken_for_one_with_another_repeats_itself_the_next_time() -> None:
    for also in ((), ("three",)):
        both = update("U1", 0, "B", "one"), update("U2", 2, "B", "two", also)
        found = verdicts(*both, update("U3", 4, "B", also[0] if also else "two"))
        assert found == {"U1": "live", "U2": "U1", "U3": "live"}


def test_what_a_source_has_reported_too_is_no_fact_of_another() -> None:
    for earlier, later in ((("two",), ()), ((), ("one",))):
        found = verdicts(update("U1", 0, "B", "one", earlier), update("U2", 2, "B", "two", later))
        assert found == {"U1": "live", "U2": "live"}


def test_an_update_and_a_difference_that_it_does_not_explain_are_two() -> None:
    found = verdicts(difference("D", 0, 1, "B"), update("U", 2, "B"))
    assert found == {"D": "live", "U": "live"}


def test_every_leaf_needs_a_neighbor_that_says_the_same() -> None:
    both = {STREET: "S", TOWN: "T"}
    assert verdicts(update("U1", 0, {STREET: "S"}, "one"), update("U2", 2, both, "two"))["U2"] == "live"
    other_town = update("U0", -1, {TOWN: "X"}, "one")
    assert verdicts(other_town, update("U1", 0, {STREET: "S"}, "one"), update("U2", 2, both, "two"))["U2"] == "live"
    town = update("U0", -1, {TOWN: "T"}, "one")
    assert verdicts(town, update("U1", 0, {STREET: "S"}, "one"), update("U2", 2, both, "two"))["U2"] == "U1"


def test_a_neighbor_says_the_same_only_where_both_speak() -> None:
    both = {STREET: "S", TOWN: "T"}
    assert verdicts(update("U1", 0, both, "one"), update("U2", 2, {STREET: "S"}, "two"))["U2"] == "U1"
    for other in ({STREET: "X"}, both | {STREET: "X"}):
        assert verdicts(update("U1", 0, both, "one"), update("U2", 2, other, "two"))["U2"] == "live"


# What happens to a company as a whole


def lifecycle(*kinds: str) -> list[str]:
    """Of events an hour apart, "kind" or "kind number": "live", or the place of the one that it repeats."""
    events = []
    for place, text in enumerate(kinds):
        kind, _, retained = text.partition(" ")
        events.append(LifecycleEvent(key(str(place)), (at(place), "", 0), kind, retained or None))
    found = judge_lifecycle(reversed(events))
    places: dict[uuid.UUID | None, str] = {key(str(place)): str(place) for place in range(len(kinds))}
    verdicts = [found[event.id] for event in events]
    return ["live" if verdict.live else places[verdict.replaced_by] for verdict in verdicts]


@pytest.mark.parametrize(
    ("kinds", "expected"),
    [
        # The first stands for all that repeat it.
        (("deleted", "deleted", "deleted"), ["live", "0", "0"]),
        (("restored", "restored"), ["live", "0"]),
        (("under_review", "under_review"), ["live", "0"]),
        (("reviewed", "reviewed"), ["live", "0"]),
        (("transferred 1", "transferred 1"), ["live", "0"]),
        # Another number is another merger.
        (("transferred 1", "transferred 2", "transferred 1"), ["live", "live", "live"]),
        # Another of the family stands in between.
        (("deleted", "restored", "deleted"), ["live", "live", "live"]),
        (("restored", "deleted", "restored"), ["live", "live", "live"]),
        (("deleted", "transferred 1", "deleted"), ["live", "live", "live"]),
        (("transferred 1", "restored", "transferred 1"), ["live", "live", "live"]),
        (("under_review", "reviewed", "under_review"), ["live", "live", "live"]),
        # What is of another family stands in between of nothing.
        (("deleted", "under_review", "deleted"), ["live", "live", "0"]),
        (("reviewed", "restored", "reviewed"), ["live", "live", "0"]),
    ],
)
def test_an_event_that_repeats_its_familys_neighbor_is_the_same_fact(
    kinds: tuple[str, ...], expected: list[str]
) -> None:
    assert lifecycle(*kinds) == expected


def test_membership_and_what_is_unknown_are_of_no_family() -> None:
    assert set(FAMILIES) == {Kind.DELETED, Kind.RESTORED, Kind.TRANSFERRED, Kind.UNDER_REVIEW, Kind.REVIEWED}
