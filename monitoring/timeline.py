"""What happened to companies, told in words: a change as before → after, and a company's days, newest first."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import groupby
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone

from direct_plus.messages import parse_stamp
from monitoring.history import Event, Profile, same_value
from monitoring.identity import canonical
from monitoring.models import Change, Element, Kind, Severity
from monitoring.severity import default_label
from monitoring.wording import NOTHING, from_json, label_of_path, lower_first, say_at_once, short, words
from portfolio.wording import ago, plural

PAGE = 60
SHOWN = 3
SILENT = ("value", "line1", "name", "description")

SENTENCES: Mapping[str, str] = {
    Kind.BASELINE: "baseline received",
    Kind.DELETED: "deleted at D&B, no more news will follow",
    Kind.RESTORED: "restored at D&B",
    Kind.TRANSFERRED: "merged into another company",
    Kind.UNDER_REVIEW: "under review at D&B, no news until that is over",
    Kind.REVIEWED: "review at D&B is over",
    Kind.LEFT: "left the monitored set",
    Kind.ENTERED: "entered the monitored set",
    Kind.REMOVED: "taken out of monitoring",
    Kind.UNKNOWN: "D&B sent a notice of a kind this program does not know",
}


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is different: a value before and after; or items that came and went."""

    label: str = ""
    before: str = ""
    after: str = ""
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()

    def __str__(self) -> str:
        text = "; ".join(self._parts())
        return f"{self.label}: {text}" if self.label else text

    def _parts(self) -> Iterator[str]:
        if self.added:
            yield f"added {_few(self.added)}"
        if self.removed:
            yield f"removed {_few(self.removed)}"
        if not self.added and not self.removed:
            yield f"{self.before} → {self.after}"


def _few(items: Sequence[str]) -> str:
    more = f" and {len(items) - SHOWN} more" if len(items) > SHOWN else ""
    return ", ".join(items[:SHOWN]) + more


def differences(previous: Any, current: Any, label: str = "") -> list[Difference]:
    """What the reader has to compare, and nothing that stayed the same."""
    if _is_one_item(previous) and _is_one_item(current):
        return differences(previous[0], current[0], label)
    if isinstance(previous, list) or isinstance(current, list):
        return [_items(previous, current, label)]
    if isinstance(previous, dict) and isinstance(current, dict):
        return _known_at_once(previous, current, label) or list(_members(previous, current, label))
    return [Difference(label, short(previous), short(current))]


def _is_one_item(value: Any) -> bool:
    """Many of D&B's arrays never hold more than one object: then it is that object which changed."""
    return isinstance(value, list) and len(value) == 1 and isinstance(value[0], dict)


def _known_at_once(previous: dict[str, Any], current: dict[str, Any], label: str) -> list[Difference]:
    """Objects that a reader knows by one text, such as a status or an amount; of others only what differs."""
    before, after = say_at_once(previous), say_at_once(current)
    is_large = any(isinstance(member, (dict, list)) for member in (*previous.values(), *current.values()))
    return [Difference(label, before, after)] if before and after and before != after and not is_large else []


def _members(previous: dict[str, Any], current: dict[str, Any], label: str) -> Iterator[Difference]:
    for name in dict.fromkeys([*previous, *current]):
        before, after = previous.get(name), current.get(name)
        if not same_value(before, after):
            yield from differences(before, after, _below(label, name))


def _below(label: str, name: str) -> str:
    """ "value", "text" and the like say nothing that the name above does not."""
    own = "" if name in SILENT else words(name)
    return ", ".join(filter(None, [label, own]))


def _items(previous: Any, current: Any, label: str) -> Difference:
    before, after = _as_list(previous), _as_list(current)
    added, removed = _missing(after, before), _missing(before, after)
    if added or removed:
        return Difference(label, added=tuple(added), removed=tuple(removed))
    return Difference(label, "the same items", "in another order")


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _missing(items: list[Any], among: list[Any]) -> list[str]:
    """The items that are not among the others, each as often as it is missing."""
    left = Counter(canonical(item) for item in among)
    found = []
    for item in items:
        key = canonical(item)
        if left[key]:
            left[key] -= 1
        else:
            found.append(short(item))
    return found


def label_of(element: str, elements: Mapping[str, Element]) -> str:
    """The words that people gave it, else ours."""
    known = elements.get(element)
    given = known.label if known else ""
    return given if given and given != default_label(element)[:200] else label_of_path(element)


@dataclass(slots=True)
class Line:
    """A change as pages show it."""

    change: Change
    label: str
    differences: list[Difference]
    muted: bool = False
    drifted: bool = False

    @property
    def is_small(self) -> bool:
        """Folded away: noise, and what people have muted."""
        return self.muted or self.change.severity == Severity.NOISE

    @property
    def tone(self) -> str:
        return Severity(self.change.severity).name.lower()

    @property
    def weight(self) -> str:
        return str(Severity(self.change.severity).label)

    @property
    def ago(self) -> str:
        return ago(self.change.changed_at)

    @property
    def merged_into(self) -> str:
        """The surviving company of a TRANSFER."""
        value = from_json(self.change.current) if self.change.kind == Kind.TRANSFERRED else None
        return value if isinstance(value, str) else ""

    def __str__(self) -> str:
        if self.change.kind != Kind.ELEMENT:
            return f"merged into {self.merged_into}" if self.merged_into else self.label
        text = "; ".join(map(str, self.differences[:SHOWN]))
        more = len(self.differences) - SHOWN
        text = f"{lower_first(self.label)}: {text}" if _needs_colon(self.differences) else f"{self.label} {text}"
        return f"{lower_first(text)}{f'; and {more} more' if more > 0 else ''}"


def _needs_colon(found: Sequence[Difference]) -> bool:
    return len(found) != 1 or bool(found[0].label or found[0].added or found[0].removed)


def line_of(change: Change, elements: Mapping[str, Element]) -> Line:
    if change.kind != Kind.ELEMENT:
        return Line(change, SENTENCES.get(change.kind, change.get_kind_display()), [])
    known = elements.get(change.element)
    found = differences(from_json(change.previous), from_json(change.current))
    return Line(change, label_of(change.element, elements), found, muted=bool(known and known.muted))


def lines_of(changes: Sequence[Change]) -> list[Line]:
    """The changes in words, with one look at the elements they name."""
    elements = Element.objects.in_bulk(list({change.element for change in changes if change.element}))
    return [line_of(change, elements) for change in changes]


def sentence(line: Line) -> str:
    """ "Acme Ltd, 804735132, Leeds: operating status Active → Out of business"."""
    company = line.change.company
    place = ", ".join(filter(None, [company.name, company.duns, company.city]))
    return f"{place}: {line}"


@dataclass(slots=True)
class Day:
    """One day of a company, in the reader's zone."""

    day: date
    lines: list[Line] = field(default_factory=list)
    small: list[Line] = field(default_factory=list)

    @property
    def small_words(self) -> str:
        return plural(len(self.small), "small change")


@dataclass(slots=True)
class Page:
    """A stretch of a timeline; `older` leads to the next."""

    days: list[Day]
    older: str = ""


def timeline(duns: str, *, before: str = "", until: datetime | None = None, size: int = PAGE) -> Page:
    """The newest changes of a company before a cursor; by key, so that old pages cost what the first one does."""
    changes = Change.objects.filter(company=duns, superseded=False).defer("derived_from")
    if until:
        changes = changes.filter(changed_at__lte=until)
    if position := read_cursor(before):
        changes = _older_than(changes, *position)
    rows = list(changes.order_by("-changed_at", "-id")[: size + 1])
    older = cursor_of(rows[size - 1]) if len(rows) > size else ""
    return Page(days_of(lines_of(rows[:size])), older)


def _older_than(changes: QuerySet[Change], moment: datetime, key: uuid.UUID) -> QuerySet[Change]:
    # The first condition is for the index; the second alone would have some engines walk it from the start.
    return changes.filter(changed_at__lte=moment).filter(Q(changed_at__lt=moment) | Q(id__lt=key))


def cursor_of(change: Change) -> str:
    return f"{change.changed_at.isoformat().replace('+00:00', 'Z')}_{change.pk.hex}"


def read_cursor(text: str) -> tuple[datetime, uuid.UUID] | None:
    """None for the beginning, and for what is no cursor."""
    stamp, _, key = text.partition("_")
    moment = parse_stamp(stamp)
    try:
        return (moment, uuid.UUID(key)) if moment else None
    except ValueError:
        return None


def days_of(lines: Iterable[Line]) -> list[Day]:
    """Grouped by the reader's days, the small ones apart."""
    days = []
    for day, group in groupby(lines, key=lambda line: timezone.localtime(line.change.changed_at).date()):
        found = Day(day)
        for line in group:
            (found.small if line.is_small else found.lines).append(line)
        days.append(found)
    return days


def mark_drift(page: Page, events: Sequence[Event], profile: Profile) -> None:
    """Mark where D&B's "before" was not what we knew: notices were missed, or D&B changed the value silently.

    What was never known before cannot have drifted.
    """
    known = _known_since(events)
    for day in page.days:
        for line in (*day.lines, *day.small):
            change = line.change
            since = min((moment for path, moment in known.items() if _covers(path, change.element)), default=None)
            line.drifted = change.pk in profile.drifted and since is not None and since < change.changed_at


def _known_since(events: Sequence[Event]) -> dict[str, datetime]:
    """Each path, and when it was first told; the whole document counts from the first SEED."""
    known: dict[str, datetime] = {}
    for event in events:
        path = "" if event.seed is not None else event.path
        if path or event.seed is not None:
            known[path] = min(event.moment, known.get(path, event.moment))
    return known


def _covers(path: str, element: str) -> bool:
    return path == "" or path == element or element.startswith(path + ".")


@dataclass(slots=True)
class Fact:
    """A member of a profile: its label, and either a value in words or the members below it."""

    label: str
    value: str = ""
    below: list[Fact] = field(default_factory=list)

    @property
    def is_group(self) -> bool:
        return bool(self.below)


def facts_of(value: Any, label: str = "") -> list[Fact]:
    """A document as an indented table; what is empty is left out."""
    if isinstance(value, dict):
        return [fact for name, member in value.items() if (fact := _fact(words(name), member))]
    if isinstance(value, list):
        return [fact for number, item in enumerate(value, 1) if (fact := _fact(f"{label} {number}".strip(), item))]
    return []


def _fact(label: str, value: Any) -> Fact | None:
    text = short(value, 1000)
    if text == NOTHING:
        return None
    if _is_one_item(value):
        value = value[0]
    below = [] if _fits_a_line(value, text) else facts_of(value, label if isinstance(value, list) else "")
    return Fact(label[:1].upper() + label[1:], "" if below else text, below)


def _fits_a_line(value: Any, text: str) -> bool:
    """Whether the text needs no table: one thing, or a few plain ones."""
    if isinstance(value, dict):
        return bool(say_at_once(value))
    if isinstance(value, list):
        return all(not isinstance(item, list) and _fits_a_line(item, text) for item in value) and len(text) <= 120
    return True
