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
from monitoring.deliveries.lease import RegistrationLease, leased
from monitoring.deliveries.response import REFUSALS, Decision, Meaning, decide, decide_content
from monitoring.log_context import in_the_log
from monitoring.models import Delivery, DeliveryState, Source
from monitoring.pull.preconditions import why_not_to_pull
from monitoring.pull.rejections import act_on_refusal, check_reference
from monitoring.replay.after_restore import put_in_doubt_since_backup
from monitoring.replay.passes import recover, recovery_is_due
from portfolio.dnb_client import client_for
from portfolio.models import Registration, RegistrationState
from portfolio.registrations.schedule import next_due

logger = logging.getLogger(__name__)

Keep = Callable[[Delivery], None]
IN_DOUBT_A_RUN = 8
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
    in_doubt: int = 0


@dataclass(slots=True)
class Run:
    """One run over one registration, under its lease."""

    registration: Registration
    lease: RegistrationLease
    client: DirectPlus
    keep: Keep
    deadline: datetime | None
    requested_by: str = ""
    result: PullResult = field(default_factory=PullResult)
    renewed: bool = False


def pull(
    registration: Registration,
    *,
    keep: Keep,
    client: DirectPlus | None = None,
    until: datetime | None = None,
    requested_by: str = "",
) -> PullResult:
    """Pull until the queue is empty, or until the time is over; `keep` reads each stored answer.

    What D&B sends is stored whatever happens afterwards; an error stands in the result and on the registration.
    """
    with leased(registration.pk) as lease:
        if lease is None:
            return PullResult()
        registration.refresh_from_db()
        run = Run(registration, lease, client or client_for(registration.contract), keep, until, requested_by)
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
    put_in_doubt_since_backup(run.registration)
    if recovery_is_due(run.registration):
        _recover(run)
    while _pull_page(run):
        if run.deadline and timezone.now() >= run.deadline:
            _end(run, Outcome.OUT_OF_TIME)
            return
    if run.result.outcome == Outcome.DRAINED and recovery_is_due(run.registration):
        _recover(run)


def _end(run: Run, outcome: Outcome, reason: str = "") -> bool:
    run.result.outcome, run.result.reason = outcome, reason
    return False


def _learn_the_time(run: Run) -> bool:
    """No pull before D&B's clock is known, and not with a reading that is long out of date."""
    registration = run.registration
    if registration.dnb_time and timezone.now() - registration.dnb_time < STALE:
        return True
    run.lease.renew()
    try:
        detail = run.client.registration(registration.reference)
    except DirectPlusError as error:
        act_on_refusal(registration, run.lease, error.code or "", error.status or 0, str(error))
        return _end(run, Outcome.REFUSED if error.status else Outcome.FAILED, str(error))
    note_dnb_time(run, detail.dnb_time or run.client.session.dnb_time)
    if registration.dnb_time is None:
        return _end(
            run,
            Outcome.FAILED,
            gettext("D&B's responses contain no time, so a recovery could not determine where to start."),
        )
    return True


def note_dnb_time(run: Run, dnb_time: datetime | None) -> None:
    """Remember D&B's time, and mark a gap when it shows that the queue was left too long."""
    if dnb_time is None:
        return
    run.registration.dnb_time = dnb_time
    run.lease.update(dnb_time=dnb_time)
    gaps.mark_if_left_too_long(run.registration)


def _recover(run: Run) -> bool:
    return recover(run.registration, run.lease, run.client, keep=run.keep, until=run.deadline).ended


def _pull_page(run: Run) -> bool:
    """One call; True when the next may follow."""
    # Getting a token may take as long as a call: not while the lease runs for the call itself.
    run.client.session.ensure_token()
    turn = run.lease.next_turn()
    delivery = announce(run.registration, run.lease.fence, turn, requested_by=run.requested_by)
    with in_the_log(delivery, registration=run.registration.reference):
        answer = run.client.pull(run.registration.reference, limit=delivery.page_size or 1)
        decision = store_answer(delivery, answer)
        log_call(delivery, decision)
        note_dnb_time(run, answer.dnb_time)
        return _NEXT[decision.meaning](run, delivery, decision, answer)


def log_call(delivery: Delivery, decision: Decision) -> None:
    """What became of a call, for the log; an empty queue is the normal case and not worth a line."""
    if decision.meaning == Meaning.RECEIVED:
        with in_the_log(delivery):
            logger.info("%s notifications received", delivery.notification_count)
    elif decision.meaning != Meaning.DRAINED:
        logger.warning("the pull was %s: %s", decision.meaning.value, decision.reason)


def announce(registration: Registration, fence: int, turn: int, *, requested_by: str = "") -> Delivery:
    """Say that a call is about to be made: who dies in it leaves this row, and it says where to recover from."""
    assert registration.dnb_time is not None
    return Delivery.objects.create(
        registration=registration,
        source=Source.PULL,
        state=DeliveryState.CALLED,
        fence=fence,
        turn=turn,
        stands_for=turn,
        page_size=min(registration.current_page_size, registration.page_size),
        called_at=timezone.now(),
        requested_by=requested_by,
        replay_from=registration.dnb_time - registration.contract.overlap,
    )


def store_answer(delivery: Delivery, answer: Answer) -> Decision:
    """Make the bytes durable, then decide what they mean. Never refused, whoever holds the lease by now."""
    if answer.body and answer.status not in (404, 429):
        store_bytes(delivery.pk, answer.body)
    decision = decide(answer)
    if decision.meaning in (Meaning.DRAINED, Meaning.NOT_SENT):
        delete_bytes(delivery.pk)
        Delivery.objects.filter(pk=delivery.pk).delete()
        return decision
    delivery.ended_at = answer.ended_at
    delivery.http_status = answer.status or None
    delivery.byte_count = len(answer.body)
    delivery.sha256 = hashlib.sha256(answer.body).hexdigest()
    _conclude(delivery, decision)
    return decision


def _conclude(delivery: Delivery, decision: Decision) -> None:
    delivery.state = decision.meaning.value
    delivery.error = clean_text(decision.reason)
    if decision.meaning == Meaning.RECEIVED and decision.split:
        delivery.received_at = timezone.now()
        delivery.transaction_id = clean_text(decision.split.transaction_id or "", 200)
        delivery.answer_stamp = clean_text(decision.split.transaction_timestamp or "", 64)
        delivery.notification_count = len(decision.split.items)
    delivery.save()


def recover_abandoned(registration: Registration, fence: int) -> None:
    """What a process that died in a call has left: complete bytes are an answer, everything else is in doubt."""
    abandoned = Delivery.objects.filter(
        registration=registration, state=DeliveryState.CALLED, source=Source.PULL, fence__lt=fence
    )
    for delivery in abandoned:
        content = load_bytes(delivery.pk)
        decision = decide_content(content)
        if decision.meaning != Meaning.RECEIVED:
            decision = Decision(Meaning.IN_DOUBT, gettext("The process ended before the response was stored."))
        delivery.ended_at = timezone.now()
        delivery.byte_count, delivery.sha256 = len(content), hashlib.sha256(content).hexdigest()
        _conclude(delivery, decision)


def _received(run: Run, delivery: Delivery, decision: Decision, answer: Answer) -> bool:
    run.renewed = False
    run.result.pages += 1
    run.result.notifications += delivery.notification_count or 0
    _set_page_size(run, min(run.registration.page_size, run.registration.current_page_size * 2))
    run.keep(delivery)
    return True


def _drained(run: Run, delivery: Delivery, decision: Decision, answer: Answer) -> bool:
    heard = run.registration.dnb_time
    last_error = check_reference(run.registration, run.lease, run.client)
    if last_error:
        return _end(run, Outcome.REFUSED, last_error)
    run.registration.last_pulled_at = heard
    run.lease.update(last_pulled_at=heard)
    return _end(run, Outcome.DRAINED)


def _refused(run: Run, delivery: Delivery, decision: Decision, answer: Answer) -> bool:
    if decision.code == "00040" and not run.renewed:
        run.renewed = True
        run.client.session.renew_token()
        return True
    act_on_refusal(run.registration, run.lease, decision.code, answer.status, decision.reason, answer.headers)
    return _end(run, Outcome.REFUSED, decision.reason)


def _in_doubt(run: Run, delivery: Delivery, decision: Decision, answer: Answer) -> bool:
    """Ask for fewer next time, recover at once; go on only while replay works."""
    run.result.in_doubt += 1
    _set_page_size(run, max(1, run.registration.current_page_size // 2))
    if _recover(run) and run.result.in_doubt < IN_DOUBT_A_RUN:
        return True
    return _end(run, Outcome.FAILED, decision.reason)


def _not_sent(run: Run, delivery: Delivery, decision: Decision, answer: Answer) -> bool:
    if answer.status in REFUSALS:
        act_on_refusal(run.registration, run.lease, decision.code, answer.status, decision.reason, answer.headers)
        return _end(run, Outcome.REFUSED, decision.reason)
    return _end(run, Outcome.FAILED, decision.reason)


_NEXT = {
    Meaning.RECEIVED: _received,
    Meaning.DRAINED: _drained,
    Meaning.REFUSED: _refused,
    Meaning.IN_DOUBT: _in_doubt,
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
    consecutive_failures = registration.consecutive_failures + 1 if failed or is_put_off else 0
    fields: dict[str, object] = {"consecutive_failures": consecutive_failures}
    if run.result.outcome == Outcome.OUT_OF_TIME:
        fields["next_pull_at"] = now
    elif failed:
        backoff = min(timedelta(seconds=15 * 2 ** min(consecutive_failures - 1, 10)), LONGEST_BACKOFF)
        fields["next_pull_at"] = min(now + backoff, next_due(registration, now))
    elif run.result.outcome == Outcome.DRAINED:
        fields["next_pull_at"] = next_due(registration, now)
    if run.result.outcome != Outcome.REFUSED:
        fields |= {"last_error": clean_text(run.result.reason), "quota_used_up": False}
    run.lease.update(**fields)


def is_due(registration: Registration) -> bool:
    return registration.state == RegistrationState.ACTIVE and (
        registration.next_pull_at is None or registration.next_pull_at <= timezone.now()
    )
