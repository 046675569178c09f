"""Parsed JSON back to text without rounding a number."""

from __future__ import annotations

from decimal import Decimal
from json.encoder import encode_basestring
from typing import Any


def dump_json(value: Any) -> str:
    """Compact JSON of a parsed value; Decimals keep every digit."""
    if isinstance(value, str):
        return _string(value)
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, dict):
        return "{" + ",".join(f"{_string(name)}:{dump_json(member)}" for name, member in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(map(dump_json, value)) + "]"
    if isinstance(value, (int, float, Decimal)):
        return str(value)
    raise TypeError(f"{type(value).__name__} is no JSON value")


def _string(text: str) -> str:
    """Readable where every engine can hold it; lone surrogates and NUL as escapes."""
    written: str = encode_basestring(text)
    return "".join(f"\\u{ord(c):04x}" if 0xD800 <= ord(c) <= 0xDFFF else c for c in written)
