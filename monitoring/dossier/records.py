"""Notes and edits of users, monitoring periods, proposals and data fetches."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext

from core.models import AuditEntry
from monitoring.dossier.alerts import REOPENINGS, noted_lines
from monitoring.dossier.asked import Asked
from monitoring.dossier.lines import Line, Topic, day_line, source_of
from monitoring.dossier.reader import Part
from monitoring.models import Alert, DataFetch, Delivery, FetchedCompany, FetchedState
from portfolio.models import Company, CompanyNote, Membership, Proposal, ProposalState, Subject

# What has lines of its own: rows that are still there, and that somebody has read a dossier.
OF_OTHERS = ("add note", "dossier", "decision", "review")


def note_lines(asked: Asked) -> Iterator[Line]:
    for row in asked.rows(CompanyNote).filter(company=asked.duns) if asked.sees(Part.NOTES) else ():
        source = source_of(CompanyNote, row.pk, page=(Company, row.company_id))
        yield Line(at=row.at, topic=Topic.NOTE, key=row.pk.hex, text=row.text, who=row.by, sources=(source,))


def read_entries(asked: Asked, subjects: Sequence[Subject], alerts: Sequence[Alert]) -> list[AuditEntry]:
    """Of the audit log. Those who may not see it see at their alerts that one was reopened."""
    of_alerts = Q(what="alert", key__in=[str(row.pk) for row in alerts])
    if not asked.sees(Part.EDITS):
        return list(AuditEntry.objects.filter(of_alerts, action__in=REOPENINGS)) if alerts else []
    about = Q(what="company", key=asked.duns) | Q(what="subject", key__in=[str(row.pk) for row in subjects])
    return list(asked.rows(AuditEntry).filter(about | of_alerts))


def reopened_alerts(entries: Sequence[AuditEntry]) -> frozenset[uuid.UUID]:
    return frozenset(uuid.UUID(one.key) for one in entries if one.what == "alert" and one.action in REOPENINGS)


def edit_lines(asked: Asked, entries: Sequence[AuditEntry]) -> Iterator[Line]:
    """What the audit log alone knows."""
    for entry in entries if asked.sees(Part.EDITS) else ():
        if entry.what == "alert":
            yield from noted_lines(entry)
        elif not entry.action.startswith(OF_OTHERS):
            yield _edit(entry)


def _edit(entry: AuditEntry) -> Line:
    source = source_of(AuditEntry, entry.pk)
    return Line(at=entry.at, topic=Topic.EDIT, key=entry.pk.hex, text=entry.summary, who=entry.actor, sources=(source,))


def read_subjects(asked: Asked) -> list[Subject]:
    return list(asked.rows(Subject).filter(company=asked.duns)) if asked.sees(Part.MONITORING) else []


def monitoring_lines(asked: Asked, subjects: Sequence[Subject]) -> Iterator[Line]:
    for row in subjects:
        name, source = asked.references.get(row.registration_id, ""), source_of(Subject, row.pk)
        if row.requested_at:
            yield Line(
                at=row.requested_at, topic=Topic.MONITORING, key=row.pk.hex, text=_requested(row) % {"name": name},
                who=row.requested_by, sources=(source,),
            )  # fmt: skip
        yield from _period(row.monitored_since, row.monitored_until, name, row.pk, source)
    for period in asked.rows(Membership).filter(company=asked.duns) if asked.sees(Part.MONITORING) else ():
        subject = Subject.key(period.registration_id, asked.duns)
        source = source_of(Membership, period.pk, page=(Subject, subject))
        name = asked.references.get(period.registration_id, "")
        yield from _period(period.since, period.until, name, period.pk, source)


def _requested(row: Subject) -> str:
    if not row.requested:
        return gettext("Monitoring request in %(name)s withdrawn")
    if row.requested_at and row.monitored_since and row.monitored_since < row.requested_at.date():
        return gettext("Existing monitoring in %(name)s adopted")
    return gettext("Monitoring requested in %(name)s")


def _period(since: date | None, until: date | None, name: str, key: uuid.UUID, source: Any) -> Iterator[Line]:
    if since:
        text = gettext("Monitored in %(name)s from this day") % {"name": name}
        yield day_line(since, Topic.MONITORING, f"{key.hex}1", text, source)
    if until:
        text = gettext("Last day of monitoring in %(name)s") % {"name": name}
        yield day_line(until, Topic.MONITORING, f"{key.hex}2", text, source)


def proposal_lines(asked: Asked) -> Iterator[Line]:
    for row in asked.rows(Proposal).filter(company=asked.duns) if asked.sees(Part.PROPOSALS) else ():
        source, topic = source_of(Proposal, row.pk), Topic.PROPOSAL
        text = gettext("Proposal: %(kind)s") % {"kind": row.get_kind_display()}
        reason = ((gettext("Reason"), row.reason),)
        yield Line(at=row.created_at, topic=topic, key=row.pk.hex, text=text, details=reason, sources=(source,))
        if row.decided_at:
            text = gettext("Proposal %(state)s") % {"state": ProposalState(row.state).label.lower()}
            note = ((gettext("Reason"), row.note),) if row.note else ()
            yield Line(
                at=row.decided_at, topic=topic, key=f"{row.pk.hex}1", text=text, who=row.decided_by, details=note,
                sources=(source,),
            )  # fmt: skip


def fetch_lines(asked: Asked) -> Iterator[Line]:
    if not asked.sees(Part.FETCHES):
        return
    for row in asked.rows(FetchedCompany).filter(company=asked.duns).select_related("fetch"):
        sources = [source_of(DataFetch, row.fetch_id)]
        sources += [source_of(Delivery, row.delivery_key)] if row.delivery_key else []
        if row.called_at:
            yield Line(
                at=row.called_at, topic=Topic.DATA_FETCH, key=row.pk.hex, text=gettext("Data fetched from D&B"),
                who=row.fetch.requested_by, sources=tuple(sources),
            )  # fmt: skip
        if row.decided_at:
            text = gettext("Fetched data: %(state)s") % {"state": FetchedState(row.state).label}
            yield Line(
                at=row.decided_at, topic=Topic.DATA_FETCH, key=f"{row.pk.hex}1", text=text, who=row.decided_by,
                sources=tuple(sources),
            )  # fmt: skip
