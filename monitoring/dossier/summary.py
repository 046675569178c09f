"""The first page of a dossier: what happened and what was decided, in a few lines of the timeline."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from django.utils.translation import gettext, ngettext

from core.text import counted, moment_text, with_full_stop
from monitoring.dossier.dossier import Dossier
from monitoring.dossier.lines import Lack, Line, Topic, Work
from monitoring.dossier.reader import Part
from monitoring.models import Severity

SHOWN = 5


@dataclass(frozen=True, slots=True)
class Point:
    """`empty`: what there is instead of lines; `more`: how many the timeline has beside them."""

    heading: str
    lines: Sequence[Line]
    empty: str
    more: int = 0
    also: str = ""

    @property
    def more_words(self) -> str:
        words = ngettext("%(count)s more in the timeline", "%(count)s more in the timeline", self.more)
        return words % {"count": counted(self.more)} if self.more else ""


def summary_of(dossier: Dossier) -> list[Point]:
    """Of the parts that the reader sees."""
    points = []
    if Part.CHANGES not in dossier.left_out:
        points.append(_happened(dossier))
    if Part.ALERTS not in dossier.left_out:
        points.append(_alerts(dossier))
    if Part.DECISIONS not in dossier.left_out:
        points.append(_decided(dossier))
    return points


def _happened(dossier: Dossier) -> Point:
    """The most severe changes, of the same severity the latest; the most severe first, then in the order of time."""
    found = [line for line in _of(dossier, Topic.CHANGE) if (line.severity or Severity.NOISE) >= Severity.HIGH]
    found.sort(key=lambda line: (line.severity or Severity.NOISE, line.order), reverse=True)
    shown = sorted(found[:SHOWN], key=lambda line: (-(line.severity or Severity.NOISE), line.order))
    empty = gettext("No change of high or critical severity.")
    return Point(gettext("Most severe changes"), shown, empty, len(found) - len(shown))


def _alerts(dossier: Dossier) -> Point:
    alerts = _of(dossier, Topic.ALERT)
    stated = [replace(line, text=f"{line.text} · {line.state}") for line in alerts]
    point = _latest(gettext("Alerts"), stated, gettext("No alert was raised."))
    return replace(point, also=" ".join(filter(None, (*_lacking(alerts), _worked_on(dossier)))))


def _lacking(alerts: Sequence[Line]) -> Iterator[str]:
    """What an auditor asks first: of how many no user was notified, and how many no user took up."""
    unsent, open_ones = (sum(lack in line.lacks for line in alerts) for lack in Lack)
    if unsent == len(alerts) > 0:
        yield ngettext("No message was sent about the alert.", "No message was sent about any of the alerts.", unsent)
    elif unsent:
        words = gettext("No message was sent about %(unsent)s of the %(all)s alerts.")
        yield words % {"unsent": counted(unsent), "all": counted(len(alerts))}
    if open_ones == len(alerts) > 0:
        yield ngettext("No user has acknowledged the alert.", "No user has acknowledged any of the alerts.", open_ones)
    elif open_ones:
        words = gettext("No user has acknowledged %(open)s of the %(all)s alerts.")
        yield words % {"open": counted(open_ones), "all": counted(len(alerts))}


def _worked_on(dossier: Dossier) -> str:
    """How much users did with them, and who began when: by then somebody had seen them."""
    comments, assignments = ([line for line in dossier.lines if line.work == work] for work in Work)
    parts = (
        (comments, ngettext("%(count)s comment", "%(count)s comments", len(comments))),
        (assignments, ngettext("%(count)s assignment", "%(count)s assignments", len(assignments))),
    )
    found = ", ".join(words % {"count": counted(len(lines))} + _first(lines) for lines, words in parts if lines)
    return with_full_stop(found) if found else ""


def _first(lines: Sequence[Line]) -> str:
    first = min(lines, key=lambda line: line.order)
    return gettext(" (first by %(who)s, %(when)s)") % {"who": first.who, "when": moment_text(first.at)}


def _decided(dossier: Dossier) -> Point:
    return _latest(gettext("What was decided"), _of(dossier, Topic.DECISION), gettext("No decision was recorded."))


def _latest(heading: str, found: Sequence[Line], empty: str) -> Point:
    return Point(heading, found[-SHOWN:], empty, max(len(found) - SHOWN, 0))


def _of(dossier: Dossier, topic: Topic) -> list[Line]:
    return [line for line in dossier.lines if line.topic == topic]
