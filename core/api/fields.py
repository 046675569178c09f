"""Fields of requests whose errors say what is accepted, and how much of it."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from core.text import counted

MOST_SHOWN = 100


class OneOf(serializers.ChoiceField):
    """A choice; anything else is answered with the choices there are."""

    def fail(self, key: str, **kwargs: Any) -> Any:
        if key != "invalid_choice":
            super().fail(key, **kwargs)
        asked, choices = str(kwargs["input"])[:MOST_SHOWN], ", ".join(map(str, self.choices))
        raise serializers.ValidationError(f'"{asked}" is not one of {choices}.', code=key)


class Entries(serializers.ListField):
    """A list of at most so many entries, counted before the first is read."""

    def to_internal_value(self, data: Any) -> list[Any]:
        if isinstance(data, list) and self.max_length is not None and len(data) > self.max_length:
            raise serializers.ValidationError(
                f"At most {counted(self.max_length)} entries. You sent {counted(len(data))}. Send several requests.",
                code="max_length",
            )
        return super().to_internal_value(data)
