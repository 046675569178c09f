"""The sending queue as all kinds of targets use it: fair, in order, claimed by one."""

import threading
import time
import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from monitoring.models import MessageState, OutboxMessage, SendAttempt
from monitoring.outbox import queue
from monitoring.outbox.queue import ROUTES, Answer, NotSent, Route, claim, due_targets, enqueue, send_due_messages

pytestmark = pytest.mark.django_db
A, B = uuid.UUID(int=1), uuid.UUID(int=2)
SPACING = (timedelta(seconds=5), timedelta(minutes=5))


class Target:
    """Takes what it is sent, unless told otherwise."""

    def __init__(self) -> None:
        self.got: list[tuple[uuid.UUID, str]] = []
        self.trouble: dict[uuid.UUID, Exception] = {}
        self.slow: dict[uuid.UUID, float] = {}
        self.lock = threading.Lock()

    def send(self, message: OutboxMessage) -> Answer:
        time.sleep(self.slow.get(message.target, 0))
        with self.lock:
            self.got.append((message.target, message.event))
        if trouble := self.trouble.get(message.target):
            raise trouble
        return Answer(200, "ok")


@pytest.fixture
def target(monkeypatch: pytest.MonkeyPatch) -> Iterator[Target]:
    found = Target()
    monkeypatch.setitem(ROUTES, "channel", Route(found.send, SPACING))
    yield found


def queued(target: uuid.UUID, event: str, company: str = "", sequence: int = 0, **columns: Any) -> OutboxMessage:
    row = OutboxMessage(
        id=OutboxMessage.key(target, event),
        kind="channel",
        target=target,
        event=event,
        event_type="x",
        company=company,
        sequence=sequence,
        payload="{}",
        **{"next_try_at": timezone.now(), "created_at": timezone.now(), **columns},
    )
    enqueue([row])
    return row


def run(**more: Any) -> int:
    return send_due_messages(timezone.now() + timedelta(seconds=30), **more)


def test_the_same_message_is_queued_once(target: Target) -> None:
    queued(A, "one")
    queued(A, "one")
    assert run() == 1
    queued(A, "one")
    assert run() == 0


def test_only_one_gets_the_claim(target: Target) -> None:
    row = queued(A, "one")
    first, second = OutboxMessage.objects.get(pk=row.pk), OutboxMessage.objects.get(pk=row.pk)
    assert [claim(first), claim(second)] == [True, False]


def test_a_claim_ends_by_itself(target: Target) -> None:
    row = queued(A, "one")
    claim(row)
    assert run() == 0
    OutboxMessage.objects.update(next_try_at=timezone.now() - timedelta(seconds=1))
    assert run() == 1


def test_a_failed_try_ends_the_turn(target: Target) -> None:
    for number in range(5):
        queued(A, str(number), company=str(number), sequence=number)
    target.trouble[A] = NotSent("no")
    assert run() == 0
    assert len(target.got) == 1


def test_held_messages_count_no_try_and_wait_for_ever(target: Target) -> None:
    row = queued(A, "one")
    target.trouble[A] = NotSent("off", held=True)
    run()
    row.refresh_from_db()
    assert (row.state, row.attempts, row.next_try_at, row.last_error) == ("waiting", 0, None, "off")
    assert due_targets() == []


def test_what_is_final_is_parked_at_once(target: Target) -> None:
    row = queued(A, "one")
    target.trouble[A] = NotSent("never", final=True)
    run()
    row.refresh_from_db()
    assert row.state == MessageState.DEAD


def test_what_nobody_expected_is_tried_again(target: Target) -> None:
    row = queued(A, "one")
    target.trouble[A] = ZeroDivisionError("a library's")
    run()
    row.refresh_from_db()
    assert (row.state, row.attempts) == ("waiting", 1)
    assert SendAttempt.objects.get().error == "Sending failed (ZeroDivisionError)"


def test_however_much_waits_for_one_others_are_seen(target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "MOST_TARGETS", 2)
    for number in range(20):
        queued(A, str(number), next_try_at=timezone.now() - timedelta(hours=1))
    queued(B, "one")
    assert due_targets() == [A, B]


def test_a_slow_target_has_a_turn_of_its_own_length(target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "TURN", timedelta(seconds=0.3))
    target.slow[A] = 0.2
    for number in range(10):
        queued(A, str(number), sequence=number)
    queued(B, "one")
    run(at_once=1)
    assert (B, "one") in target.got
    assert 1 <= sum(one[0] == A for one in target.got) <= 3


@pytest.mark.django_db(transaction=True)
def test_a_dead_target_delays_no_other(target: Target) -> None:
    """Side by side, each in a thread with a connection of its own."""
    dead = [uuid.UUID(int=100 + number) for number in range(3)]
    for one in dead:
        target.slow[one], target.trouble[one] = 1.0, NotSent("no answer")
        queued(one, "x", next_try_at=timezone.now() - timedelta(days=1))
    for number in range(3):
        queued(B, str(number), company="1", sequence=number)
    begun = time.monotonic()
    assert run() == 3
    assert [event for one, event in target.got if one == B] == ["0", "1", "2"]
    assert target.got[0][0] == B, "before the dead ones have even failed"
    assert time.monotonic() - begun < 3
