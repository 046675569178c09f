"""Ask D&B and store what it answers: announce, call, keep the bytes, then look inside.

docs/develop/architecture.md#the-way-of-a-notification says why.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from django.utils import timezone
from django.utils.translation import gettext

from core.blobs import delete_bytes, load_bytes, store_bytes
from core.db import clean_text
from core.leases import HoldLost
from direct_plus.client import DirectPlus
from direct_plus.errors import DirectPlusError
from direct_plus.transport import Answer
from monitoring.deliveries import gaps
from monitoring.deliveries.lease import Lease, leased
from monitoring.deliveries.response import REFUSALS, Meaning, Verdict, decide, decide_content
from monitoring.log_context import in_the_log
from monitoring.models import Delivery, DeliveryState, Source
from monitoring.pull.preconditions import why_not_to_pull
from monitoring.pull.rejections import act_on_refusal, check_reference
from monitoring.replay.after_restore import doubt_what_the_backup_did_not_know
from monitoring.replay.passes import repair, repair_is_due
from portfolio.dnb_client import client_for
from portfolio.models import Registration, RegistrationState
from portfolio.registrations.schedule import next_due

logger = logging.getLogger(__name__)

Keep = Callable[[Delivery], None]
DOUBTS_A_RUN = 8
LONGEST_BACKOFF = timedelta(minutes=10)
STALE = timedelta(hours=12)


class Outcome(StrEnum):
    DRAINED = "drained"
    OUT_OF_TIME = "out of time"
    BUSY = "another process is pulling it"
    NOT_ASKED = "not asked"
    REFUSED = "refused"
    FAILED = "failed"


@dataclass(slots=True)
class PullResult:
    outcome: Outcome = Outcome.BUSY
    reason: str = ""
    pages: int = 0
    notifications: int = 0
    doubts: int = 0


@dataclass(slots=True)
class Run:
    """One run over one registration, under its lease."""

    registration: Registration
    lease: Lease
    client: DirectPlus
    keep: Keep
    deadline: datetime | None
    result: PullResult = field(default_factory=PullResult)
    renewed: bool = False


def pull(
    registration: Registration, *, keep: Keep, client: DirectPlus | None = None, until: datetime | None = None
) -> PullResult:
    """Pull until the queue is empty, or until the time is over; `keep` reads each stored answer.

    What D&B sends is stored whatever happens afterwards; trouble is told in the result and on the registration.
    """
    with leased(registration.pk) as lease:
        if lease is None:
            return PullResult()
        registration.refresh_from_db()
        run = Run(registration, lease, client or client_for(registration.contract), keep, until)
        try:
            _run(run)
            _plan_next(run)
        except HoldLost:
            run.result.outcome = Outcome.BUSY
        return run.result


def _run(run: Run) -> None:
    recover_abandoned(run.registration, run.lease.fence)
    reason = why_not_to_pull(run.registration.contract)
    if reason:
        _end(run, Outcome.NOT_ASKED, reason)
        return
    if not _learn_the_time(run):
        return
    doubt_what_the_backup_did_not_know(run.registration)
    if repair_is_due(run.registration):
        _repair(run)
    while _pull_page(run):
        if run.deadline and timezone.now() >= run.deadline:
            _end(run, Outcome.OUT_OF_TIME)
            return
    if run.result.outcome == Outcome.DRAINED and repair_is_due(run.registration):
        _repair(run)


def _end(run: Run, outcome: Outcome, reason: str = "") -> bool:
    run.result.outcome, run.result.reason = outcome, reason
    return False


def _learn_the_time(run: Run) -> bool:
    """No pull before D&B's clock is known, and not with a reading that is long out of date."""
    registration = run.registration
    if registration.heard_at and timezone.now() - registration.heard_at < STALE:
        return True
    run.lease.renew()
    try:
        detail = run.client.registration(registration.reference)
    except DirectPlusError as error:
        act_on_refusal(registration, run.lease, error.code or "", error.status or 0, str(error))
        return _end(run, Outcome.REFUSED if error.status else Outcome.FAILED, str(error))
    hear(run, detail.heard_at or run.client.session.heard_at)
    if registration.heard_at is None:
        return _end(
            run, Outcome.FAILED, gettext("D&B's answers carry no time, so that a repair would not know its beginning.")
        )
    return True


def hear(run: Run, heard_at: datetime | None) -> None:
    """Remember D&B's time, and mark a gap when it shows that the queue was left too long."""
    if heard_at is None:
        return
    run.registration.heard_at = heard_at
    run.lease.update(heard_at=heard_at)
    gaps.mark_if_left_too_long(run.registration)


def _repair(run: Run) -> bool:
    return repair(run.registration, run.lease, run.client, keep=run.keep, until=run.deadline).ended


def _pull_page(run: Run) -> bool:
    """One call; True when the next may follow."""
    # Getting a token may take as long as a call: not while the lease runs for the call itself.
    run.client.session.ensure_token()
    turn = run.lease.next_turn()
    delivery = announce(run.registration, run.lease.fence, turn)
    with in_the_log(delivery, registration=run.registration.reference):
        answer = run.client.pull(run.registration.reference, limit=delivery.page_size or 1)
        verdict = store_answer(delivery, answer)
        say(delivery, verdict)
        hear(run, answer.heard_at)
        return _NEXT[verdict.meaning](run, delivery, verdict, answer)


def say(delivery: Delivery, verdict: Verdict) -> None:
    """What became of a call, for the log; an empty queue is the normal case and not worth a line."""
    if verdict.meaning == Meaning.RECEIVED:
        with in_the_log(delivery):
            logger.info("%s notifications received", delivery.notification_count)
    elif verdict.meaning != Meaning.DRAINED:
        logger.warning("the pull was %s: %s", verdict.meaning.value, verdict.reason)


def announce(registration: Registration, fence: int, turn: int) -> Delivery:
    """Say that a call is about to be made: who dies in it leaves this row, and it says where to repair from."""
    assert registration.heard_at is not None
    return Delivery.objects.create(
        registration=registration,
        source=Source.PULL,
        state=DeliveryState.ASKED,
        fence=fence,
        turn=turn,
        stands_for=turn,
        page_size=min(registration.current_page_size, registration.page_size),
        asked_at=timezone.now(),
        replay_from=registration.heard_at - registration.contract.overlap,
    )


def store_answer(delivery: Delivery, answer: Answer) -> Verdict:
    """Make the bytes durable, then decide what they mean. Never refused, whoever holds the lease by now."""
    if answer.body and answer.status not in (404, 429):
        store_bytes(delivery.pk, answer.body)
    verdict = decide(answer)
    if verdict.meaning in (Meaning.DRAINED, Meaning.NOT_SENT):
        delete_bytes(delivery.pk)
        Delivery.objects.filter(pk=delivery.pk).delete()
        return verdict
    delivery.ended_at = answer.ended_at
    delivery.http_status = answer.status or None
    delivery.byte_count = len(answer.body)
    delivery.sha256 = hashlib.sha256(answer.body).hexdigest()
    _conclude(delivery, verdict)
    return verdict


def _conclude(delivery: Delivery, verdict: Verdict) -> None:
    delivery.state = verdict.meaning.value
    delivery.error = clean_text(verdict.reason)
    if verdict.meaning == Meaning.RECEIVED and verdict.split:
        delivery.received_at = timezone.now()
        delivery.transaction_id = clean_text(verdict.split.transaction_id or "", 200)
        delivery.answer_stamp = clean_text(verdict.split.transaction_timestamp or "", 64)
        delivery.notification_count = len(verdict.split.items)
    delivery.save()


def recover_abandoned(registration: Registration, fence: int) -> None:
    """What a process that died in a call has left: complete bytes are an answer, everything else is in doubt."""
    abandoned = Delivery.objects.filter(
        registration=registration, state=DeliveryState.ASKED, source=Source.PULL, fence__lt=fence
    )
    for delivery in abandoned:
        content = load_bytes(delivery.pk)
        verdict = decide_content(content)
        if verdict.meaning != Meaning.RECEIVED:
            verdict = Verdict(Meaning.DOUBTFUL, gettext("The process that asked ended before the answer was stored."))
        delivery.ended_at = timezone.now()
        delivery.byte_count, delivery.sha256 = len(content), hashlib.sha256(content).hexdigest()
        _conclude(delivery, verdict)


def _received(run: Run, delivery: Delivery, verdict: Verdict, answer: Answer) -> bool:
    run.renewed = False
    run.result.pages += 1
    run.result.notifications += delivery.notification_count or 0
    _set_page_size(run, min(run.registration.page_size, run.registration.current_page_size * 2))
    run.keep(delivery)
    return True


def _drained(run: Run, delivery: Delivery, verdict: Verdict, answer: Answer) -> bool:
    heard = run.registration.heard_at
    trouble = check_reference(run.registration, run.lease, run.client)
    if trouble:
        return _end(run, Outcome.REFUSED, trouble)
    run.registration.last_pulled_at = heard
    run.lease.update(last_pulled_at=heard)
    return _end(run, Outcome.DRAINED)


def _refused(run: Run, delivery: Delivery, verdict: Verdict, answer: Answer) -> bool:
    if verdict.code == "00040" and not run.renewed:
        run.renewed = True
        run.client.session.renew_token()
        return True
    act_on_refusal(run.registration, run.lease, verdict.code, answer.status, verdict.reason, answer.headers)
    return _end(run, Outcome.REFUSED, verdict.reason)


def _doubtful(run: Run, delivery: Delivery, verdict: Verdict, answer: Answer) -> bool:
    """Ask for fewer next time, repair at once; go on only while replay works."""
    run.result.doubts += 1
    _set_page_size(run, max(1, run.registration.current_page_size // 2))
    if _repair(run) and run.result.doubts < DOUBTS_A_RUN:
        return True
    return _end(run, Outcome.FAILED, verdict.reason)


def _not_sent(run: Run, delivery: Delivery, verdict: Verdict, answer: Answer) -> bool:
    if answer.status in REFUSALS:
        act_on_refusal(run.registration, run.lease, verdict.code, answer.status, verdict.reason, answer.headers)
        return _end(run, Outcome.REFUSED, verdict.reason)
    return _end(run, Outcome.FAILED, verdict.reason)


_NEXT = {
    Meaning.RECEIVED: _received,
    Meaning.DRAINED: _drained,
    Meaning.REFUSED: _refused,
    Meaning.DOUBTFUL: _doubtful,
    Meaning.NOT_SENT: _not_sent,
}


def _set_page_size(run: Run, size: int) -> None:
    if size != run.registration.current_page_size:
        run.registration.current_page_size = size
        run.lease.update(current_page_size=size)


def _plan_next(run: Run) -> None:
    """When to pull again: by the cadence after success, soon and ever later after failures."""
    registration, now = run.registration, timezone.now()
    registration.refresh_from_db()
    failed = run.result.outcome in (Outcome.FAILED, Outcome.NOT_ASKED)
    is_put_off = run.result.outcome == Outcome.REFUSED and registration.state == RegistrationState.ACTIVE
    failures = registration.failures + 1 if failed or is_put_off else 0
    fields: dict[str, object] = {"failures": failures}
    if run.result.outcome == Outcome.OUT_OF_TIME:
        fields["next_pull_at"] = now
    elif failed:
        backoff = min(timedelta(seconds=15 * 2 ** min(failures - 1, 10)), LONGEST_BACKOFF)
        fields["next_pull_at"] = min(now + backoff, next_due(registration, now))
    elif run.result.outcome == Outcome.DRAINED:
        fields["next_pull_at"] = next_due(registration, now)
    if run.result.outcome != Outcome.REFUSED:
        fields |= {"trouble": clean_text(run.result.reason), "quota_used_up": False}
    run.lease.update(**fields)


def is_due(registration: Registration) -> bool:
    return registration.state == RegistrationState.ACTIVE and (
        registration.next_pull_at is None or registration.next_pull_at <= timezone.now()
    )
