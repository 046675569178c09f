"""Bodies of requests. A field that nobody reads is refused: a misspelled one would silently have no effect."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from rest_framework import serializers

from core.api.fields import MOST_SHOWN


class Body(serializers.Serializer[Any]):
    """What a request sends as JSON, and each entry of its lists."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if isinstance(data, Mapping):
            refuse_unknown("field", data, known=self.fields, otherwise="leave it out")
        return super().to_internal_value(data)  # type: ignore[no-any-return]


def refuse_unknown(noun: str, sent: Iterable[str], *, known: Collection[str], otherwise: str) -> None:
    """`otherwise` is what to read where nothing may be sent."""
    if unknown := sorted(name for name in sent if name not in known)[:MOST_SHOWN]:
        advice = f"the known ones are {', '.join(known)}" if known else otherwise
        raise serializers.ValidationError({printable(name): [f"Unknown {noun}; {advice}."] for name in unknown})


def printable(name: str) -> str:
    return name.encode("ascii", "backslashreplace").decode()[:MOST_SHOWN]
