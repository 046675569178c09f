"""Element paths with wildcards, and the values in a change that such a path names.

`*` stands for any letters of one name, `**` for any number of names; a `!` before a path leaves out. A change may name
a leaf or a container, so both directions count: a path below the changed element leads to the values
inside it, and a change below what the path names belongs to it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Any

from django.utils.translation import gettext

from monitoring.elements.array_items import item_pairs
from monitoring.elements.json_paths import ROOT, same_value

Names = tuple[str, ...]
DEEP = "**"
MOST_DEEP = 2
MOST_NAMES = 30
LONGEST = 400
NAME = re.compile(r"[A-Za-z0-9_*-]+", re.ASCII)


class Mistake(ValueError):
    """What is wrong with something a person wrote, and at which of its characters, counted from 1."""

    def __init__(self, text: str, at: int = 1) -> None:
        super().__init__(text)
        self.at = at


@dataclass(frozen=True, slots=True)
class Facet:
    """One value that changed: where, before and after."""

    path: str
    previous: Any
    current: Any


def parse_path(text: str) -> Names:
    """The names of a path; `organization.` may be left out. Raises Mistake."""
    if len(text) > LONGEST:
        raise Mistake(gettext("A path can have at most %(count)s characters.") % {"count": LONGEST}, LONGEST + 1)
    at = 1
    names = []
    for name in text.split("."):
        _check_name(name, at)
        names.append(name)
        at += len(name) + 1
    if names.count(DEEP) > MOST_DEEP or len(names) > MOST_NAMES:
        raise Mistake(
            gettext("A path can have at most %(MOST_DEEP)s ** and %(MOST_NAMES)s names.")
            % {"MOST_DEEP": MOST_DEEP, "MOST_NAMES": MOST_NAMES}
        )
    return tuple(names) if names[0] in (ROOT, DEEP) else (ROOT, *names)


def parse_line(text: str) -> tuple[bool, Names]:
    """A path, and whether it leaves out what it names. Raises Mistake."""
    is_left_out = text.startswith("!")
    try:
        return is_left_out, parse_path(text[is_left_out:])
    except Mistake as mistake:
        raise Mistake(str(mistake), mistake.at + is_left_out) from None


def _check_name(name: str, at: int) -> None:
    if not name:
        raise Mistake(gettext("Enter a name between the two dots."), at)
    wrong = NAME.match(name)
    end = wrong.end() if wrong else 0
    if end < len(name):
        raise Mistake(
            gettext("“%(name)s” is not allowed in a path. Separate names with dots.") % {"name": name[end]}, at + end
        )
    if DEEP in name and name != DEEP:
        raise Mistake(gettext("** stands for whole names. Put it between two dots."), at + name.index(DEEP))


def facets(path: Names, element: str, previous: Any, current: Any) -> Iterator[Facet]:
    """The values in a change that the path names, if they differ."""
    for rest in sorted(_remainders(path, tuple(element.split(".")))):
        for facet in _below(rest, element, previous, current):
            if not same_value(facet.previous, facet.current):
                yield facet


def is_related(path: Names, element: str) -> bool:
    """Whether a change of the element can hold, or lie within, what the path names."""
    return bool(_remainders(path, tuple(element.split("."))))


def holds(path: Names, element: str) -> bool:
    """Whether the element is what the path names, or lies below it."""
    return () in _remainders(path, tuple(element.split(".")))


def name_within(path: Names, element: str) -> str:
    """Letters that a value of the element holds where the path leads into it; none where any value may do."""
    rests = _remainders(path, tuple(element.split(".")))
    return "" if () in rests or path[-1] == DEEP else max(path[-1].split("*"), key=len)


@lru_cache(maxsize=20_000)
def _remainders(path: Names, names: Names) -> frozenset[Names]:
    """What is left of the path when the element's names are used up; empty names: the element is it or below it."""
    if not path:
        return frozenset([()])
    if not names:
        return frozenset([path])
    if path[0] == DEEP:
        return _remainders(path[1:], names) | _remainders(path, names[1:])
    return _remainders(path[1:], names[1:]) if fnmatchcase(names[0], path[0]) else frozenset()


def _below(rest: Names, path: str, previous: Any, current: Any) -> Iterator[Facet]:
    if not rest or rest == (DEEP,):
        yield Facet(path, previous, current)
    elif isinstance(previous, list) or isinstance(current, list):
        # Arrays come whole and paths carry no indexes.
        for before, after in item_pairs(path, previous, current):
            yield from _below(rest, path, before, after)
    else:
        yield from _members(rest, path, previous, current)


def _members(rest: Names, path: str, previous: Any, current: Any) -> Iterator[Facet]:
    before = previous if isinstance(previous, dict) else {}
    after = current if isinstance(current, dict) else {}
    if rest[0] == DEEP:
        yield from _below(rest[1:], path, previous, current)
    for name in _named(rest[0], before, after):
        below = rest if rest[0] == DEEP else rest[1:]
        yield from _below(below, f"{path}.{name}", before.get(name), after.get(name))


def _named(wanted: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterable[str]:
    """The members that a name of a path names."""
    if "*" not in wanted:
        return [wanted] if wanted in before or wanted in after else ()
    names = dict.fromkeys([*before, *after])
    return names if wanted == DEEP else [name for name in names if fnmatchcase(name, wanted)]
