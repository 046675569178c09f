"""Decisions on the company, with the figures that were known then, and reviews."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from functools import partial
from typing import Any

from django.utils.translation import gettext

from core.text import counted, day_text
from monitoring.decisions.decide import in_words
from monitoring.decisions.known import known_then, known_to
from monitoring.dossier.asked import Asked
from monitoring.dossier.lines import Detail, Line, Topic, source_of
from monitoring.dossier.reader import Part
from monitoring.models import Decision, DecisionState, Review
from portfolio.models import Company, Tier


def read_decisions(asked: Asked) -> list[Decision]:
    return list(asked.rows(Decision).filter(company=asked.duns)) if asked.sees(Part.DECISIONS) else []


def valid_at(rows: Iterable[Decision], moment: datetime, day: date) -> Decision | None:
    """The last of those that were final by then, unless it had expired."""
    final = [row for row in rows if row.state == DecisionState.FINAL and (row.confirmed_at or row.decided_at) < moment]
    last = max(final, key=lambda row: row.number, default=None)
    return None if last is None or (last.valid_until and last.valid_until < day) else last


def decision_lines(asked: Asked, rows: Sequence[Decision]) -> Iterator[Line]:
    for row, found in zip(rows, known_to(asked.reader.actor, rows), strict=True):
        source = source_of(Decision, row.pk)
        yield Line(
            at=row.decided_at, topic=Topic.DECISION, key=f"{row.number:06}", text=in_words(row), who=row.decided_by,
            text_by=partial(_decided, row),
            details=tuple(_details(row, found, with_money=asked.sees(Part.EXPOSURE))), sources=(source,),
        )  # fmt: skip
        if row.confirmed_at:
            refusal = ((gettext("Reason"), row.refusal),) if row.refusal else ()
            text = gettext("Refused by %(who)s: %(decision)s")
            if row.state != DecisionState.REFUSED:
                text = gettext("Confirmed by %(who)s: %(decision)s")
            yield Line(
                at=row.confirmed_at, topic=Topic.DECISION, key=f"{row.number:06}1", text=in_words(row),
                who=row.confirmed_by, text_by=partial(_by, text, row), details=refusal, sources=(source,),
            )  # fmt: skip


def _by(text: str, row: Decision, who: str) -> str:
    return text % {"who": who, "decision": in_words(row), "second": row.confirmed_by}


def _decided(row: Decision, who: str) -> str:
    """One that needs a second person says how it stands: a line alone must not be read as final."""
    if not row.needs_second:
        return _by(gettext("Decided by %(who)s: %(decision)s"), row, who)
    text = {
        DecisionState.PROPOSED: gettext("Proposed by %(who)s, takes effect once confirmed: %(decision)s"),
        DecisionState.FINAL: gettext("Proposed by %(who)s, later confirmed by %(second)s: %(decision)s"),
        DecisionState.REFUSED: gettext("Proposed by %(who)s, later refused by %(second)s: %(decision)s"),
    }[DecisionState(row.state)]
    return _by(text, row, who)


def _details(row: Decision, found: Mapping[str, Any], *, with_money: bool) -> Iterator[Detail]:
    yield gettext("Reason"), row.reason
    if row.valid_until:
        yield gettext("Valid until"), day_text(row.valid_until)
    if row.tier_at:
        yield gettext("Tier"), str(Tier(row.tier_at).label)
    if row.needs_second:
        yield gettext("Reason for a second person"), row.needs_second
    known = known_then(found)
    if known.as_of:
        yield gettext("Figures as of"), known.as_of
    yield from known.figures
    for title, _tone, severity in known.alerts:
        yield gettext("Open alert (%(severity)s)") % {"severity": severity}, title
    if known.more_alerts:
        yield gettext("Open alerts"), gettext("and %(more)s more") % {"more": counted(known.more_alerts)}
    if with_money and not known.exposure:
        yield gettext("Exposure"), gettext("Unknown")
    for label, amount in known.exposure if with_money else ():
        yield gettext("Exposure: %(label)s") % {"label": label}, amount


def review_lines(asked: Asked) -> Iterator[Line]:
    """What is not a decision already."""
    rows = asked.rows(Review).filter(company=asked.duns, decision=None)
    for row in rows if asked.sees(Part.DECISIONS) else ():
        due = ((gettext("Due"), day_text(row.due_on)),) if row.due_on else ()
        note = ((gettext("Note"), row.note),) if row.note else ()
        source = source_of(Review, row.pk, page=(Company, row.company_id))
        yield Line(
            at=row.reviewed_at, topic=Topic.REVIEW, key=row.pk.hex, text=gettext("Company reviewed"),
            who=row.reviewed_by, details=(*due, *note), sources=(source,),
        )  # fmt: skip
