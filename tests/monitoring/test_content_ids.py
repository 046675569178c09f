"""The golden vectors: keys of rows that exist. They may never change."""

import json
import uuid
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.ids import time_first_id
from direct_plus.exact_json import parse_json
from monitoring import content_ids
from monitoring.ingest.parser import Reader, Reading
from tests.builders.deliveries import as_bytes
from tests.builders.elements import an_element
from tests.builders.notifications import a_notice, a_seed, a_transfer, an_update
from tests.builders.times import stamp

SOURCE = content_ids.source_of("default", "ACME_LOD_01")


def read(*items: Any, source: str = SOURCE, fallback: str | None = None) -> list[Reading]:
    results = list(Reader(source=source, fallback_stamp=fallback).read([as_bytes(item) for item in items]))
    assert all(isinstance(result, Reading) for result in results), results
    return [result for result in results if isinstance(result, Reading)]


def ids(*items: Any, **options: Any) -> list[uuid.UUID]:
    return [reading.id for reading in read(*items, **options)]


# an item, the id of its notification, the id of its change
GOLDEN = {
    "update": (
        an_update(),
        "019b960c-ffe8-82e3-91f4-f04993decca3",
        "019b960c-ffe8-87c4-9bd4-144233c02288",
    ),
    "update of an array": (
        an_update(an_element("organization.telephone", [], [{"n": 1.50}])),
        "019b960c-ffe8-83b9-9085-7a65cddbe9c2",
        "019b960c-ffe8-8fec-ad1b-a2f84fa1ceb4",
    ),
    "update without a timestamp": (
        an_update(an_element(timestamp="")),
        "019b9b33-5be8-87d1-9b69-93c5b93372a0",
        "00000000-0000-82e5-acc2-46f93698ca68",
    ),
    "seed": (
        a_seed(),
        "019b9b33-5be8-8ef9-9a8b-5c3c11bb1f15",
        "019b9b33-5be8-89bb-bd2e-df311d0bfb45",
    ),
    "delete": (
        a_notice("DELETE"),
        "019b9b33-5be8-8226-b6b3-47babf9f9771",
        "019b9b33-5be8-883b-9a40-73339f520ba5",
    ),
    "transfer": (
        a_transfer(),
        "019b9b33-5be8-8a92-a5d4-7bc5c31fbc75",
        "019b9b33-5be8-80f2-b6b8-1a7f4f32a1e1",
    ),
    "unknown type": (
        a_notice("SOMETHING_NEW"),
        "019b9b33-5be8-89de-b1b2-bb0beb757bba",
        "019b9b33-5be8-8b1d-b8b1-eed235a6e1a1",
    ),
}


@pytest.mark.parametrize("case", GOLDEN)
def test_golden_vectors(case: str) -> None:
    item, notification, change = GOLDEN[case]
    reading = read(item)[0]
    assert (str(reading.id), str(reading.facts[0].id)) == (notification, change)


CANONICAL = {
    '{"b": 1, "a": [1.0, 1E0, 100, 0.10, -0.0]}': '{"a":[1E0,1E0,1E2,1E-1,0],"b":1E0}',
    '{"a": null, "b": [null]}': '{"b":[null]}',
    "3.0251016094E8": "30251016094E-2",
    "123456789012345678901234567890.5": "1234567890123456789012345678905E-1",
    '"\\ud800 ä 😀"': '"\\ud800 \\u00e4 \\ud83d\\ude00"',
    "[true, false, null]": "[true,false,null]",
    "-1.50": "-15E-1",
}


@pytest.mark.parametrize("text", CANONICAL)
def test_the_canonical_form(text: str) -> None:
    assert content_ids.canonical(parse_json(text)) == CANONICAL[text]


@given(st.decimals(allow_nan=False, allow_infinity=False), st.integers(0, 6))
def test_numbers_are_equal_however_they_are_written(number: Decimal, zeros: int) -> None:
    assert content_ids.canonical(parse_json(f"{number:E}")) == content_ids.canonical(number)
    if number == number.to_integral_value() and abs(number) < 10**12:
        written = f"{int(number)}.{'0' * (zeros + 1)}"
        assert content_ids.canonical(parse_json(written)) == content_ids.canonical(int(number))


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=20))
def test_equal_values_have_equal_forms_and_others_have_not(value: Any) -> None:
    text = json.dumps(value)
    assert content_ids.canonical(parse_json(text)) == content_ids.canonical(value)
    assert content_ids.canonical([value]) != content_ids.canonical([value, value])


def test_an_update_is_known_by_what_happened_not_by_when_it_was_delivered() -> None:
    one, two = an_element("organization.a"), an_element("organization.b")
    assert ids(an_update(one, two, delivered=stamp(days=1))) == ids(an_update(two, one, one, delivered=stamp(days=9)))


def test_an_update_of_another_registration_is_another_notification_but_the_same_change() -> None:
    here, there = read(an_update())[0], read(an_update(), source=content_ids.source_of("default", "OTHER"))[0]
    assert here.id != there.id
    assert here.facts[0].id == there.facts[0].id


def test_timestamps_are_cut_to_the_millisecond() -> None:
    one = an_update(an_element(timestamp="2026-01-07T01:23:13.123456Z"))
    two = an_update(an_element(timestamp="2026-01-07T02:23:13.123999+01:00"))
    assert ids(one) == ids(two)


def test_identical_notices_in_one_answer_are_as_many() -> None:
    found = ids(a_notice("DELETE"), a_notice("UNDELETE"), a_notice("DELETE"))
    assert len(set(found)) == 3
    assert ids(a_notice("DELETE"), a_notice("UNDELETE"), a_notice("DELETE")) == found


def test_a_notice_is_known_by_its_delivery_time() -> None:
    assert ids(a_notice(delivered=stamp(days=1))) != ids(a_notice(delivered=stamp(days=2)))


def test_a_missing_delivery_time_takes_the_answers() -> None:
    bare = a_notice()
    at = bare.pop("deliveryTimeStamp")
    assert ids(bare, fallback=at) == ids(a_notice(delivered=at))


def test_null_is_equal_to_absent() -> None:
    absent = an_update(an_element())
    del absent["elements"][0]["previous"]
    assert ids(absent) == ids(an_update(an_element(previous=None)))


def test_ids_sort_by_time_and_carry_version_8() -> None:
    early, late = ids(an_update(an_element(timestamp=stamp())), an_update(an_element(timestamp=stamp(seconds=1))))
    assert early < late
    assert {early.version, late.version} == {8}
    assert early.variant == uuid.RFC_4122


@pytest.mark.parametrize("timestamp", ["", "yesterday", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
def test_any_time_gives_an_id(timestamp: str) -> None:
    assert ids(an_update(an_element(timestamp=timestamp)))[0].version == 8


def test_new_ids_sort_by_the_time_of_their_making() -> None:
    made = [time_first_id() for _ in range(1000)]
    assert all(one.version == 7 and one.variant == uuid.RFC_4122 for one in made)
    assert made == sorted(set(made))


def test_an_update_of_several_moments_has_the_time_of_the_last() -> None:
    elements = [
        an_element(path, timestamp=stamp(days=day)) for path, day in (("organization.a", 3), ("organization.b", 1))
    ]
    assert str(content_ids.moment_of(read(an_update(*elements))[0].id))[:10] == stamp(days=3)[:10]


def test_an_update_with_one_element_without_a_time_is_known_by_its_delivery() -> None:
    """It may have happened twice: nothing says that it is the same."""
    elements = an_element("organization.a"), an_element("organization.b", timestamp="")
    one, two = ids(*(an_update(*elements, delivered=stamp(days=day)) for day in (1, 2)))
    assert one != two
