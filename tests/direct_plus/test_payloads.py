"""Answers are cut into notifications and those are read, so that a bad one costs no other and nothing sent is lost."""

import json
import sys
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from direct_plus import json_slicing, payloads
from direct_plus.exact_json import parse_json
from direct_plus.payloads import ElementChange, UnreadableItem, parse_stamp, read_item, split_answer
from tests.builders.direct_plus_answers import DUNS, a_notification, a_page, an_element

GOOD = json.dumps(a_notification()).encode()
DEEP = b"[" * 2000 + b"]" * 2000
HARD_TO_READ = {
    "a lone surrogate": b'{"type": "UPDATE", "x": "\\ud800"}',
    "nested 2,000 deep": b'{"x": ' + DEEP + b"}",
    "bad UTF-8": b'{"x": "\xff\xfe"}',
    "a NUL": b'{"x": "a\0b"}',
    "a tab": b'{"x": "a\tb"}',
    "a bad escape": b'{"x": "\\q"}',
    "a bad number": b'{"x": 01}',
    "no colon": b'{"x" 1}',
    "brackets in strings": b'{"x": "]}[{\\"", "y": "\\ud800"}',
    "no object": b"nonsense",
}

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
documents = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=15)
wild_text = st.text(st.characters(codec=None))
wild = st.recursive(
    st.none() | st.booleans() | st.integers() | wild_text,
    lambda inner: st.lists(inner) | st.dictionaries(wild_text, inner),
    max_leaves=15,
)


class TestSplitting:
    def test_items_are_the_bytes_that_were_sent(self) -> None:
        odd = b'{ "type":"UPDATE",\n"x": 1.50 , "y":3.0251016094E8}'
        split = split_answer(a_page(GOOD, odd))
        assert split is not None
        assert split.items == [GOOD, odd]
        assert split.has_list

    def test_who_answered_and_when_comes_along(self) -> None:
        split = split_answer(a_page(GOOD, reference="ACME_LOD_01"))
        assert split is not None
        assert (split.transaction_id, split.transaction_timestamp, split.reference) == (
            "rrt-1",
            "2026-01-08T11:06:47.941Z",
            "ACME_LOD_01",
        )

    @pytest.mark.parametrize("item", HARD_TO_READ.values(), ids=HARD_TO_READ.keys())
    def test_one_item_that_is_hard_to_read_costs_no_other(self, item: bytes) -> None:
        split = split_answer(a_page(GOOD, item, GOOD))
        assert split is not None
        assert split.items == [GOOD, item, GOOD]
        assert (split.transaction_id, split.reference) == ("rrt-1", "ACME")

    @pytest.mark.parametrize("body", [b"{}", b'{"notifications": null}', b'{"x": "\\ud800", "notifications" : null }'])
    def test_no_list_is_told_from_an_empty_one(self, body: bytes) -> None:
        split = split_answer(body)
        assert split is not None
        assert (split.items, split.has_list) == ([], False)

    @pytest.mark.parametrize("body", [a_page(), b'{"x": "\\ud800", "notifications": [ ] }'])
    def test_an_empty_list_is_a_list(self, body: bytes) -> None:
        split = split_answer(body)
        assert split is not None
        assert (split.items, split.has_list) == ([], True)

    @pytest.mark.parametrize("body", [b"", b" ", b"null", b"[1]", b"5", b'"x"', b"<html>", b"{", b'{"a"', b'{"a": 1,'])
    def test_what_is_no_object_is_torn(self, body: bytes) -> None:
        assert split_answer(body) is None

    @pytest.mark.parametrize("value", [b"{}", b'"x"', b"1", b"true"])
    def test_something_else_in_place_of_the_list_is_not_taken_for_an_empty_queue(self, value: bytes) -> None:
        assert split_answer(b'{"notifications": ' + value + b"}") is None

    @pytest.mark.parametrize("item", [GOOD, *HARD_TO_READ.values()])
    def test_a_cut_anywhere_is_torn(self, item: bytes) -> None:
        body = a_page(GOOD, item)
        step = max(1, len(body) // 150)
        assert [cut for cut in range(0, len(body), step) if split_answer(body[:cut]) is not None] == []

    @pytest.mark.parametrize("item", [GOOD, HARD_TO_READ["a NUL"]])
    @pytest.mark.parametrize("more", [b"x", b"{}", b"]", b"\0", b"HTTP/1.1 200 OK"])
    def test_something_after_the_end_is_torn(self, item: bytes, more: bytes) -> None:
        assert split_answer(a_page(item) + more) is None

    @pytest.mark.parametrize(
        "items", [b"1,,2", b",1", b"1,", b"1 2", b'{"a":1}{"b":2}', b"[}", b"{]", b'"a" "b"', b"1:2"]
    )
    def test_a_list_whose_items_cannot_be_told_apart_is_torn(self, items: bytes) -> None:
        assert split_answer(a_page(b'"\\ud800"', items)) is None
        assert split_answer(b'{"notifications": [' + items + b"]}") is None

    def test_a_byte_order_mark_and_blanks_do_not_matter(self) -> None:
        split = split_answer(b"\xef\xbb\xbf\r\n" + a_page(GOOD) + b"\r\n")
        assert split is not None
        assert split.items == [GOOD]

    @pytest.mark.parametrize(
        "detail", [b"1", b'"x"', b"[]", b"null", b'{"transactionID": {}}', b'{"transactionID": null}']
    )
    def test_an_odd_transaction_does_not_hide_the_notifications(self, detail: bytes) -> None:
        split = split_answer(b'{"transactionDetail": ' + detail + b', "inquiryDetail": 1, "notifications": [1]}')
        assert split is not None
        assert (split.items, split.transaction_id, split.reference) == ([b"1"], None, None)

    @given(
        st.lists(documents, max_size=5), st.dictionaries(st.text(), documents, max_size=3), st.sampled_from([None, 2])
    )
    def test_both_ways_cut_alike(self, items: list[Any], others: dict[str, Any], indent: int | None) -> None:
        sent = [json.dumps(item, indent=indent, ensure_ascii=False).encode() for item in items]
        head = json.dumps({**others, "notifications": 0})[:-2].encode()
        body = head + b"[" + b"\n,".join(sent) + b"]}"
        fast, slow = split_answer(body), payloads._split_slowly(body)
        assert fast is not None and fast.items == sent
        assert slow is not None and slow.items == sent

    @given(st.lists(wild, max_size=5))
    def test_lone_surrogates_anywhere_survive(self, items: list[Any]) -> None:
        sent = [json.dumps(item).encode() for item in items]
        split = split_answer(a_page(*sent))
        assert split is not None
        assert [parse_json(item) for item in split.items] == items

    @given(st.binary(max_size=60))
    def test_no_body_makes_it_raise(self, noise: bytes) -> None:
        split_answer(noise)
        split_answer(b'{"notifications": [' + noise + b"]}")

    def test_a_hard_page_of_ordinary_size_is_cut_in_no_time(self) -> None:
        body = a_page(*[GOOD] * 100, b'"' + b"\\\\" * 200_000 + b'"', DEEP, b'"\\ud800"')
        split = split_answer(body)
        assert split is not None
        assert len(split.items) == 103


class TestReading:
    def test_an_update(self) -> None:
        raw = (
            b'{"type": "UPDATE", "organization": {"duns": "804735132"}, "elements": ['
            b'{"element": "organization.telephone", "previous": [ ], "current": [{"a": 1.50}],'
            b' "timestamp": "2026-01-07T02:34:56Z"}, {"element": "organization.x"}],'
            b' "deliveryTimeStamp": "2026-01-08T11:06:48.292Z"}'
        )
        item = read_item(raw)
        assert (item.type, item.duns, item.body) == ("UPDATE", DUNS, raw)
        assert item.organization == b'{"duns": "804735132"}'
        assert item.delivery_stamp == "2026-01-08T11:06:48.292Z"
        assert item.elements == (
            ElementChange("organization.telephone", b"[ ]", b'[{"a": 1.50}]', "2026-01-07T02:34:56Z"),
            ElementChange("organization.x", None, None, None),
        )

    def test_null_is_kept_apart_from_absent(self) -> None:
        item = read_item(json.dumps(a_notification(elements=[an_element(previous=None)])).encode())
        assert item.elements is not None
        assert (item.elements[0].previous, item.elements[0].current) == (b"null", b'"NEW"')

    @pytest.mark.parametrize(
        "kind", ["SEED", "DELETE", "UNDELETE", "UNDER_REVIEW", "REMOVED", "SOMETHING_NEW", "Ünknown"]
    )
    def test_a_type_without_elements_has_none(self, kind: str) -> None:
        item = read_item(json.dumps(a_notification(kind)).encode())
        assert (item.type, item.elements) == (kind, None)

    @pytest.mark.parametrize("elements", [{}, {"elements": None}, {"elements": []}])
    def test_an_update_may_say_nothing(self, elements: dict[str, Any]) -> None:
        sent = {"type": "UPDATE", "organization": {"duns": DUNS}, **elements}
        assert read_item(json.dumps(sent).encode()).elements == ()

    def test_an_unknown_type_may_carry_elements_or_what_looks_like_them(self) -> None:
        with_elements = read_item(json.dumps(a_notification("NEW_KIND", elements=[an_element()])).encode())
        assert with_elements.elements is not None and len(with_elements.elements) == 1
        assert read_item(json.dumps(a_notification("NEW_KIND", elements=5)).encode()).elements is None

    def test_a_seed_carries_the_whole_organization(self) -> None:
        organization = {"duns": DUNS, "primaryName": "ACME", "deep": [{"a": 3.10}]}
        item = read_item(json.dumps(a_notification("SEED", organization=organization)).encode())
        assert item.organization == json.dumps(organization).encode()

    def test_a_transfer_names_the_number_that_goes_on(self) -> None:
        transfers = [{"transferredDUNS": DUNS}, {"retainedDUNS": "15-048-3782"}]
        organization = {"duns": DUNS, "dunsControlStatus": {"dunsTransfers": transfers}}
        assert read_item(json.dumps(a_notification("TRANSFER", organization=organization)).encode()).retained_duns == (
            "150483782"
        )
        assert read_item(json.dumps(a_notification("SEED", organization=organization)).encode()).retained_duns is None

    @pytest.mark.parametrize("control", [None, 1, {}, {"dunsTransfers": None}, {"dunsTransfers": [1, {}]}])
    def test_a_transfer_may_name_no_number(self, control: Any) -> None:
        organization = {"duns": DUNS, "dunsControlStatus": control}
        assert (
            read_item(json.dumps(a_notification("TRANSFER", organization=organization)).encode()).retained_duns is None
        )

    def test_a_line_of_a_seed_file_has_no_type_of_its_own(self) -> None:
        line = b'{"organization": {"duns": "804735132"}}'
        assert read_item(line, default_type="SEED").type == "SEED"
        assert read_item(GOOD, default_type="SEED").type == "UPDATE"

    @pytest.mark.parametrize("duns", ["80-473-5132", " 804735132 ", 804735132])
    def test_numbers_in_other_spellings_are_known(self, duns: Any) -> None:
        assert read_item(json.dumps(a_notification(duns=duns)).encode()).duns == DUNS

    def test_a_stamp_that_is_no_text_is_kept_as_text(self) -> None:
        sent = a_notification(elements=[{"element": "organization.x", "timestamp": 17}], deliveryTimeStamp=1.50)
        item = read_item(json.dumps(sent).encode())
        assert item.elements is not None
        assert (item.elements[0].timestamp, item.delivery_stamp) == ("17", "1.5")

    @pytest.mark.parametrize("value", [b'"\\ud800"', b'"a\tb"', b"1" * 5000])
    def test_what_the_fast_way_refuses_is_kept_exactly(self, value: bytes) -> None:
        raw = GOOD.replace(b'"NEW"', value)
        item = read_item(raw)
        assert item.elements is not None
        assert (item.elements[0].current, item.body) == (value, raw)

    @pytest.mark.parametrize(
        ("raw", "reason"),
        [
            (b"[]", "not an object"),
            (b"5", "not an object"),
            (b"", "not JSON"),
            (b"{", "not JSON"),
            (b'{"x" 1}', "not JSON"),
            (b'{"x": 01}', "not JSON"),
            (b'{"x": NaN}', "not JSON"),
            (b'{"x": "\\q"}', "not JSON"),
            (b'{"x": "\xff"}', "not UTF-8 at byte 7"),
            (b'{"x": "a\0b"}', "NUL"),
            (b'{"x": ' + b"[" * 300 + b"]" * 300 + b"}", "nested more than 200 levels deep"),
            (b'{"x": ' + DEEP + b"}", "nested more than 200 levels deep"),
            (b'{"organization": {"duns": "804735132"}}', "no type"),
            (b'{"type": null, "organization": {"duns": "804735132"}}', "no type"),
            (b'{"type": 5, "organization": {"duns": "804735132"}}', "type of the item is not a word"),
            (b'{"type": "", "organization": {"duns": "804735132"}}', "type of the item is not a word"),
            (b'{"type": "A\\u0000", "organization": {"duns": "804735132"}}', "type of the item is not a word"),
            (b'{"type": "\\ud800", "organization": {"duns": "804735132"}}', "type of the item is not a word"),
            (b'{"type": "X"}', "no organization"),
            (b'{"type": "X", "organization": null}', "no organization"),
            (b'{"type": "X", "organization": []}', "organization of the item is not an object"),
            (b'{"type": "X", "organization": {}}', "no D-U-N-S number"),
            (b'{"type": "X", "organization": {"duns": null}}', "no D-U-N-S number"),
            (b'{"type": "X", "organization": {"duns": []}}', "no D-U-N-S number"),
            (b'{"type": "X", "organization": {"duns": ""}}', "number is missing"),
            (b'{"type": "X", "organization": {"duns": "4735132"}}', "7 digits"),
            (b'{"type": "X", "organization": {"duns": "04735132"}}', "leading zero"),
            (b'{"type": "X", "organization": {"duns": "8047351324"}}', "10 digits"),
            (b'{"type": "UPDATE", "organization": {"duns": "804735132"}, "elements": {}}', "item are not a list"),
            (b'{"type": "UPDATE", "organization": {"duns": "804735132"}, "elements": [1]}', "is not an object"),
            (b'{"type": "UPDATE", "organization": {"duns": "804735132"}, "elements": [{}]}', "no path"),
            (b'{"type": "UPDATE", "organization": {"duns": "804735132"}, "elements": [{"element": 1}]}', "no path"),
            (b'{"type": "UPDATE", "organization": {"duns": "804735132"}, "elements": [{"element": ""}]}', "no path"),
            (b'{"type": "U", "organization": {"duns": "804735132"}, "elements": [{"element": "\\ud800"}]}', "no path"),
        ],
    )  # fmt: skip
    def test_what_cannot_be_understood_is_told_in_a_sentence(self, raw: bytes, reason: str) -> None:
        with pytest.raises(UnreadableItem) as caught:
            read_item(raw)
        assert reason in caught.value.reason
        assert caught.value.reason.startswith(("The ", "An "))
        assert caught.value.reason.endswith(".")

    @given(
        st.sampled_from(["UPDATE", "SEED", "TRANSFER", "NEW"]),
        st.none() | st.lists(st.tuples(st.from_regex(r"[a-z.]{1,9}", fullmatch=True), documents, documents, st.text())),
        documents,
    )
    def test_both_ways_read_alike(self, kind: str, changes: list[Any] | None, more: Any) -> None:
        names = ("element", "previous", "current", "timestamp")
        elements = None if changes is None else [dict(zip(names, change, strict=True)) for change in changes]
        sent = {"type": kind, "organization": {"duns": DUNS, "more": more}, "elements": elements}
        raw = json.dumps(sent, ensure_ascii=False).encode()
        item = read_item(raw)
        assert item == payloads._read_slowly(raw, None)
        for change, expected in zip(item.elements or (), elements or (), strict=True):
            assert json.loads(change.previous or b"") == expected["previous"]
            assert json.loads(change.current or b"") == expected["current"]

    @given(st.binary(max_size=80) | documents.map(lambda value: json.dumps(value).encode()))
    def test_nothing_but_the_one_error_is_raised(self, raw: bytes) -> None:
        for wrapped in (
            raw,
            b'{"type": "UPDATE", "organization": {"duns": ' + raw + b"}}",
            GOOD.replace(b'"NEW"', raw),
        ):
            try:
                read_item(wrapped)
            except UnreadableItem as error:
                assert error.reason

    @given(documents)
    def test_what_was_read_can_be_parsed(self, value: Any) -> None:
        item = read_item(json.dumps(a_notification(elements=[an_element(current=value)])).encode())
        assert item.elements is not None and item.elements[0].current is not None
        assert json.loads(item.elements[0].current) == value
        parse_json(item.elements[0].current)


class TestExactJson:
    @pytest.mark.parametrize(
        ("text", "value"),
        [
            ("1.10", Decimal("1.10")),
            ("3.0251016094E8", Decimal("3.0251016094E8")),
            ("0.1234567890123456789012345678901234567890", Decimal("0.1234567890123456789012345678901234567890")),
            ("1E400", Decimal("1E400")),
            ("-0.0", Decimal("-0.0")),
            ("123456789012345678901234567890", 123456789012345678901234567890),
            ("-9223372036854775809", -9223372036854775809),
            ("18446744073709551616", 18446744073709551616),
            ("9" * 5000, Decimal("9" * 5000)),
            ('"\\ud800"', "\ud800"),
            ('"\\ud83d\\ude00"', "\N{GRINNING FACE}"),
            ('"\\u0000"', "\0"),
            ('"a\tb"', "a\tb"),
            ('{"a": 1, "a": 2}', {"a": 2}),
        ],
    )
    def test_nothing_is_lost(self, text: str, value: Any) -> None:
        for sent in (text, text.encode()):
            read = parse_json(sent)
            assert read == value
            assert type(read) is type(value)
            assert not isinstance(value, Decimal) or str(read) == str(value)

    @pytest.mark.parametrize(
        "raw",
        [b"", b"NaN", b"Infinity", b"01", b"[1,]", b"{", b'"\xff"', b"1\0", b"1e9999999999999999999999", b"[1] 2"],
    )
    def test_what_is_no_json_is_a_value_error(self, raw: bytes) -> None:
        with pytest.raises(ValueError):
            parse_json(raw)

    def test_too_deep_is_a_value_error(self) -> None:
        depth = 500_000
        with pytest.raises(ValueError):
            parse_json(b"[" * depth + b"]" * depth)

    def test_a_text_with_a_surrogate_of_its_own_is_read(self) -> None:
        assert parse_json('"\ud800"') == "\ud800"

    @given(wild)
    def test_it_agrees_with_the_standard_library(self, value: Any) -> None:
        assert parse_json(json.dumps(value)) == value

    @given(st.decimals(allow_nan=False, allow_infinity=False), st.integers())
    def test_numbers_keep_every_digit(self, fraction: Decimal, whole: int) -> None:
        text = f"{fraction:E}" if "E" in str(fraction) or "." in str(fraction) else f"{fraction}.0"
        read = parse_json(f"[{text}, {whole}]")
        assert read == [Decimal(text), whole]


class TestStamps:
    @pytest.mark.parametrize(
        ("text", "milliseconds"),
        [
            ("2026-01-05T08:00:00Z", 0),
            ("2026-01-05T08:00:00.073Z", 73),
            ("2026-01-05t08:00:00.073999999z", 73),
            ("2026-01-05T08:00:00.9Z", 900),
            ("2026-01-05T08:00:00,999999Z", 999),
            ("2026-01-05 08:00:00", 0),
            ("2026-01-05T08:00", 0),
            ("2026-01-05T09:30:00+01:30", 0),
            ("2026-01-05T09:30:00+0130", 0),
            ("2026-01-05T03:00:00.5-05", 500),
            (" 2026-01-05T08:00:00 Z ", 0),
        ],
    )
    def test_forms_in_which_times_come(self, text: str, milliseconds: int) -> None:
        read = parse_stamp(text)
        assert read == datetime(2026, 1, 5, 8, 0, 0, milliseconds * 1000, UTC)
        assert read is not None and read.tzinfo is UTC

    def test_a_day_is_its_beginning(self) -> None:
        assert parse_stamp("2026-01-05") == datetime(2026, 1, 5, tzinfo=UTC)

    @pytest.mark.parametrize(
        "text",
        [
            None, "", "soon", "2026", "20260105", "2026-13-01", "2026-02-30T00:00:00Z", "2026-01-05T25:00:00Z",
            "2026-01-05T08:00:00.1234567890Z", "2026-01-05T08:00:00+99:00", "0001-01-01T00:00:00+14:00",
            "9999-12-31T23:59:59-14:00", "٢٠٢٦-01-05", "2026-01-05T08:00:00Z extra", "\ud800",
        ],
    )  # fmt: skip
    def test_others_are_none(self, text: str | None) -> None:
        assert parse_stamp(text) is None

    @given(st.text(alphabet="0123456789-:T .Z+") | st.text())
    def test_no_text_makes_it_raise(self, text: str) -> None:
        parse_stamp(text)

    @given(st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30)), st.integers(-14 * 60, 14 * 60))
    def test_every_time_with_an_offset_is_read(self, naive: datetime, offset: int) -> None:
        moment = naive.replace(tzinfo=timezone(timedelta(minutes=offset)))
        expected = moment.astimezone(UTC)
        expected = expected.replace(microsecond=expected.microsecond // 1000 * 1000)
        assert parse_stamp(moment.isoformat()) == expected


class TestSlicing:
    def test_escaped_names_are_understood(self) -> None:
        assert json_slicing.members(b'{"notif\\u0069cations": [1]}') == {"notifications": b"[1]"}

    def test_of_equal_names_the_last_counts(self) -> None:
        assert json_slicing.members(b'{"a": 1, "a": 2}') == {"a": b"2"}

    @pytest.mark.parametrize(
        "raw", [b"{1: 2}", b'{"a" "b"}', b'{"a": }', b'{"a": 1,}', b'{,"a": 1}', b'{"a": 1 "b": 2}']
    )
    def test_grammar_is_checked_where_it_is_cut(self, raw: bytes) -> None:
        with pytest.raises(json_slicing.Torn):
            json_slicing.members(raw)

    @pytest.mark.parametrize(("depth", "deeper"), [(3, False), (4, True)])
    def test_depth_counts_brackets_outside_strings(self, depth: int, deeper: bool) -> None:
        raw = b'["[[[[", ' * depth + b"1" + b"]" * depth
        assert json_slicing.nests_deeper_than(raw, 3) is deeper

    def test_the_deepest_nesting_needs_no_stack(self) -> None:
        depth = sys.getrecursionlimit() * 20
        assert json_slicing.elements(b"[" + b"[" * depth + b"]" * depth + b"]") == [b"[" * depth + b"]" * depth]
