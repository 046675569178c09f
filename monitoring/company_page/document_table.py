"""A company's document as people read it: an indented table, and how it differs from today's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext

from monitoring.company_page.timeline import label_of
from monitoring.company_page.value_diff import Difference, differences, is_one_item
from monitoring.elements import json_paths
from monitoring.elements.formatting import is_nothing, short, simple_value, words
from monitoring.elements.json_paths import same_value
from monitoring.elements.severity import default_severity
from monitoring.models import Element, Severity

LONGEST = 1000


@dataclass(slots=True)
class Fact:
    """A member of a document: its label, and either a value in words or the members below it.

    `today` is the present value, where that differs.
    """

    label: str
    value: str = ""
    below: list[Fact] = field(default_factory=list)
    today: str = ""

    @property
    def is_group(self) -> bool:
        return bool(self.below)

    @property
    def differing(self) -> int:
        return sum(one.differing for one in self.below) + bool(self.today)


def facts_of(value: Any, label: str = "") -> list[Fact]:
    """A document as an indented table; what is empty is left out."""
    if isinstance(value, dict):
        return [fact for name, member in value.items() if (fact := _fact(words(name), member))]
    if isinstance(value, list):
        return [fact for number, item in enumerate(value, 1) if (fact := _fact(f"{label} {number}".strip(), item))]
    return []


def _fact(label: str, value: Any) -> Fact | None:
    if is_nothing(value):
        return None
    text = short(value, LONGEST)
    if is_one_item(value):
        value = value[0]
    below = [] if _fits_a_line(value, text) else facts_of(value, label if isinstance(value, list) else "")
    return Fact(_capital(label), "" if below else text, below)


def _capital(label: str) -> str:
    return label[:1].upper() + label[1:]


def _fits_a_line(value: Any, text: str) -> bool:
    """Whether the text needs no table: one thing, or a few plain ones."""
    if isinstance(value, dict):
        return bool(simple_value(value))
    if isinstance(value, list):
        return all(not isinstance(item, list) and _fits_a_line(item, text) for item in value) and len(text) <= 120
    return True


# Then against today


def compared(then: dict[str, Any], today: dict[str, Any], *, with_new: bool = True) -> list[Fact]:
    """The document as it was, each member with what it is today where that differs; with new members on request."""
    names = dict.fromkeys([*then, *today] if with_new else then)
    found = (_compared(name, then.get(name), today.get(name), with_new) for name in names)
    return [fact for fact in found if fact]


def _compared(name: str, then: Any, today: Any, with_new: bool) -> Fact | None:
    label = words(name)
    if same_value(then, today):
        return _fact(label, then)
    if is_one_item(then) and is_one_item(today):
        then, today = then[0], today[0]
    if isinstance(then, dict) and isinstance(today, dict) and not simple_value(then):
        return Fact(_capital(label), below=compared(then, today, with_new=with_new))
    return Fact(_capital(label), "" if is_nothing(then) else short(then, LONGEST), today=_today(name, then, today))


def _today(name: str, then: Any, today: Any) -> str:
    """What it is now; of a list, which items came and went."""
    if is_nothing(today):
        return gettext("no longer known")
    if isinstance(then, list) and isinstance(today, list) and then:
        return "; ".join(map(str, differences(then, today, path=name)))
    return short(today, LONGEST)


@dataclass(slots=True)
class Turn:
    """One thing that is not today what it was."""

    label: str
    differences: list[Difference]
    is_small: bool = False


@dataclass(slots=True)
class Turns:
    """How a document differs from today's: what changed, and how much came to be known since."""

    changed: list[Turn] = field(default_factory=list)
    small: list[Turn] = field(default_factory=list)
    new: int = 0

    @property
    def count(self) -> int:
        return len(self.changed) + len(self.small)


def turns(then: dict[str, Any], today: dict[str, Any], elements: Mapping[str, Element]) -> Turns:
    """From then to today, in words, the noise apart."""
    found = Turns()
    for path, before, after in _differing(then, today, json_paths.ROOT):
        if is_nothing(before):
            found.new += 1
        else:
            turn = Turn(label_of(path, elements), differences(before, after, path=path), _is_noise(path, elements))
            (found.small if turn.is_small else found.changed).append(turn)
    return found


def _is_noise(path: str, elements: Mapping[str, Element]) -> bool:
    known = elements.get(path)
    return known.muted or known.severity == Severity.NOISE if known else default_severity(path) == Severity.NOISE


def paths_between(then: dict[str, Any], today: dict[str, Any]) -> Iterator[str]:
    return (path for path, _, _ in _differing(then, today, json_paths.ROOT))


def _differing(then: Any, today: Any, path: str) -> Iterator[tuple[str, Any, Any]]:
    """Member by member, but whole where a reader knows the thing by one text, such as an amount."""
    if isinstance(then, dict) and isinstance(today, dict) and not simple_value(then):
        for name in dict.fromkeys([*then, *today]):
            yield from _differing(then.get(name), today.get(name), f"{path}.{name}")
    elif not same_value(then, today):
        yield path, then, today
