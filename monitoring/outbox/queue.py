"""The sending queue: what is due goes to its target, every try is noted, and nothing is marked sent before it was.

A target's messages go in their order; those about one company never overtake each other. A target that fails is left
alone until its next try, and delays no other. How a kind of target is reached is said by its `Route`.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import Min, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext

from core.db import clean_text, insert_new
from core.jobs import repeat_when_locked
from monitoring.models import MessageState, OutboxMessage, SendAttempt
from monitoring.outbox.failing import RETRYING

logger = logging.getLogger(__name__)
# Longer than one try may last: who is killed in it leaves it to others after this.
CLAIM = timedelta(seconds=120)
BATCH = 200
SHOWN = 2_000
MOST_TARGETS = 200
# A target that is slow, however much waits for it, lets the others have their turn.
TURN = timedelta(seconds=20)
TARGETS_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Answer:
    """The target took it. `status` and `text` are for the log."""

    status: int | None = None
    text: str = ""


class NotSent(Exception):
    """The target did not take it: to be tried again, after `retry_after` if it said so; or never, if `final`.

    `held` keeps it, and counts no try, until somebody lets the target's messages go on. `cancels`: the target is gone.
    """

    def __init__(
        self,
        reason: str,
        *,
        status: int | None = None,
        text: str = "",
        retry_after: timedelta | None = None,
        final: bool = False,
        held: bool = False,
        cancels: bool = False,
    ) -> None:
        super().__init__(reason)
        self.status = status
        self.text = text
        self.retry_after = retry_after
        self.final = final
        self.held = held
        self.cancels = cancels


@dataclass(frozen=True, slots=True)
class Tried:
    """How one try went."""

    at: datetime
    duration_ms: int
    outcome: Answer | NotSent

    @property
    def is_sent(self) -> bool:
        return isinstance(self.outcome, Answer)

    @property
    def is_over(self) -> bool:
        """Whether the messages behind it need not wait: one that is cancelled says nothing about the target."""
        return isinstance(self.outcome, Answer) or self.outcome.cancels


@dataclass(frozen=True, slots=True)
class Route:
    """How a kind of target is reached, and how long after each failed try the next one comes."""

    send: Callable[[OutboxMessage], Answer]
    spacing: tuple[timedelta, ...]


ROUTES: dict[str, Route] = {}


def enqueue(rows: Iterable[OutboxMessage]) -> list[OutboxMessage]:
    """Put them into the queue; what is there already, sent or not, stays as it is."""
    return insert_new(OutboxMessage, list(rows))


def send_due_messages(until: datetime, *, at_once: int = TARGETS_AT_ONCE) -> int:
    """Send what is due, several targets at a time; returns how many messages were sent."""
    targets = due_targets()
    if len(targets) < 2 or at_once < 2:
        return sum(send_to(target, until) for target in targets)
    with ThreadPoolExecutor(min(at_once, len(targets))) as pool:
        return sum(pool.map(lambda target: _in_thread(target, until), targets))


def _in_thread(target: uuid.UUID, until: datetime) -> int:
    try:
        return send_to(target, until)
    finally:
        connection.close()


def due_targets() -> list[uuid.UUID]:
    """Targets with something due, those that waited longest first, however much waits for one of them."""
    due = OutboxMessage.objects.filter(state=MessageState.WAITING, next_try_at__lte=timezone.now())
    rows = due.order_by().values("target").annotate(first=Min("next_try_at")).order_by("first")
    return [row["target"] for row in rows[:MOST_TARGETS]]


def send_to(target: uuid.UUID, until: datetime) -> int:
    """Send one target what is due for it, in order, until a try fails or its turn ends; returns how many were sent."""
    until = min(until, timezone.now() + TURN)
    due = _sendable(target)
    message = _claim_next(due, until)
    sent = 0
    while message:
        tried = _try(message)
        sent += tried.is_sent
        message = repeat_when_locked(_conclude, message, tried, due, until)
    return sent


def _conclude(
    message: OutboxMessage, tried: Tried, due: Iterator[OutboxMessage], until: datetime
) -> OutboxMessage | None:
    """Note how it went and claim the next one, at the price of one commit; None when the turn is over."""
    with transaction.atomic():
        _write_down(message, tried)
        return _claim_next(due, until) if tried.is_over else None


def _claim_next(due: Iterator[OutboxMessage], until: datetime) -> OutboxMessage | None:
    """None also where somebody else has claimed it: they are sending to this target, and in order."""
    message = next(due, None) if timezone.now() < until else None
    return message if message and claim(message) else None


def _sendable(target: uuid.UUID) -> Iterator[OutboxMessage]:
    """What is due, without what must wait for an earlier message about the same company."""
    held: set[str] = set()
    for message in _waiting(target):
        is_due = message.next_try_at is not None and message.next_try_at <= timezone.now()
        if is_due and message.company not in held:
            yield message
        elif message.company:
            held.add(message.company)


def _waiting(target: uuid.UUID) -> Iterator[OutboxMessage]:
    rows = OutboxMessage.objects.filter(target=target, state=MessageState.WAITING).order_by("sequence", "id")
    batch = list(rows[:BATCH])
    while batch:
        yield from batch
        last = batch[-1]
        further = rows.filter(sequence__gte=last.sequence)
        batch = list(further.filter(Q(sequence__gt=last.sequence) | Q(id__gt=last.pk))[:BATCH])


def claim(message: OutboxMessage) -> bool:
    """Make it ours for one try: whoever moves its time first may send it."""
    until = timezone.now() + CLAIM
    unclaimed = OutboxMessage.objects.filter(
        pk=message.pk, state=MessageState.WAITING, next_try_at=message.next_try_at, attempts=message.attempts
    )
    if not unclaimed.update(next_try_at=until):
        return False
    message.next_try_at = until
    return True


def attempt(message: OutboxMessage) -> None:
    """Send it once and note how it went."""
    tried = _try(message)
    with transaction.atomic():
        _write_down(message, tried)


def _try(message: OutboxMessage) -> Tried:
    begun = time.monotonic()
    at = timezone.now()
    outcome = _outcome(message)
    return Tried(at, int((time.monotonic() - begun) * 1000), outcome)


def _outcome(message: OutboxMessage) -> Answer | NotSent:
    try:
        return ROUTES[message.kind].send(message)
    except NotSent as error:
        return error
    except Exception as error:  # noqa: BLE001
        # What a library did not expect may be different the next time, and the other messages go on.
        logger.warning("message %s failed: %s", message.pk, type(error).__name__)
        return NotSent(gettext("Sending failed (%(error)s)") % {"error": type(error).__name__})


def _write_down(message: OutboxMessage, tried: Tried) -> None:
    """Both rows in the transaction of the caller, as far as the database has any."""
    if isinstance(tried.outcome, Answer):
        _mark_sent(message)
    else:
        _put_off(message, tried.outcome)
    _note(message, tried)


def _mark_sent(message: OutboxMessage) -> None:
    OutboxMessage.objects.filter(pk=message.pk).update(
        state=MessageState.SENT, sent_at=timezone.now(), attempts=message.attempts + 1, last_error=""
    )


def _put_off(message: OutboxMessage, error: NotSent) -> None:
    """Later, or dead when its attempts are used up: then the messages behind it go on."""
    waiting = OutboxMessage.objects.filter(pk=message.pk, state=MessageState.WAITING)
    if error.held:
        waiting.update(next_try_at=None, last_error=clean_text(str(error)))
        return
    tries = message.attempts + 1
    spacing = ROUTES[message.kind].spacing
    is_over = error.final or error.cancels or tries > len(spacing)
    wait = timedelta(0) if is_over else max(spacing[tries - 1], error.retry_after or timedelta(0))
    waiting.update(
        state=_state_after(error, is_over=is_over),
        next_try_at=None if is_over else timezone.now() + wait,
        attempts=tries,
        last_error=clean_text(str(error)),
    )


def _state_after(error: NotSent, *, is_over: bool) -> MessageState:
    if error.cancels:
        return MessageState.CANCELLED
    return MessageState.DEAD if is_over else MessageState.WAITING


def _note(message: OutboxMessage, tried: Tried) -> None:
    error = "" if isinstance(tried.outcome, Answer) else str(tried.outcome)
    SendAttempt.objects.create(
        message=message,
        at=tried.at,
        duration_ms=tried.duration_ms,
        status=tried.outcome.status,
        response=clean_text(tried.outcome.text, SHOWN),
        error=clean_text(error),
    )


def send_again(messages: QuerySet[OutboxMessage]) -> int:
    """Let dead, cancelled or sent ones go out again, and retried ones now, under the same id; returns how many."""
    now = timezone.now()
    sooner = messages.filter(RETRYING, next_try_at__gt=now).update(next_try_at=now)
    again = messages.exclude(state=MessageState.WAITING)
    return sooner + again.update(state=MessageState.WAITING, attempts=0, next_try_at=now, sent_at=None)
