"""JSON values for the model: written canonically, compared loosely, read and set by path, taken apart into leaves.

“Canonical form: parsed values, keys sorted, array order kept, numbers as exact Decimals (1, 1.0 and 1E0 alike),
null equal to absent.”
“Compare by leaves (a container needs all its leaves), arrays as multisets, null, absent, [], {} and "" alike.”
"""

import json
from decimal import Decimal
from typing import Any

Json = Any
Path = tuple[str, ...]

ROOT = "organization."


def path_of(element: str) -> Path:
    return tuple(element.removeprefix(ROOT).split("."))


def parse(text: str | None) -> Json:
    return None if text is None else json.loads(text, parse_float=Decimal)


def canon(value: Json) -> str:
    """One text for what is equal: the strict sense."""
    return json.dumps(_strict(value), sort_keys=True, ensure_ascii=False)


def loose(value: Json) -> str:
    """One text for what is alike: arrays as multisets, everything empty the same."""
    return json.dumps(_loose(value), sort_keys=True, ensure_ascii=False)


def _number(value: int | float | Decimal) -> str:
    number = Decimal(str(value))
    return f"#{number.normalize():f}" if number else "#0"


def _strict(value: Json) -> Json:
    if isinstance(value, dict):
        return {name: _strict(member) for name, member in value.items() if member is not None}
    if isinstance(value, list):
        return [_strict(member) for member in value]
    if isinstance(value, (int, float, Decimal)) and not isinstance(value, bool):
        return _number(value)
    return value


def _loose(value: Json) -> Json:
    if isinstance(value, dict):
        members = {name: _loose(member) for name, member in value.items()}
        return {name: member for name, member in members.items() if member is not None} or None
    if isinstance(value, list):
        items = (one for one in map(_loose, value) if one is not None)
        return sorted(items, key=lambda one: json.dumps(one, sort_keys=True)) or None
    return _strict(value) if value != "" else None


def value_at(value: Json, path: Path) -> Json:
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def put(document: dict[str, Json], path: Path, value: Json) -> None:
    """Set the value in place; null takes the member away."""
    *parents, last = path
    for name in parents:
        inner = document.get(name)
        if not isinstance(inner, dict):
            inner = document[name] = {}
        document = inner
    if value is None:
        document.pop(last, None)
    else:
        document[last] = value


def leaves(value: Json, path: Path = ()) -> dict[Path, Json]:
    """An array is a leaf as a whole; null and an empty object hold none."""
    if isinstance(value, dict):
        found: dict[Path, Json] = {}
        for name, member in value.items():
            found |= leaves(member, (*path, name))
        return found
    return {} if value is None else {path: value}


def overlap(one: Path, other: Path) -> bool:
    """One names the other or something around it."""
    shorter = min(len(one), len(other))
    return one[:shorter] == other[:shorter]
