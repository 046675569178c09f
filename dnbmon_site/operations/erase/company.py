"""Remove a company everywhere. First what would be removed is counted; who means it confirms."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime

from django.contrib.admin.models import LogEntry
from django.db.models import Max, Model, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext

from core.audit import note_act
from core.cached_counts import update_counts
from core.models import AuditEntry, Notice
from dnbmon_site.accounts.models import IdempotencyKey
from dnbmon_site.operations.erase import blobs
from dnbmon_site.operations.erase.rule_scopes import narrow
from monitoring.alerts.own_alerts import count_all_own_alerts
from monitoring.benefit.review import forget_reviews
from monitoring.deliveries.gaps import REPLAYED_FOR
from monitoring.family_tree.removal import forget_member, is_being_fetched, trees_naming
from monitoring.figures import checkpoints
from monitoring.follows.follow import OF_COMPANIES
from monitoring.models import (
    Alert,
    AlertItem,
    Change,
    DeadLetter,
    Decision,
    FamilyTreeMember,
    FetchedCompany,
    FigureMonth,
    FigureState,
    Follow,
    Notification,
    Observation,
    OutboxMessage,
    PersonalEvent,
    Review,
)
from monitoring.rebuild.removal import count_deliveries
from monitoring.stats.daily_counts import recount
from monitoring.stats.latency import days_published, recount_delays
from portfolio.exposure.entries import forget_exposure
from portfolio.models import (
    ApiKeyUsage,
    Company,
    CompanyNote,
    CompanySearch,
    CompanyWord,
    DnbCall,
    ExternalReference,
    Membership,
    Proposal,
    Subject,
    SubjectState,
)

WORD = "(forgotten)"
LISTED = (SubjectState.MONITORED, SubjectState.PENDING_ADD, SubjectState.PENDING_REMOVE)
SHORTEST_NAME = 4


class CannotForget(Exception):
    """Why not now; the message says what to do."""


@dataclass(slots=True)
class Removal:
    """What is, or would be, removed: numbers by the kind of thing, nothing of its content."""

    counts: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        return ", ".join(f"{number:,} {what}" for what, number in sorted(self.counts.items()) if number) or "nothing"


def refuse(duns: str, *, now: bool = False) -> None:
    listed = Subject.objects.filter(Q(requested=True) | Q(state__in=LISTED), company=duns).select_related(
        "registration"
    )
    names = sorted({row.registration.reference for row in listed})
    if names:
        raise CannotForget(
            f"{duns} is requested or monitored in {', '.join(names)}, so D&B keeps sending it. Stop monitoring first."
        )
    if is_being_fetched(duns):
        raise CannotForget(f"A family tree that names {duns} is being fetched. Stop it, or try again in a few minutes.")
    last = Notification.objects.filter(company=duns).aggregate(last=Max("delivered_at"))["last"]
    if last and not now and timezone.now() - last < REPLAYED_FOR:
        raise CannotForget(
            f"D&B can replay notifications about {duns} until {last + REPLAYED_FOR:%Y-%m-%d %H:%M} UTC, so a replay "
            "would bring the data back. Erase it after that time, or use --now and erase it again after that time."
        )


def plan(duns: str) -> Removal:
    """Count only."""
    removal = Removal()
    for rows in tables(duns):
        removal.counts[str(rows.model._meta.verbose_name_plural)] += rows.count()
    removal.counts["family trees"] += trees_naming(duns).count()
    removal.counts["family tree members"] += FamilyTreeMember.objects.filter(duns=duns).count()
    for rows in mentions(duns):
        removal.counts[f"mentions in {rows.model._meta.verbose_name_plural}"] += rows.count()
    removal.counts["places in stored data"] = sum(1 for _ in blobs.traces_of(duns))
    return removal


def tables(duns: str) -> Iterator[QuerySet[Model]]:
    """Rows about the company alone, those that stand on others first."""
    yield OutboxMessage.objects.filter(company=duns)
    yield PersonalEvent.objects.filter(company=duns)
    yield Follow.objects.filter(kind__in=OF_COMPANIES, subject=duns)
    yield Alert.objects.filter(company=duns)
    yield AlertItem.objects.filter(company=duns)
    yield Observation.objects.filter(company=duns)
    yield Change.objects.filter(company=duns)
    yield Notification.objects.filter(company=duns)
    yield FetchedCompany.objects.filter(Q(company=duns) | Q(replacement=duns))
    yield Review.objects.filter(company=duns)
    yield Decision.objects.filter(company=duns)
    yield Proposal.objects.filter(Q(company=duns) | Q(replacement=duns))
    yield ExternalReference.objects.filter(company=duns)
    yield CompanyNote.objects.filter(company=duns)
    yield CompanyWord.objects.filter(duns=duns)
    yield ApiKeyUsage.objects.filter(company=duns)
    yield Membership.objects.filter(company=duns)
    yield CompanySearch.objects.filter(Q(chosen=duns) | Q(candidates__contains=duns))
    yield Subject.objects.filter(company=duns)
    yield FigureMonth.objects.filter(company=duns)
    yield FigureState.objects.filter(company=duns)
    yield Company.objects.filter(pk=duns)


def mentions(duns: str) -> Iterator[QuerySet[Model]]:
    """Rows that name it beside other things."""
    yield AuditEntry.objects.filter(told_in(("key", "summary", "before", "after"), duns))
    yield LogEntry.objects.filter(told_in(("object_id", "object_repr", "change_message"), duns))
    yield Alert.objects.filter(told_in(("title", "reason", "reversal"), duns), company=None)
    # Another company's decision may name it: as a parent, or in an alert.
    yield Decision.objects.filter(told_in(("known", "reason", "refusal"), duns))
    yield Review.objects.filter(note__contains=duns)
    yield DnbCall.objects.filter(about__contains=duns)
    yield DeadLetter.objects.filter(preview__contains=duns)
    yield CompanySearch.objects.filter(name__contains=duns)


def told_in(columns: tuple[str, ...], *texts: str) -> Q:
    condition = Q()
    for column in columns:
        for text in filter(None, texts):
            condition |= Q(**{f"{column}__contains": text})
    return condition


def forget(duns: str, *, by: str, now: bool = False) -> Removal:
    """Remove it. May be stopped and begun again: what is gone is gone, and the rest is found again."""
    refuse(duns, now=now)
    removal = Removal()
    name = Company.objects.filter(pk=duns).values_list("name", flat=True).first() or ""
    days, deliveries = touched(duns)
    # Before the bytes that remain are rewritten: pages of a tree hold its name too.
    removal.counts["family tree members"] += FamilyTreeMember.objects.filter(duns=duns).count()
    removal.counts["family trees"] += forget_member(duns)
    for owner, content in list(blobs.traces_of(duns)):
        removal.counts[blobs.take_out(duns, owner, content)] += 1
    removal.counts["exports"] += blobs.remove_exports()
    for text in {duns, name if len(name) >= SHORTEST_NAME else ""} - {""}:
        blank_mentions(text, removal)
    removal.counts["rules and webhooks"] += narrow("companies", duns)
    removal.counts["exposure imports rewritten"] += forget_exposure(duns)
    remove_words(duns, removal)
    Company.objects.filter(merged_into=duns).update(merged_into="", projection="")
    for rows in tables(duns):
        removal.counts[str(rows.model._meta.verbose_name_plural)] += rows.count()
        rows.delete()
    checkpoints.remove_all()
    forget_reviews()
    count_again(days, deliveries)
    # They hold the latest alerts in words.
    count_all_own_alerts()
    update_counts()
    # Neither number nor name: the entry must not tell what was to be forgotten.
    summary = gettext("Company erased: %(removal)s") % {"removal": removal}
    note_act(actor=by, action="forget", what="company", key=WORD, summary=summary)
    return removal


def touched(duns: str) -> tuple[set[date], set[uuid.UUID]]:
    keys = set(Notification.objects.filter(company=duns).values_list("delivery_id", flat=True))
    for model in (Change, Observation):
        keys |= set(model._default_manager.filter(company=duns).values_list("delivery_id", flat=True))
    moments: set[datetime | None] = set(Change.objects.filter(company=duns).values_list("changed_at", flat=True))
    moments |= set(Notification.objects.filter(company=duns).values_list("delivered_at", flat=True))
    return {moment.date() for moment in moments if moment}, keys


def count_again(days: set[date], deliveries: set[uuid.UUID]) -> None:
    for day in sorted(days):
        recount(day)
    count_deliveries(deliveries)
    for day in sorted(days_published(deliveries)):
        recount_delays(day)


def blank_mentions(text: str, removal: Removal) -> None:
    for rows in mentions(text):
        for row in rows:
            if isinstance(row, DeadLetter):
                rows.model._default_manager.filter(pk=row.pk).update(preview="")
            else:
                blank(row, text)
            removal.counts[f"mentions in {row._meta.verbose_name_plural}"] += 1


def blank(row: Model, text: str) -> None:
    columns = {
        field.attname: getattr(row, field.attname).replace(text, WORD)
        for field in row._meta.concrete_fields
        if isinstance(getattr(row, field.attname), str) and text in getattr(row, field.attname)
    }
    type(row)._default_manager.filter(pk=row.pk).update(**columns)


def remove_words(duns: str, removal: Removal) -> None:
    """Messages and answers that name it among others: they were sent, and are only kept to be looked at."""
    for rows in (
        OutboxMessage.objects.filter(payload__contains=duns),
        Notice.objects.filter(told_in(("subject", "text"), duns)),
    ):
        removal.counts[str(rows.model._meta.verbose_name_plural)] += rows.count()
        rows.delete()
    for row in IdempotencyKey.objects.all():
        if duns.encode() in bytes(row.answer):
            row.delete()
    facts = AlertItem.objects.filter(company=duns).values_list("alert_id", flat=True)
    for key, count in Counter(facts).items():
        alert = Alert.objects.filter(pk=key).values_list("fact_count", flat=True).first() or 0
        Alert.objects.filter(pk=key).update(fact_count=max(0, alert - count))
