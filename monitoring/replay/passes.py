"""What was in doubt, by replay: one pass over the replay serves all doubts of a registration.

docs/develop/direct_plus.md#replay says why.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Min
from django.utils import timezone
from django.utils.translation import gettext

from core.blobs import delete_bytes, store_bytes
from core.db import clean_text
from direct_plus.client import DirectPlus
from direct_plus.payloads import UnreadableItem, delivery_stamp_of, parse_stamp, read_item
from direct_plus.transport import Answer
from monitoring.deliveries import gaps
from monitoring.deliveries.lease import RegistrationLease
from monitoring.deliveries.response import Decision, Meaning, decide
from monitoring.models import DeadLetter, Delivery, DeliveryState, Notification, PassState, Purpose, ReplayPass, Source
from monitoring.replay.cursor import LARGEST_PAGE, Step, next_step
from portfolio.models import Registration

Keep = Callable[[Delivery], None]
AUDITED = timedelta(hours=24)
AUDIT_EVERY = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class RecoveryResult:
    ended: bool
    reason: str = ""
    pages: int = 0
    found: int = 0


def calls_in_doubt(registration: Registration) -> list[Delivery]:
    return list(Delivery.objects.filter(registration=registration, state=DeliveryState.IN_DOUBT).order_by("id"))


def recovery_is_due(registration: Registration, now: datetime | None = None) -> bool:
    """A pass is unfinished; or a call in doubt has had none since it ended, or none since its recovery delay."""
    if _unfinished(registration):
        return True
    now = now or timezone.now()
    return any(_needs_a_pass(registration, call, now) for call in calls_in_doubt(registration))


def _unfinished(registration: Registration) -> ReplayPass | None:
    passes = ReplayPass.objects.filter(registration=registration).exclude(state=PassState.ENDED)
    return passes.order_by("id").first()


def _needs_a_pass(registration: Registration, call: Delivery, now: datetime) -> bool:
    ended = call.ended_at or now
    later = ReplayPass.objects.filter(registration=registration, state=PassState.ENDED, begun_at__gte=ended)
    return now >= ended + registration.contract.recovery_delay or not later.exists()


def recover(
    registration: Registration,
    lease: RegistrationLease,
    client: DirectPlus,
    *,
    keep: Keep,
    until: datetime | None = None,
) -> RecoveryResult:
    """Go on with the unfinished pass, or make one from the earliest call in doubt; then mark those it has recovered."""
    running = _unfinished(registration) or _begin_recovery(registration)
    if running is None:
        return RecoveryResult(ended=True)
    return run_pass(running, lease, client, keep=keep, until=until)


def _begin_recovery(registration: Registration) -> ReplayPass | None:
    starts = [call.replay_from for call in calls_in_doubt(registration) if call.replay_from]
    return begin_pass(registration, Purpose.RECOVERY, min(starts)) if starts else None


def begin_pass(registration: Registration, purpose: Purpose, replay_from: datetime) -> ReplayPass:
    """A pass from `replay_from` (D&B's clock) to D&B's time now; what lies too far back becomes a gap."""
    assert registration.dnb_time is not None
    start = gaps.mark_if_beyond_replay(registration, replay_from)
    return ReplayPass.objects.create(
        registration=registration,
        purpose=purpose,
        replay_from=replay_from,
        cursor=start,
        page_size=LARGEST_PAGE,
        begun_at=timezone.now(),
        stands_for=min((call.turn for call in calls_in_doubt(registration)), default=0),
    )


def run_pass(
    replay_pass: ReplayPass, lease: RegistrationLease, client: DirectPlus, *, keep: Keep, until: datetime | None = None
) -> RecoveryResult:
    """Read pages until the end, a failure, or the time is over; the pass remembers where it stands."""
    while replay_pass.state != PassState.ENDED:
        if until and replay_pass.pages and timezone.now() >= until:
            return _result(
                replay_pass, gettext("The time limit of this run was reached. The replay continues in the next run.")
            )
        turn = lease.next_turn()
        answer = client.replay(
            replay_pass.registration.reference, since=replay_pass.cursor, limit=replay_pass.page_size
        )
        if not _take_page(replay_pass, lease, turn, answer, keep):
            return _result(replay_pass, replay_pass.mark)
    mark_recovered(replay_pass)
    return _result(replay_pass)


def _result(replay_pass: ReplayPass, reason: str = "") -> RecoveryResult:
    return RecoveryResult(replay_pass.state == PassState.ENDED, reason, replay_pass.pages, replay_pass.found)


def _take_page(replay_pass: ReplayPass, lease: RegistrationLease, turn: int, answer: Answer, keep: Keep) -> bool:
    """Store and read one page and say where the next begins; False when the call failed."""
    decision = decide(answer)
    if answer.dnb_time:
        lease.update(dnb_time=answer.dnb_time)
        # The time of the last answer before is not enough: what is in doubt may have been stamped after it.
        replay_pass.begun_dnb_time = replay_pass.begun_dnb_time or answer.dnb_time
    if replay_pass.state == PassState.FAILED and decision.meaning in (Meaning.RECEIVED, Meaning.DRAINED):
        # What the mark says about the failed call is over.
        replay_pass.state, replay_pass.mark = PassState.RUNNING, ""
    if decision.meaning == Meaning.RECEIVED:
        delivery = _keep_page(replay_pass, turn, answer, decision, keep)
        if not DeadLetter.objects.filter(delivery=delivery).exists():
            _advance(replay_pass, decision)
        # Else the same page again: what nobody could read, and nobody has seen before, may be damaged on its way.
        return True
    if decision.meaning == Meaning.DRAINED:
        _finish(replay_pass)
        return True
    return _fail(replay_pass, decision, client_gave_up=decision.meaning == Meaning.IN_DOUBT)


def _fail(replay_pass: ReplayPass, decision: Decision, *, client_gave_up: bool) -> bool:
    """A failed replay call is made again later, for fewer when the answer may have been too large."""
    replay_pass.state = PassState.FAILED
    replay_pass.mark = clean_text(
        gettext("A replay call failed and is retried: %(reason)s") % {"reason": decision.reason}
    )
    if client_gave_up:
        replay_pass.page_size = max(1, replay_pass.page_size // 2)
    replay_pass.save()
    return False


def _keep_page(replay_pass: ReplayPass, turn: int, answer: Answer, decision: Decision, keep: Keep) -> Delivery:
    assert decision.split is not None
    replay_pass.stands_for = replay_pass.stands_for or turn
    delivery = Delivery(
        registration=replay_pass.registration,
        source=Source.REPLAY,
        state=DeliveryState.RECEIVED,
        turn=turn,
        stands_for=replay_pass.stands_for,
        page_size=replay_pass.page_size,
        called_at=answer.started_at,
        ended_at=answer.ended_at,
        received_at=timezone.now(),
        http_status=answer.status,
        sha256=hashlib.sha256(answer.body).hexdigest(),
        byte_count=len(answer.body),
        transaction_id=clean_text(decision.split.transaction_id or "", 200),
        answer_stamp=clean_text(decision.split.transaction_timestamp or "", 64),
        notification_count=len(decision.split.items),
        replay_pass=replay_pass,
    )
    store_bytes(delivery.pk, answer.body)
    delivery.save(force_insert=True)
    keep(delivery)
    delivery.refresh_from_db()
    replay_pass.pages += 1
    replay_pass.found += delivery.new_count or 0
    if delivery.state == DeliveryState.PUBLISHED and not delivery.is_needed:
        # Every byte of it stands in the deliveries that brought it first.
        delete_bytes(delivery.pk)
    return delivery


def _advance(replay_pass: ReplayPass, decision: Decision) -> None:
    """Move on to the next page, or end: at stamps past the pass's own start, or where there is nothing to go by."""
    assert decision.split is not None
    stamps = [stamp for stamp in map(_stamp_of, decision.split.items) if stamp]
    step = _step(replay_pass, stamps, len(decision.split.items))
    if step is None:
        _finish(replay_pass, _no_way_on(stamps))
        return
    if step.crowded and not answers_carry_one_stamp(replay_pass.registration):
        _mark_crowded(replay_pass, step, max(stamps))
    replay_pass.cursor, replay_pass.page_size, replay_pass.state = step.cursor, step.size, PassState.RUNNING
    if stamps and _is_past_its_start(replay_pass, max(stamps)):
        _finish(replay_pass)
    else:
        replay_pass.save()


def _step(replay_pass: ReplayPass, stamps: list[datetime], count: int) -> Step | None:
    """A small page without a usable stamp may only be in the way of those behind it."""
    cursor, size = replay_pass.cursor, replay_pass.page_size
    if stamps:
        return next_step(cursor, size, stamps, count)
    return Step(cursor, min(LARGEST_PAGE, size * 2)) if size <= count < LARGEST_PAGE else None


def _is_past_its_start(replay_pass: ReplayPass, stamp: datetime) -> bool:
    """What was pulled after the pass began is in no doubt; D&B's stamps may run a little ahead of its clock."""
    begun, overlap = replay_pass.begun_dnb_time, replay_pass.registration.contract.overlap
    return begun is not None and stamp > begun + overlap


def _no_way_on(stamps: list[datetime]) -> str:
    if stamps:
        return gettext("D&B returned notifications older than requested. The replay ended there.")
    return gettext("No item of a page had a valid deliveryTimeStamp. The replay ended there.")


def _stamp_of(raw: bytes) -> datetime | None:
    try:
        stamp = read_item(raw).delivery_stamp
    except UnreadableItem:
        stamp = delivery_stamp_of(raw)
    return parse_stamp(stamp) if stamp else None


def _mark_crowded(replay_pass: ReplayPass, step: Step, stamp: datetime) -> None:
    replay_pass.mark = gettext(
        "At least %(count)s notifications share the delivery time %(stamp)s. A replay cannot receive more than these."
    ) % {"count": step.size, "stamp": stamp.isoformat()}
    Registration.objects.filter(pk=replay_pass.registration_id).update(replay_mark=replay_pass.mark)


def answers_carry_one_stamp(registration: Registration) -> bool:
    """Whether D&B has stamped each of the recent answers as a whole, so that a page holds all of one."""
    recent = Delivery.objects.filter(
        registration=registration, source=Source.PULL, state=DeliveryState.PUBLISHED, notification_count__gt=1
    )
    keys = list(recent.order_by("-id").values_list("pk", flat=True)[:20])
    stamps = (
        Notification.objects.filter(delivery__in=keys)
        .values_list("delivery_id")
        .annotate(different=Count("delivered_at", distinct=True), first=Min("delivered_at"))
    )
    rows = list(stamps)
    firsts = {first for _, _, first in rows}
    return len(rows) > 1 and all(different == 1 for _, different, _ in rows) and len(firsts) == len(rows)


def _finish(replay_pass: ReplayPass, mark: str = "") -> None:
    replay_pass.state, replay_pass.ended_at = PassState.ENDED, timezone.now()
    replay_pass.mark = mark or replay_pass.mark
    replay_pass.save()
    if mark:
        Registration.objects.filter(pk=replay_pass.registration_id).update(replay_mark=mark)


def mark_recovered(replay_pass: ReplayPass) -> int:
    """Calls are recovered when a pass that began `recovery_delay` after their end, or later, has reached its end."""
    latest = replay_pass.begun_at - replay_pass.registration.contract.recovery_delay
    served = Delivery.objects.filter(
        registration=replay_pass.registration,
        state=DeliveryState.IN_DOUBT,
        ended_at__lte=latest,
        replay_from__gte=replay_pass.replay_from,
    )
    return served.update(state=DeliveryState.RECOVERED, replay_pass=replay_pass)


def audit_is_due(registration: Registration, now: datetime) -> bool:
    """Once a night the last 24 hours are replayed, though nothing is in doubt; while something is, its recovery goes
    first, or the audit would find it and call it lost unnoticed."""
    if registration.last_pulled_at is None or registration.dnb_time is None:
        return False
    if registration.audited_at and now - registration.audited_at < AUDIT_EVERY:
        return False
    return not calls_in_doubt(registration)


def audit(
    registration: Registration,
    lease: RegistrationLease,
    client: DirectPlus,
    *,
    keep: Keep,
    until: datetime | None = None,
) -> RecoveryResult:
    """Replay the last 24 hours; `found` counts what was lost and is now found."""
    assert registration.dnb_time is not None
    running = _unfinished(registration) or begin_pass(registration, Purpose.AUDIT, registration.dnb_time - AUDITED)
    result = run_pass(running, lease, client, keep=keep, until=until)
    if result.ended and running.purpose == Purpose.AUDIT:
        lease.update(audited_at=timezone.now())
    return result
