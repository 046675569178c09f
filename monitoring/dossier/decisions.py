"""Decisions on the company, with the figures that were known then, and reviews."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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


def decision_lines(asked: Asked) -> Iterator[Line]:
    rows = list(asked.rows(Decision).filter(company=asked.duns)) if asked.sees(Part.DECISIONS) else []
    for row, found in zip(rows, known_to(asked.reader.actor, rows), strict=True):
        source = source_of(Decision, row.pk)
        yield Line(
            at=row.decided_at, topic=Topic.DECISION, key=f"{row.number:06}", text=_decided(row), who=row.decided_by,
            details=tuple(_details(row, found, with_money=asked.sees(Part.EXPOSURE))), sources=(source,),
        )  # fmt: skip
        if row.confirmed_at:
            refusal = ((gettext("Reason"), row.refusal),) if row.refusal else ()
            is_refused = row.state == DecisionState.REFUSED
            text = (
                gettext("Decision refused: %(decision)s") if is_refused else gettext("Decision confirmed: %(decision)s")
            )
            yield Line(
                at=row.confirmed_at, topic=Topic.DECISION, key=f"{row.number:06}1",
                text=text % {"decision": in_words(row)}, who=row.confirmed_by, details=refusal, sources=(source,),
            )  # fmt: skip


def _decided(row: Decision) -> str:
    """One that needs a second person says how it stands: a line alone must not be read as final."""
    if not row.needs_second:
        return in_words(row)
    words = {
        DecisionState.PROPOSED: gettext("%(decision)s: proposed by %(proposer)s, not confirmed"),
        DecisionState.FINAL: gettext("%(decision)s: proposed by %(proposer)s, confirmed by %(second)s"),
        DecisionState.REFUSED: gettext("%(decision)s: proposed by %(proposer)s, refused by %(second)s"),
    }[DecisionState(row.state)]
    return words % {"decision": in_words(row), "proposer": row.decided_by, "second": row.confirmed_by}


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
