"""Stored JSON text goes out as it is, and nothing can pretend to be such text."""

import json

import pytest

from core.json_text import Places, RawJson, RawJSONRenderer, strict


def rendered(data: object) -> str:
    return RawJSONRenderer().render(data).decode()


def test_raw_text_stands_where_it_was_put() -> None:
    data = {"a": RawJson("3.0251016094E8"), "b": [RawJson('{"x": 1.50}'), "text", None], "c": RawJson("null")}
    assert rendered(data) == '{"a":3.0251016094E8,"b":[{"x": 1.50},"text",null],"c":null}'


def test_nothing_else_is_changed() -> None:
    assert rendered({"a": "ü\ud83d", "b": 1.5}) == '{"a":"ü?","b":1.5}'
    assert rendered(None) == ""


def test_backslashes_and_references_are_no_pattern() -> None:
    text = json.dumps("\\1 \\g<0> \\u0041")
    assert rendered([RawJson(text)]) == f"[{text}]"


def test_a_text_cannot_stand_in_for_raw_json() -> None:
    places = Places(mark="m")
    assert places.fill('"m0"'.replace("m", "n")) == '"n0"'
    assert Places().mark != Places().mark


@pytest.mark.parametrize(
    ("sent", "read"),
    [('"a\tb"', "a\tb"), ('[\n"c\nd\\"\n",\t1]', ['c\nd"\n', 1]), ('"\x01"', "\x01"), ('"\\\\"', "\\")],
)
def test_control_characters_are_escaped_inside_strings_only(sent: str, read: object) -> None:
    assert json.loads(strict(sent), strict=True) == read
