"""A line of a dossier: what happened when, who did it, and the rows that say so."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime

from django.db.models import Model, TextChoices
from django.urls import reverse
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from monitoring.dossier.span import start_of_day
from monitoring.models import Severity


class Topic(TextChoices):
    """In the order of lines of one moment."""

    CHANGE = "change", _("Change")
    ALERT = "alert", _("Alert")
    MESSAGE = "message", _("Message")
    HANDLING = "handling", _("Work on an alert")
    NOTE = "note", _("Note")
    EDIT = "edit", _("Edit")
    MONITORING = "monitoring", _("Monitoring")
    PROPOSAL = "proposal", _("Proposal")
    DATA_FETCH = "data_fetch", _("Data fetch")
    EXPOSURE = "exposure", _("Exposure")
    DECISION = "decision", _("Decision")
    REVIEW = "review", _("Review")


class Work(TextChoices):
    COMMENT = "comment", _("Comment")
    ASSIGNMENT = "assignment", _("Assignment")


class Lack(TextChoices):
    """What an alert or a change has not had."""

    MESSAGE = "message"
    ACKNOWLEDGMENT = "acknowledgment"


# A model and the key of a row.
Page = tuple[type[Model], object]
RANKS: Mapping[str, int] = {topic: rank for rank, topic in enumerate(Topic)}


@dataclass(frozen=True, slots=True)
class Source:
    """A row that a line is taken from, and its page."""

    kind: str
    name: str
    key: str
    address: str
    sha256: str = ""


def source_of(model: type[Model], key: object, *, page: Page | None = None, sha256: str = "") -> Source:
    """`page`: the row on the page of which it is shown, where it has none of its own."""
    options = model._meta
    shown, row = page or (model, key)
    address = reverse(f"admin:{shown._meta.app_label}_{shown._meta.model_name}_change", args=[row])
    return Source(options.model_name or "", capfirst(str(options.verbose_name)), str(key), address, sha256)


# A label and a value: each of those who show it writes times in their way.
Detail = tuple[str, str | datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    at: datetime
    topic: Topic
    key: str
    text: str
    who: str = ""
    # The text from the name of whoever did it, which it begins with; such a line names nobody once more.
    text_by: Callable[[str], str] | None = None
    details: tuple[Detail, ...] = ()
    sources: tuple[Source, ...] = ()
    severity: Severity | None = None
    # Of what is known by its day alone.
    is_day: bool = False
    is_minor: bool = False
    # Of work on an alert, what the summary counts.
    work: Work | None = None
    # Of alerts, what the summary counts.
    lacks: frozenset[Lack] = frozenset()
    # Of alerts: what has become of it until now.
    state: str = ""

    @property
    def order(self) -> tuple[datetime, int, str]:
        return self.at, RANKS[self.topic], self.key

    @property
    def by(self) -> str:
        """Who did it, where the text does not name them."""
        return "" if self.text_by else self.who

    @property
    def day(self) -> date:
        return timezone.localtime(self.at).date()

    @property
    def tone(self) -> str:
        return self.severity.name.lower() if self.severity is not None else ""


def day_line(day: date, topic: Topic, key: str, text: str, source: Source, who: str = "") -> Line:
    return Line(at=start_of_day(day), topic=topic, key=key, text=text, who=who, sources=(source,), is_day=True)


def with_names(lines: Iterable[Line], names: Mapping[str, str]) -> list[Line]:
    """Users by full name, with the name that they sign in with."""
    return [_with_name(line, _named(line.who, names)) for line in lines]


def _with_name(line: Line, who: str) -> Line:
    return replace(line, who=who, text=line.text_by(who) if line.text_by else line.text)


def _named(who: str, names: Mapping[str, str]) -> str:
    full = names.get(who, who)
    return who if full == who else f"{full} ({who})"
