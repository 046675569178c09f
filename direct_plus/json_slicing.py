"""Cut JSON text into its members and elements without reading them.

`messages` uses it where msgspec refuses: one lone surrogate, stray control character or 2,000-fold nesting in one
notification must not cost the other ninety-nine. Nothing here recurses, and every slice is exactly what was sent.
Grammar is checked at the level that is cut; inside a slice only strings and brackets are.
"""

import json
import re
from collections.abc import Iterator

_BLANK = re.compile(rb"[ \t\r\n]*+")
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"', re.DOTALL)
_SCALAR = re.compile(rb'[^ \t\r\n,:\[\]{}"]++')
# The bare quote at the end finds a string that never closes.
_STRINGS_AND_BRACKETS = re.compile(rb'"(?:[^"\\]++|\\.)*+"|[\[\]{}]|"', re.DOTALL)
_CLOSER = {b"{": b"}", b"[": b"]"}
_AS_ONE_KIND = bytes.maketrans(b"{}", b"[]")
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))


class Torn(ValueError):
    """The text is not whole, or not of the expected kind."""


def members(raw: bytes) -> dict[str, bytes]:
    """The members of a JSON object, each value as the bytes that were sent; of equal keys the last one counts."""
    return {_key(name): value for name, value in _walk_members(raw)}


def elements(raw: bytes) -> list[bytes]:
    """The elements of a JSON array, each as the bytes that were sent."""
    at = _inside(raw, b"[")
    found: list[bytes] = []
    while not _ends(raw, at, b"]", first=not found):
        start = _next_value(raw, at, first=not found)
        at = _value_end(raw, start)
        found.append(raw[start:at])
    return found


def nests_deeper_than(raw: bytes, limit: int) -> bool:
    """Of text that is otherwise sound. Takes the innermost brackets away, level by level, which is fast."""
    if raw.count(b"[") + raw.count(b"{") <= limit:
        return False
    brackets = _STRING.sub(b"", raw).translate(_AS_ONE_KIND, _NO_BRACKETS)
    for _ in range(limit):
        brackets = brackets.replace(b"[]", b"")
    return b"[]" in brackets


def _walk_members(raw: bytes) -> Iterator[tuple[bytes, bytes]]:
    at, first = _inside(raw, b"{"), True
    while not _ends(raw, at, b"}", first=first):
        name_at = _next_value(raw, at, first=first)
        name_end = _match_end(_STRING, raw, name_at)
        colon = _skip_blank(raw, name_end)
        if raw[colon : colon + 1] != b":":
            raise Torn(f"a colon is missing at byte {colon}")
        value_at = _skip_blank(raw, colon + 1)
        at, first = _value_end(raw, value_at), False
        yield raw[name_at:name_end], raw[value_at:at]


def _inside(raw: bytes, opener: bytes) -> int:
    start = _skip_blank(raw, 0)
    if raw[start : start + 1] != opener:
        raise Torn("not an object" if opener == b"{" else "not a list")
    return start + 1


def _ends(raw: bytes, at: int, closer: bytes, *, first: bool) -> bool:
    at = _skip_blank(raw, at)
    if raw[at : at + 1] != closer:
        return False
    rest = _skip_blank(raw, at + 1)
    if rest != len(raw):
        raise Torn(f"something follows the end, at byte {rest}")
    return True


def _next_value(raw: bytes, at: int, *, first: bool) -> int:
    at = _skip_blank(raw, at)
    if first:
        return at
    if raw[at : at + 1] != b",":
        raise Torn(f"a comma is missing at byte {at}")
    return _skip_blank(raw, at + 1)


def _value_end(raw: bytes, at: int) -> int:
    first = raw[at : at + 1]
    if first in _CLOSER:
        return _group_end(raw, at)
    return _match_end(_STRING if first == b'"' else _SCALAR, raw, at)


def _group_end(raw: bytes, at: int) -> int:
    awaited: list[bytes] = []
    for match in _STRINGS_AND_BRACKETS.finditer(raw, at):
        token = match[0]
        if token in _CLOSER:
            awaited.append(_CLOSER[token])
        elif len(token) == 1:
            if token != awaited.pop():
                raise Torn(f"brackets do not match at byte {match.start()}")
            if not awaited:
                return match.end()
    raise Torn("cut off")


def _match_end(pattern: re.Pattern[bytes], raw: bytes, at: int) -> int:
    match = pattern.match(raw, at)
    if match is None:
        raise Torn(f"cut off or malformed at byte {at}")
    return match.end()


def _skip_blank(raw: bytes, at: int) -> int:
    match = _BLANK.match(raw, at)
    return match.end() if match else at


def _key(name: bytes) -> str:
    try:
        return str(json.loads(name))
    except ValueError:
        return name[1:-1].decode(errors="replace")
