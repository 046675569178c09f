"""Changes to a company's document by dotted path; `previous` is always what the document held."""

from copy import deepcopy
from typing import Any

from direct_plus.sandbox.http.dates import second_stamp
from direct_plus.sandbox.state.companies import Document

PREFIX = "organization."
ABSENT = object()


def look(document: Document, path: str) -> Any:
    """What stands at `organization.a.b`; ABSENT where nothing does."""
    value: Any = document
    for name in path.removeprefix(PREFIX).split("."):
        if not isinstance(value, dict) or name not in value:
            return ABSENT
        value = value[name]
    return value


def put(document: Document, path: str, value: Any) -> None:
    """ABSENT takes the member away; containers on the way are made."""
    *way, last = path.removeprefix(PREFIX).split(".")
    for name in way:
        below = document.get(name)
        if not isinstance(below, dict):
            below = document[name] = {}
        document = below
    if value is ABSENT:
        document.pop(last, None)
    else:
        document[last] = deepcopy(value)


def change(document: Document, changes: dict[str, Any], at: int, apart: int = 0) -> list[dict[str, Any]]:
    """Apply each change and say it as an element, `apart` earlier than the one before; what does not differ is none."""
    elements: list[dict[str, Any]] = []
    for path, current in changes.items():
        previous = look(document, path)
        if previous != current:
            elements.append(_element(path, previous, current, at - apart * len(elements)))
            put(document, path, current)
    return elements


def _element(path: str, previous: Any, current: Any, at: int) -> dict[str, Any]:
    element = {"element": path}
    if previous is not ABSENT:
        element["previous"] = deepcopy(previous)
    if current is not ABSENT:
        element["current"] = deepcopy(current)
    return {**element, "timestamp": second_stamp(at)}
