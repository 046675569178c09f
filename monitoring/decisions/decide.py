"""Deciding on a company: one row for each decision, made once, with what was known; confirmed by a second person."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext

from core.actors import Actor
from core.audit import entry_of
from core.cached_counts import recent_count, update_counts
from core.dates import is_usual
from core.db import clean_text, database_now, insert_new
from core.ids import time_first_key
from core.models import AuditEntry
from monitoring.decisions.known import known_now
from monitoring.decisions.over_limit import is_over
from monitoring.decisions.reviews import end_review, is_gone
from monitoring.decisions.second_person import reasons_for_second
from monitoring.models import Decision, DecisionKind, DecisionState
from monitoring.models.workflow.review_settings import ReviewSettings, review_settings
from portfolio.exposure.currencies import CODES
from portfolio.exposure.days import today
from portfolio.exposure.money import money_text
from portfolio.exposure.rates import MOST_CENTS
from portfolio.imports.states import NotAllowed, Refused
from portfolio.models import Company

LONGEST = 4_000


class DecidedSince(Refused):
    """Somebody decided after the page was opened; `latest` is what they decided."""

    def __init__(self, latest: Decision) -> None:
        words = gettext(
            "%(person)s has decided on this company since you opened the page: %(decision)s. Your decision "
            "was not saved. Review that decision, then decide again."
        )
        super().__init__(words % {"person": latest.decided_by, "decision": in_words(latest)})
        self.latest = latest


class NoneBefore(Refused):
    """A last decision is named, but none is stored: it was of another company, or erased."""

    def __init__(self) -> None:
        words = gettext(
            "No decision on this company is stored. Your decision was not saved. Review it, and save again."
        )
        super().__init__(words)


class Flaw(Refused):
    """Of a draft; `field` is what to correct."""

    def __init__(self, field: str, words: str) -> None:
        super().__init__(words)
        self.field = field


class CompanyGone(Refused):
    """D&B merged or deleted it; `retained` is the company to decide on instead, where there is one."""

    def __init__(self, company: Company) -> None:
        self.retained = company.merged_into
        words = gettext("D&B deleted this company, so no decision on it can be made.")
        if self.retained:
            words = gettext("D&B merged this company into %(retained)s. Decide on that company instead.")
        super().__init__(words % {"retained": self.retained})


@dataclass(frozen=True, slots=True)
class Draft:
    """What somebody wants to decide."""

    kind: str
    reason: str
    amount_cents: int | None = None
    currency: str = ""
    valid_until: date | None = None

    def check(self) -> None:
        if self.kind not in DecisionKind.values:
            raise Flaw("kind", gettext("Choose a decision."))
        if not self.reason.strip():
            raise Flaw("reason", gettext("Enter a reason. It is kept with the decision."))
        self._check_day()
        if self.kind == DecisionKind.LIMIT:
            self._check_amount()
        elif self.amount_cents is not None:
            raise Flaw("amount", gettext("Only a limit has an amount. Remove the amount, or choose “Limit”."))

    def _check_day(self) -> None:
        if self.valid_until and not is_usual(self.valid_until):
            raise Flaw("valid_until", gettext("Enter a “Valid until” date before the year 3000."))
        if self.valid_until and self.valid_until < today():
            raise Flaw("valid_until", gettext("The “Valid until” date is in the past. Enter a later date."))

    def _check_amount(self) -> None:
        if self.amount_cents is None or not 0 <= self.amount_cents <= MOST_CENTS:
            raise Flaw("amount", gettext("Enter the amount of the limit: 0 or more."))
        if self.currency not in CODES:
            raise Flaw("currency", gettext("Choose the currency of the limit."))


def latest_decision(duns: str) -> Decision | None:
    return Decision.objects.filter(company=duns).order_by("-number").first()


def is_expired(decision: Decision) -> bool:
    return decision.valid_until is not None and decision.valid_until < today()


def in_words(decision: Decision) -> str:
    """Its kind, with the amount of a limit."""
    kind = str(decision.get_kind_display())
    return kind if decision.amount_cents is None else f"{kind} {money_text(decision.amount_cents, decision.currency)}"


def refuse_gone(company: Company) -> None:
    if is_gone(company):
        raise CompanyGone(company)


# Deciding


def decide(duns: str, draft: Draft, *, seen: int, by: Actor) -> Decision:
    """`seen` is the number of the last decision that the person knew of, 0 for none. Two at once: one number, one row;
    the other is told what was decided."""
    company = Company.objects.get(pk=duns)
    refuse_gone(company)
    latest = latest_decision(duns)
    if latest and latest.number != seen:
        raise DecidedSince(latest)
    if latest is None and seen:
        raise NoneBefore
    if latest and latest.state == DecisionState.PROPOSED:
        raise Refused(gettext("A decision on this company awaits confirmation. Confirm or refuse that one first."))
    draft.check()
    settings = review_settings()
    second = reasons_for_second(settings, company.tier, draft.kind, draft.amount_cents, draft.currency)
    return _finish(_insert(company, draft, seen + 1, second, by), settings, by)


def _insert(company: Company, draft: Draft, number: int, second: str, by: Actor) -> Decision:
    now, is_limit = database_now(), draft.kind == DecisionKind.LIMIT
    row = Decision(
        company=company,
        number=number,
        kind=draft.kind,
        amount_cents=draft.amount_cents,
        currency=draft.currency if is_limit else "",
        valid_until=draft.valid_until,
        reason=clean_text(draft.reason.strip(), LONGEST),
        tier_at=company.tier,
        known=known_now(company, now),
        decided_by=clean_text(by, 200),
        decider_id=by.answerable,
        decided_at=now,
        needs_second=second,
        state=DecisionState.PROPOSED if second else DecisionState.FINAL,
    )
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError as error:
        if (latest := latest_decision(company.duns)) is None:
            raise
        raise DecidedSince(latest) from error
    return row


def _finish(row: Decision, settings: ReviewSettings, by: Actor) -> Decision:
    is_final = row.state == DecisionState.FINAL
    if is_final:
        end_review(row, settings)
    insert_new(AuditEntry, [_first_entry(row, by)], asked=True)
    if is_final:
        _count_over_limit(row)
    else:
        update_counts("decisions")
    return row


def _count_over_limit(row: Decision) -> None:
    """Now, where the decision makes a difference: others are counted with all of them, every few minutes."""
    if is_over(row.company, row) or row.company_id in recent_count("over_limit").get("companies", ()):
        update_counts("over_limit")


# The second person


def confirm(row: Decision, *, by: Actor) -> None:
    """The proposer can never confirm."""
    if row.decider_id is None or row.decider_id == by.answerable:
        raise NotAllowed(gettext("You proposed this decision, so another user must confirm it."))
    row.company = Company.objects.get(pk=row.company_id)
    refuse_gone(row.company)
    if is_expired(row):
        raise Refused(gettext("Its “Valid until” date has passed. Refuse it and make a new decision."))
    _settle(row, DecisionState.FINAL, by)
    _count_over_limit(row)
    end_review(row)
    insert_new(AuditEntry, _answer_entries(row, by))


def refuse(row: Decision, *, reason: str, by: Actor) -> None:
    """By the second person, or withdrawn by the proposer."""
    if not reason.strip():
        raise Refused(gettext("Enter a reason. It is kept with the decision."))
    _settle(row, DecisionState.REFUSED, by, refusal=clean_text(reason.strip(), LONGEST))
    insert_new(AuditEntry, _answer_entries(row, by))


def _settle(row: Decision, state: DecisionState, by: Actor, **fields: Any) -> None:
    """Once: of two people who answer at the same time, one does."""
    fields |= {"state": state, "confirmed_by": clean_text(by, 200), "confirmer_id": by.id}
    fields["confirmed_at"] = database_now()
    if not Decision.objects.filter(pk=row.pk, state=DecisionState.PROPOSED).update(**fields):
        row.refresh_from_db()
        raise Refused(_answered(row))
    for name, value in fields.items():
        setattr(row, name, value)
    update_counts("decisions")


def _answered(row: Decision) -> str:
    words = gettext(
        "No action taken: %(person)s has already confirmed or refused this decision. Its state is “%(state)s”."
    )
    return words % {"person": row.confirmed_by or row.decided_by, "state": row.get_state_display()}


# The audit log


def entries_of(row: Decision) -> list[AuditEntry]:
    """All that the log says of it, from the row alone: what a process that died has not written is written later."""
    return [_first_entry(row, _actor(row.decided_by, row.decider_id)), *_answered_by(row)]


def _answered_by(row: Decision) -> list[AuditEntry]:
    return _answer_entries(row, _actor(row.confirmed_by, row.confirmer_id))


def _actor(name: str, key: uuid.UUID | None) -> str:
    return Actor(name, key) if key else name


def _first_entry(row: Decision, by: str) -> AuditEntry:
    if row.needs_second:
        words, state = gettext("%(company)s: decision “%(decision)s” proposed"), DecisionState.PROPOSED
        return _entry(row, "decision.proposed", by, words, {"state": state}, row.decided_at)
    words, state = gettext("%(company)s: decision “%(decision)s” made"), DecisionState.FINAL
    return _entry(row, "decision.made", by, words, {"state": state}, row.decided_at)


def _answer_entries(row: Decision, by: str) -> list[AuditEntry]:
    if row.confirmed_at is None:
        return []
    action, words = "decision.confirmed", gettext("%(company)s: decision “%(decision)s” confirmed")
    if row.state == DecisionState.REFUSED:
        action, words = "decision.refused", gettext("%(company)s: decision “%(decision)s” refused")
    return [_entry(row, action, by, words, {"state": row.state, "refusal": row.refusal}, row.confirmed_at)]


def _entry(row: Decision, action: str, by: str, words: str, answer: Mapping[str, str], moment: datetime) -> AuditEntry:
    entry = entry_of(
        actor=by,
        action=action,
        thing=row,
        summary=words % {"company": row.company_id, "decision": in_words(row)},
        after={
            **{"company": row.company_id, "kind": row.kind, "amount_cents": row.amount_cents, "currency": row.currency},
            **{"valid_until": row.valid_until, "reason": row.reason, "tier": row.tier_at},
            **{"needs_second": row.needs_second, **answer},
        },
    )
    entry.id, entry.at = time_first_key(moment, action, row.pk), moment
    return entry
