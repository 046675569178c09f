"""An array of a change as items added, removed and changed, for answers of the API."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from core.json_text import SentJson, dump_json
from monitoring.elements.array_items import item_changes
from monitoring.elements.formatting import from_json
from monitoring.models import Change


class ChangedItemSerializer(serializers.Serializer[Any]):
    previous = SentJson(help_text="The item before the change.")
    current = SentJson(help_text="The item after the change.")


class ItemChangesSerializer(serializers.Serializer[Any]):
    added = serializers.ListField(child=SentJson(), help_text="Items of `current` that `previous` does not contain.")
    removed = serializers.ListField(child=SentJson(), help_text="Items of `previous` that `current` does not contain.")
    changed = ChangedItemSerializer(many=True, help_text="Items of both, with other values.")


def items_of(change: Change) -> dict[str, Any] | None:
    """Nothing where neither value is an array."""
    if not any(text and text.lstrip().startswith("[") for text in (change.previous, change.current)):
        return None
    found = item_changes(change.element, from_json(change.previous), from_json(change.current))
    return {
        "added": list(map(dump_json, found.added)),
        "removed": list(map(dump_json, found.removed)),
        "changed": [{"previous": dump_json(one), "current": dump_json(other)} for one, other in found.changed],
    }
