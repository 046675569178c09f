"""What is different between two values, in words: before → after, or items that came and went."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext

from monitoring.elements.array_items import item_changes, named_by
from monitoring.elements.formatting import short, simple_value, with_unit, words
from monitoring.elements.json_paths import same_value
from monitoring.elements.severity import is_first_score

SHOWN = 3
SILENT = ("value", "line1", "name", "description")


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is different: a value before and after; or items that came and went."""

    label: str = ""
    before: str = ""
    after: str = ""
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    # A score that had no value before: it has not become anything.
    is_first: bool = False

    @property
    def added_items(self) -> str:
        return _few(self.added)

    @property
    def removed_items(self) -> str:
        return _few(self.removed)

    def __str__(self) -> str:
        """As `difference.html` marks it up."""
        text = "; ".join(self._parts())
        return f"{self.label}: {text}" if self.label else text

    def _parts(self) -> Iterator[str]:
        if self.added:
            yield gettext("added %(items)s") % {"items": self.added_items}
        if self.removed:
            yield gettext("removed %(items)s") % {"items": self.removed_items}
        if not self.added and not self.removed:
            yield first_words(self.after) if self.is_first else f"{self.before} → {self.after}"


def first_words(value: str) -> str:
    return gettext("newly reported as %(value)s") % {"value": value}


def _few(items: Sequence[str]) -> str:
    shown = ", ".join(items[:SHOWN])
    if len(items) <= SHOWN:
        return shown
    return gettext("%(names)s and %(count)s more") % {"names": shown, "count": len(items) - SHOWN}


def differences(previous: Any, current: Any, label: str = "", *, path: str = "") -> list[Difference]:
    """What the reader has to compare, and nothing that stayed the same. The items of an array are those of its path."""
    if is_one_item(previous) and is_one_item(current):
        return differences(previous[0], current[0], label, path=path)
    if isinstance(previous, list) or isinstance(current, list):
        return list(_items(previous, current, label, path))
    if isinstance(previous, dict) and isinstance(current, dict):
        return _known_at_once(previous, current, label) or list(_members(previous, current, label, path))
    return [Difference(label, with_unit(path, previous), with_unit(path, current))]


def in_a_line(path: str, previous: Any, current: Any) -> str:
    """Before → after, of an array what became of its items, cut where it is long."""
    if isinstance(previous, list) or isinstance(current, list):
        return short("; ".join(map(str, differences(previous, current, path=path))), 160)
    after = with_unit(path, current, 80)
    return first_words(after) if is_first_score(path, previous) else f"{with_unit(path, previous, 80)} → {after}"


def is_one_item(value: Any) -> bool:
    """Many of D&B's arrays never hold more than one object: then it is that object which changed."""
    return isinstance(value, list) and len(value) == 1 and isinstance(value[0], dict)


def _known_at_once(previous: dict[str, Any], current: dict[str, Any], label: str) -> list[Difference]:
    """Objects that a reader knows by one text, such as a status or an amount; of others only what differs."""
    before, after = simple_value(previous), simple_value(current)
    is_large = any(isinstance(member, (dict, list)) for member in (*previous.values(), *current.values()))
    return [Difference(label, before, after)] if before and after and before != after and not is_large else []


def _members(previous: dict[str, Any], current: dict[str, Any], label: str, path: str) -> Iterator[Difference]:
    for name in dict.fromkeys([*previous, *current]):
        before, after = previous.get(name), current.get(name)
        if not same_value(before, after):
            yield from differences(before, after, _below(label, name), path=f"{path}.{name}")


def _below(label: str, name: str) -> str:
    """ "value", "text" and the like add nothing to the name above."""
    own = "" if name in SILENT else words(name)
    return ", ".join(filter(None, [label, own]))


def _items(previous: Any, current: Any, label: str, path: str) -> Iterator[Difference]:
    """Those that came and went together, then each that changed, by what people know it by."""
    found = item_changes(path, previous, current)
    if found.added or found.removed:
        yield Difference(label, added=tuple(map(short, found.added)), removed=tuple(map(short, found.removed)))
    for before, after in found.changed:
        name = ", ".join(map(short, named_by(path, after)))
        yield from differences(before, after, ", ".join(filter(None, [label, name])), path=path)
    if not found.added and not found.removed and not found.changed:
        yield Difference(label, gettext("same items"), gettext("different order"))
