"""JSON that keeps every number to the letter: parsed and written again, or put into an answer as it is stored."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from json.encoder import encode_basestring
from secrets import token_hex
from typing import Any

import msgspec
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.renderers import JSONRenderer
from rest_framework.utils import encoders


def dump_json(value: Any) -> str:
    """Compact JSON of a parsed value; Decimals keep every digit. What every engine can hold is readable; lone
    surrogates and NUL are escapes."""
    try:
        return _EXACT.encode(value).decode()
    except UnicodeError:
        return SURROGATE.sub(lambda found: f"\\u{ord(found[0]):04x}", _dump_exactly(value))


def _dump_exactly(value: Any) -> str:
    if isinstance(value, dict):
        return (
            "{" + ",".join(f"{encode_basestring(name)}:{_dump_exactly(member)}" for name, member in value.items()) + "}"
        )
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(map(_dump_exactly, value)) + "]"
    return str(value) if isinstance(value, Decimal) else ENCODER.encode(value)


_EXACT = msgspec.json.Encoder(decimal_format="number")
ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
SURROGATE = re.compile("[\ud800-\udfff]")
CONTROL = re.compile(r"[\x00-\x1f]")
# Writes dates, keys and what else JSON does not know.
OTHERS = encoders.JSONEncoder()
STRING = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)


@dataclass(frozen=True, slots=True)
class RawJson:
    """JSON text to be written as it stands."""

    text: str


def strict(text: str) -> str:
    """Control characters in strings, which D&B's answers may hold and JSON may not, as escapes."""
    if not CONTROL.search(text):
        return text
    return STRING.sub(lambda string: CONTROL.sub(lambda c: f"\\u{ord(c[0]):04x}", string[0]), text)


@extend_schema_field(OpenApiTypes.ANY)
class SentJson(serializers.Field[Any, Any, Any, Any]):
    """A column that holds JSON text; null where nothing was sent."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"read_only": True} | kwargs)

    def to_representation(self, value: str) -> RawJson:
        return RawJson(strict(value))


@extend_schema_field(OpenApiTypes.OBJECT)
class SentObject(SentJson):
    """A text that holds a JSON object."""


@dataclass(slots=True)
class Places:
    """Stands in for the raw texts while the rest is encoded. Nobody can guess the mark, so no text can hold it."""

    mark: str = field(default_factory=lambda: token_hex(16))
    texts: list[str] = field(default_factory=list)

    def placeholder(self, raw: RawJson) -> str:
        self.texts.append(raw.text)
        return f"{self.mark}{len(self.texts) - 1}"

    def fill(self, rendered: str) -> str:
        first, *rest = rendered.split(f'"{self.mark}')
        places = (piece.partition('"') for piece in rest)
        return first + "".join(self.texts[int(number)] + text for number, _, text in places)


class RawJSONRenderer(JSONRenderer):
    """DRF's JSON, in which RawJson is written as it stands."""

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Mapping[str, Any] | None = None
    ) -> bytes:
        if data is None:
            return b""
        places = Places()

        def default(value: Any) -> Any:
            return places.placeholder(value) if isinstance(value, RawJson) else OTHERS.default(value)

        rendered = json.dumps(data, default=default, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        return places.fill(rendered).encode("utf-8", "replace")
