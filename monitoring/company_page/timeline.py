"""What happened to companies, in words: a change as before → after, and a company's days, newest first."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from itertools import groupby
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from core.fields import in_half_the_bytes
from core.text import ago, counted
from direct_plus.payloads import parse_stamp
from monitoring.company_page.value_diff import SHOWN, Difference, differences
from monitoring.elements.compare import course
from monitoring.elements.formatting import from_json, label_of_path, lower_first
from monitoring.elements.severity import default_label, is_first_score, is_improvement
from monitoring.models import Change, Element, Kind, Severity
from monitoring.story_order import LATEST_FIRST, OLDEST_FIRST
from portfolio.models import Registration


@dataclass(frozen=True, slots=True)
class Mismatch:
    """What was known, since when, and what D&B says it was; `gap` where something is known to be missing."""

    found: list[Difference]
    since: datetime
    gap: Registration | None = None


PAGE = 60
Cursor = tuple[datetime, str, uuid.UUID]

SENTENCES: Mapping[str, str | Promise] = {
    Kind.BASELINE: _("baseline received"),
    Kind.DELETED: _("deleted at D&B, no further notifications"),
    Kind.RESTORED: _("restored at D&B"),
    Kind.TRANSFERRED: _("merged into another company"),
    Kind.UNDER_REVIEW: _("under review at D&B, no notifications until it ends"),
    Kind.REVIEWED: _("review at D&B completed"),
    Kind.LEFT: _("left the monitored set"),
    Kind.ENTERED: _("entered the monitored set"),
    Kind.REMOVED: _("removed from monitoring"),
    Kind.UNKNOWN: _("unknown notification type from D&B"),
}


def label_of(element: str, elements: Mapping[str, Element]) -> str:
    """The label that people gave it, else ours."""
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
    mismatch: Mismatch | None = None
    sources: list[Any] = field(default_factory=list)

    @property
    def reporters(self) -> str:
        """The registrations that reported it, each once."""
        return ", ".join(dict.fromkeys(str(source.registration.reference) for source in self.sources))

    @property
    def is_mismatch(self) -> bool:
        return self.mismatch is not None

    @property
    def is_small(self) -> bool:
        """Folded away: noise, and what people have muted."""
        return self.muted or self.change.severity == Severity.NOISE

    @property
    def tone(self) -> str:
        return Severity(self.change.severity).name.lower()

    @property
    def severity(self) -> str:
        return str(Severity(self.change.severity).label)

    @property
    def ago(self) -> str:
        return ago(self.change.changed_at)

    @property
    def course(self) -> str:
        """Whether a score got better or worse, or a warning was withdrawn."""
        values = self.change.element, from_json(self.change.previous), from_json(self.change.current)
        return course(*values) or ("better" if is_improvement(*values) else "")

    @property
    def course_words(self) -> str:
        return {"better": gettext("better"), "worse": gettext("worse")}.get(self.course, "")

    @property
    def lead(self) -> str:
        """The label, as it stands before the values."""
        return f"{self.label}:" if _needs_colon(self.differences) else self.label

    @property
    def more_words(self) -> str:
        more = len(self.differences) - SHOWN
        return gettext("and %(count)s more") % {"count": more} if more > 0 else ""

    @property
    def merged_into(self) -> str:
        """The surviving company of a TRANSFER."""
        value = from_json(self.change.current) if self.change.kind == Kind.TRANSFERRED else None
        return value if isinstance(value, str) else ""

    def __str__(self) -> str:
        """As `told.html` marks it up."""
        if self.change.kind != Kind.ELEMENT:
            if not self.merged_into:
                return self.label
            return gettext("merged into %(merged_into)s") % {"merged_into": self.merged_into}
        text = "; ".join([*map(str, self.differences[:SHOWN]), *filter(None, [self.more_words])])
        text = f"{lower_first(self.lead)} {text}"
        return f"{text} ({self.course_words})" if self.course else text


def _needs_colon(found: Sequence[Difference]) -> bool:
    return len(found) != 1 or bool(found[0].label or found[0].added or found[0].removed)


def line_of(change: Change, elements: Mapping[str, Element]) -> Line:
    if change.kind != Kind.ELEMENT:
        return Line(change, str(SENTENCES.get(change.kind) or change.get_kind_display()), [])
    known = elements.get(change.element)
    previous = from_json(change.previous)
    found = differences(previous, from_json(change.current), path=change.element)
    if is_first_score(change.element, previous):
        found = [replace(one, is_first=True) for one in found]
    return Line(change, label_of(change.element, elements), found, muted=bool(known and known.muted))


def lines_of(changes: Sequence[Change]) -> list[Line]:
    """The changes in words, with one look at the elements they name."""
    elements = known_elements(change.element for change in changes)
    return [line_of(change, elements) for change in changes]


def sentence(line: Line) -> str:
    """ "Acme Ltd, 804735132, Leeds: operating status Active → Out of business"."""
    company = line.change.company
    # D&B may report the number as the name.
    place = ", ".join(dict.fromkeys(filter(None, [company.name, company.duns, company.city])))
    return f"{place}: {line}"


def without_company(text: str, duns: str) -> str:
    """A `sentence` for a place that names the company beside it: “Operating status Active → Out of business”."""
    _before, number, rest = text.partition(duns)
    shown = rest.partition(": ")[2] if number else ""
    return shown[:1].upper() + shown[1:] if shown else text


@dataclass(slots=True)
class Day:
    """One day of a company, in the reader's zone."""

    day: date
    lines: list[Line] = field(default_factory=list)
    small: list[Line] = field(default_factory=list)

    @property
    def small_words(self) -> str:
        count = len(self.small)
        return ngettext("%(count)s minor change", "%(count)s minor changes", count) % {"count": counted(count)}


@dataclass(slots=True)
class Page:
    """A stretch of a timeline; `older` leads to the next, and `is_first` is where no newer one is."""

    days: list[Day]
    older: str = ""
    is_first: bool = True


@dataclass(frozen=True, slots=True)
class Stretch:
    """The changes of a page, newest first, and what can be said of those around it."""

    rows: Sequence[Change]
    has_older: bool = False
    is_first: bool = True
    # The first whole document of all.
    baseline: uuid.UUID | None = None


def changes_of(duns: str) -> QuerySet[Change]:
    """Those that hold, newest first, by the company's index."""
    return Change.objects.filter(superseded=False, company=duns).order_by(*LATEST_FIRST)


def stretch_of(changes: QuerySet[Change], *, before: str = "", size: int = PAGE) -> Stretch:
    """The newest of these changes before a cursor, which is the time and key of the last one shown: what arrived above
    it since then moves nothing."""
    cursor = read_cursor(before)
    found = list((changes.filter(_earlier(cursor)) if cursor else changes)[: size + 1])
    rows = found[:size]
    is_first = not cursor or not changes.filter(_not_earlier(cursor)).exists()
    has_older = len(found) > size
    return Stretch(rows, has_older, is_first, _first_baseline(changes, rows, has_older))


def timeline(found: Stretch, elements: Mapping[str, Element]) -> Page:
    older = cursor_of(found.rows[-1]) if found.has_older else ""
    days = days_of(group_repeated([line_of(row, elements) for row in found.rows], found.baseline))
    return Page(days, older, found.is_first)


def _earlier(cursor: Cursor) -> Q:
    moment, place, key = cursor
    within = Q(changed_at=moment, place__lt=place) | Q(changed_at=moment, place=place, pk__lt=key)
    return Q(changed_at__lte=moment) & (Q(changed_at__lt=moment) | within)


def _not_earlier(cursor: Cursor) -> Q:
    moment, place, key = cursor
    within = Q(changed_at=moment, place__gt=place) | Q(changed_at=moment, place=place, pk__gte=key)
    return Q(changed_at__gte=moment) & (Q(changed_at__gt=moment) | within)


def _first_baseline(changes: QuerySet[Change], rows: Sequence[Change], has_older: bool) -> uuid.UUID | None:
    """Asked only where a page has one, and does not have the first."""
    shown = [row.pk for row in rows if row.kind == Kind.BASELINE]
    if not shown or not has_older:
        return shown[-1] if shown else None
    return changes.filter(kind=Kind.BASELINE).order_by(*OLDEST_FIRST).values_list("pk", flat=True).first()


def group_repeated(lines: list[Line], first: uuid.UUID | None) -> list[Line]:
    """Whole documents that come again and again count only once: what they changed stands beside them."""
    for line in lines:
        line.muted = line.muted or (line.change.kind == Kind.BASELINE and line.change.pk != first)
    return lines


def known_elements(paths: Iterable[str]) -> dict[str, Element]:
    return Element.objects.in_bulk(list({path for path in paths if path}))


def cursor_of(change: Change) -> str:
    return f"{change.changed_at.isoformat().replace('+00:00', 'Z')}_{change.place}_{change.pk.hex}"


def read_cursor(text: str) -> Cursor | None:
    """None for the beginning, and for a text that is not a cursor."""
    stamp, _, rest = text.partition("_")
    place, _, key = rest.partition("_")
    moment = parse_stamp(stamp)
    try:
        in_half_the_bytes(place)
        return (moment, place, uuid.UUID(key)) if moment else None
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
