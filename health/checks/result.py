"""What a check says: a state, a sentence, a number, what to do, and where the runbook tells more."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.formats import number_format
from django.utils.translation import gettext, ngettext_lazy
from django.utils.translation import gettext_lazy as _

from health.models import State

RUNBOOK = "docs/operate/troubleshooting.md"


@dataclass(frozen=True, slots=True)
class Result:
    """One check of one thing; `subject` names the thing where there are several."""

    check: str
    title: str
    state: State
    sentence: str
    number: float | None = None
    unit: str = ""
    do: str = ""
    subject: str = ""
    # Channels hear of it even where it is only a warning.
    notify: bool = False
    # A person has to look, whatever the program does: it opens an incident with the first look.
    is_mark: bool = False
    # A registration that a person paused, or what is not set up: no fault, but the headline names it.
    is_paused: bool = False
    is_not_set_up: bool = False
    # The messages that it is about, in the admin.
    messages_url: str = ""

    @property
    def dedup_key(self) -> str:
        return f"{self.check}:{self.subject}" if self.subject else self.check

    @property
    def runbook(self) -> str:
        return f"{RUNBOOK}#{self.check}"

    @property
    def help_url(self) -> str:
        return help_url(self.runbook)

    @property
    def state_word(self) -> str:
        """In place of the state's own word, where that says too little."""
        if self.is_paused:
            return gettext("Paused")
        return gettext("Not set up") if self.is_not_set_up else str(self.state.label)

    @property
    def tone(self) -> str:
        return TONES[self.state]

    @property
    def shown(self) -> str:
        """The number as people read it."""
        if self.number is None:
            return ""
        is_whole = self.number == int(self.number) or self.number >= 100
        digits = 0 if is_whole else 2 if self.number < 1 else 1
        number = number_format(self.number, digits, force_grouping=True)
        unit = str(UNITS.get(self.unit, self.unit) % {"count": int(self.number)})
        return f"{number} {unit}".strip()

    def as_json(self) -> dict[str, object]:
        return {
            "check": self.check,
            "subject": self.subject,
            "title": self.title,
            "state": self.state.name.lower(),
            "sentence": self.sentence,
            "number": self.number,
            "unit": self.unit,
            "do": self.do,
            "runbook": self.runbook,
        }


def help_url(runbook: str) -> str:
    """Where a section of the runbook is read inside the program; incidents keep names that its file had before."""
    section = runbook.partition("#")[2]
    return reverse("handbook", args=[RUNBOOK.removeprefix("docs/")]) + (f"#{section}" if section else "")


# What a number counts; measures such as "s" and "GB" are the same in each language.
UNITS: dict[str, Any] = {
    "calls": ngettext_lazy("call", "calls", "count"),
    "channels": ngettext_lazy("channel", "channels", "count"),
    "days": ngettext_lazy("day", "days", "count"),
    "items": ngettext_lazy("item", "items", "count"),
    "jobs": ngettext_lazy("job", "jobs", "count"),
    "messages": ngettext_lazy("message", "messages", "count"),
    "nights": ngettext_lazy("night", "nights", "count"),
    "overdue": _("overdue"),
    "failed tries": ngettext_lazy("failed attempt", "failed attempts", "count"),
    "failing": _("failing"),
    "stopped": _("stopped"),
    "syncs": ngettext_lazy("sync", "syncs", "count"),
    "waiting": _("waiting"),
}
TONES = {State.OK: "good", State.UNKNOWN: "calm", State.WARNING: "warn", State.CRITICAL: "bad"}


def worst(results: Iterable[Result]) -> State:
    """Of all checks; what is unknown makes nothing worse than it is."""
    return max((result.state for result in results if result.state != State.UNKNOWN), default=State.OK)


def graded(number: float, *, warning: float, critical: float) -> State:
    """By a number that should be small."""
    if number >= critical:
        return State.CRITICAL
    return State.WARNING if number >= warning else State.OK
