"""The dossier of a company: all lines of a span of days by their times, and the company before and after."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime

from django.utils import timezone
from django.utils.translation import gettext

from core import plurals
from core.actors import Actor, names_of
from core.audit import record
from core.text import day_text
from core.visibility import is_restricted
from monitoring.alerts.auto_resolve import PROGRAM
from monitoring.dossier.alerts import alert_lines, read_alerts
from monitoring.dossier.asked import Asked
from monitoring.dossier.changes import change_lines, read_history
from monitoring.dossier.decisions import decision_lines, read_decisions, review_lines
from monitoring.dossier.exposure import amount_words, read_stakes, stake_lines
from monitoring.dossier.lines import Line, Topic, with_names
from monitoring.dossier.messages import message_lines, read_messages
from monitoring.dossier.reactions import Reactions, days_kept
from monitoring.dossier.reader import Part, Reader
from monitoring.dossier.records import (
    edit_lines,
    fetch_lines,
    monitoring_lines,
    note_lines,
    proposal_lines,
    read_entries,
    read_subjects,
    reopened_alerts,
)
from monitoring.dossier.span import Span
from monitoring.dossier.states import Figure, figures_between
from monitoring.retention.retention import note_for
from portfolio.models import Company

# Of which the time is told, whether or not the row itself says more: they may lie before the first day.
ARRIVED = (Topic.CHANGE, Topic.EXPOSURE)


@dataclass(frozen=True, slots=True)
class Dossier:
    """`left_out`: parts that the reader may not see; `limits`: what else is not in it."""

    company: Company
    span: Span
    made_at: datetime
    figures: list[Figure]
    lines: list[Line]
    left_out: list[Part]
    limits: list[str]

    @property
    def knows_before(self) -> bool:
        """Of a company whose data begin within the days, there is nothing to compare with."""
        return any(one.before not in ("", amount_words(None)) for one in self.figures)

    @property
    def minor(self) -> int:
        return sum(line.is_minor for line in self.lines)


def dossier_of(company: Company, span: Span, reader: Reader) -> Dossier:
    asked = Asked(company, span, reader)
    history, stakes, made_at = read_history(asked), read_stakes(asked), timezone.now()
    (alerts, by_change), subjects = read_alerts(asked), read_subjects(asked)
    messages, entries = read_messages(asked, alerts), read_entries(asked, subjects, alerts)
    decisions = read_decisions(asked)
    reactions = Reactions(asked, messages, by_change, reopened_alerts(entries))
    found = [
        *change_lines(asked, history, reactions),
        *alert_lines(asked, alerts, reactions),
        *message_lines(asked, messages),
        *note_lines(asked),
        *edit_lines(asked, entries),
        *monitoring_lines(asked, subjects),
        *proposal_lines(asked),
        *fetch_lines(asked),
        *stake_lines(asked, stakes),
        *decision_lines(asked, decisions),
        *review_lines(asked),
    ]
    within = [
        line if span.contains(line.at) else _from_outside(line)
        for line in found
        if line.topic in ARRIVED or span.contains(line.at)
    ]
    limits = [
        note_for(span.since) if history.is_cut else "",
        _of_messages(asked),
        _unread(stakes.kept_from),
        _of_exposure(asked),
        gettext("Visits to pages are not recorded, so a dossier does not state who has viewed what."),
    ]
    figures = figures_between(asked, history, stakes, decisions)
    return Dossier(company, span, made_at, figures, in_order(within), reader.left_out, list(filter(None, limits)))


def _from_outside(line: Line) -> Line:
    why = gettext("Date outside the period"), gettext("included because it was recorded in the period")
    return replace(line, details=(why, *line.details))


def _unread(kept_from: date | None) -> str:
    if kept_from is None:
        return ""
    text = gettext("Exposure before %(day)s is not included: the imports contain too many amounts to read together.")
    return text % {"day": day_text(kept_from)}


def _of_messages(asked: Asked) -> str:
    days = days_kept(asked.span.since) if asked.sees(Part.MESSAGES) else 0
    words = gettext("Messages are deleted after %(days)s, so earlier ones are not included.")
    return words % {"days": plurals.days(days)} if days else ""


def _of_exposure(asked: Asked) -> str:
    """Imports are of all business units; the amounts are the company's."""
    if not asked.sees(Part.EXPOSURE) or not is_restricted(asked.reader.actor):
        return ""
    return gettext(
        "The exposure before and after the period is included. Exposure imports are not, because "
        "they cover all business units."
    )


def in_order(lines: Iterable[Line]) -> list[Line]:
    found = sorted(lines, key=lambda line: line.order)
    return with_names(found, {**names_of(line.who for line in found), PROGRAM: "D&B Monitoring"})


def record_reading(dossier: Dossier, *, by: Actor, how: str) -> None:
    """Who has read what is asked later as well."""
    words = gettext("Dossier of %(company)s from %(first)s to %(last)s viewed (%(how)s)")
    summary = words % {
        "company": dossier.company,
        "first": dossier.span.first,
        "last": dossier.span.last,
        "how": how,
    }
    record(actor=by, action="dossier.read", thing=dossier.company, summary=summary)
