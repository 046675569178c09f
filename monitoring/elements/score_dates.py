"""Dates of scores, which move with every assessment: a change of nothing else is noise."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from monitoring.elements.array_items import item_changes
from monitoring.elements.json_paths import comparable

DATES = ("scoreDate", "assessmentDate")
OF_DATES = tuple(f".{name}" for name in DATES)


def is_only_dates(path: str, previous: Any, current: Any) -> bool:
    """Whether something differs, and nothing but dates of scores."""
    found = list(_names_of_differing(path, previous, current))
    return bool(found) and all(name in DATES for name in found)


def moves_date(element: str, previous: str | None, current: str | None) -> bool:
    """Whether a change, as it is stored, is of such a date alone; seen from its texts, as most changes are."""
    if not element.endswith(OF_DATES) or not previous or not current or previous == current:
        return False
    return all(text[0] == text[-1] == '"' and "\\" not in text for text in (previous, current))


def _names_of_differing(path: str, previous: Any, current: Any) -> Iterator[str]:
    """The names of the values that differ, through arrays too."""
    if isinstance(previous, dict) and isinstance(current, dict):
        for name in dict.fromkeys([*previous, *current]):
            yield from _names_of_differing(f"{path}.{name}", previous.get(name), current.get(name))
    elif isinstance(previous, list) and isinstance(current, list):
        yield from _names_in_items(path, previous, current)
    elif comparable(previous) != comparable(current):
        yield path.rpartition(".")[2]


def _names_in_items(path: str, previous: list[Any], current: list[Any]) -> Iterator[str]:
    if len(previous) == len(current) == 1:
        yield from _names_of_differing(path, previous[0], current[0])
        return
    found = item_changes(path, previous, current)
    for before, after in found.changed:
        yield from _names_of_differing(path, before, after)
    if found.added or found.removed:
        yield path.rpartition(".")[2]
