"""Where a process can be killed, and how: a named place on a notification's way, and its n-th pass.

The program itself knows nothing of these; a process that is to die has the function at that place wrapped.
"""

import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

from django.db.models import QuerySet

from core import db
from direct_plus import transport
from direct_plus.client import DirectPlus
from monitoring import jobs
from monitoring.alerts import evaluate
from monitoring.deliveries import lease
from monitoring.ingest import insert
from monitoring.outbox import queue
from monitoring.pipeline import ingest
from monitoring.publications import sequence
from monitoring.pull import puller
from monitoring.replay import passes as replay_passes
from monitoring.webhooks import enqueue, send
from portfolio import dnb_client


@dataclass(frozen=True)
class Point:
    owner: Any
    name: str
    before: bool = False
    # Of an exchange with D&B: how the addresses end that count.
    path: str = ""

    def counts(self, arguments: tuple[Any, ...]) -> bool:
        return not self.path or _path_of(arguments).endswith(self.path)


def _path_of(arguments: tuple[Any, ...]) -> str:
    exchange = arguments[0] if isinstance(arguments[0], transport._Exchange) else transport._current.exchange
    return exchange._request.url if exchange else ""


# A reference of these tests ends so.
PULL, REPLAY, DETAILS, TOKEN = "/notifications", "/replay", "ACME_LOD_01", "/token"

POINTS = {
    "lease taken": Point(lease, "take_lease"),
    "token asked for": Point(transport._WatchedConnection, "getresponse", before=True, path=TOKEN),
    "token came, not stored": Point(dnb_client.SharedTokens, "put", before=True),
    "details asked for": Point(transport._WatchedConnection, "getresponse", before=True, path=DETAILS),
    "about to announce": Point(puller, "announce", before=True),
    "announced": Point(puller, "announce"),
    "pull sent": Point(transport._WatchedConnection, "getresponse", before=True, path=PULL),
    "head of the answer read": Point(transport._Exchange, "_keep_head", path=PULL),
    "body of the answer read": Point(transport._Exchange, "_keep_body", path=PULL),
    "answer there, not stored": Point(DirectPlus, "pull"),
    "bytes stored, state not": Point(puller, "store_bytes"),
    "state about to be written": Point(puller, "_conclude", before=True),
    "answer stored": Point(puller, "store_answer"),
    "D&B time noted": Point(puller, "note_dnb_time"),
    "about to read": Point(jobs, "ingest", before=True),
    "companies inserted": Point(insert, "_insert_notifications", before=True),
    "amid an insert": Point(QuerySet, "_insert"),
    "rows inserted, not committed": Point(db, "insert_rows"),
    "notifications inserted, changes not": Point(insert, "_insert_notifications"),
    "changes inserted": Point(insert, "_keep_unreadable", before=True),
    "asked again for the unreadable": Point(insert, "_ask_again"),
    "unreadable items kept": Point(insert, "_keep_unreadable"),
    "about to project": Point(ingest, "_bring_companies_up_to_date", before=True),
    "projected, not marked": Point(ingest, "_mark_ingested", before=True),
    "read, not published": Point(ingest, "_mark_ingested"),
    "number taken, state not": Point(sequence, "_take_next_sequences"),
    "published": Point(ingest, "publish"),
    "published and committed": Point(jobs, "ingest"),
    "abandoned call found": Point(puller, "recover_abandoned"),
    "pass begun": Point(replay_passes, "begin_pass"),
    "replay sent": Point(transport._WatchedConnection, "getresponse", before=True, path=REPLAY),
    "replay there, not stored": Point(DirectPlus, "replay"),
    "replay's bytes stored, row not": Point(replay_passes, "store_bytes"),
    "replay page read, pass not advanced": Point(replay_passes, "_advance", before=True),
    "pass advanced": Point(replay_passes, "_advance"),
    "pass ended, doubts not settled": Point(replay_passes, "mark_recovered", before=True),
    "doubts settled": Point(replay_passes, "mark_recovered"),
    "next pull about to be planned": Point(puller, "_plan_next", before=True),
    "lease about to be released": Point(lease.RegistrationLease, "release", before=True),
}
# On the way from a change to those who hear of it.
SENDING = {
    "changes inserted": POINTS["changes inserted"],
    "published": POINTS["published"],
    "about to raise": Point(evaluate, "write_alerts", before=True),
    "raised, nobody notified": Point(evaluate, "notify", before=True),
    "channels told, webhooks not": Point(evaluate, "emit_events", before=True),
    "told, mark not moved": Point(evaluate, "_move", before=True),
    "changes queued, cursor not moved": Point(enqueue, "_move", before=True),
    "message claimed": Point(queue, "claim"),
    "webhook answered": Point(send, "post"),
    "sent, not marked": Point(queue, "_mark_sent", before=True),
    "marked, not committed": Point(queue, "_note", before=True),
    "sent and noted": Point(queue, "_conclude"),
}
IN_REPLAY = tuple(name for name in POINTS if "replay" in name or "pass" in name or "in_doubt" in name)


def arm(name: str, passes: int = 1, sequence: int = signal.SIGKILL) -> None:
    """From now on this process gets the signal when it passes the point for the n-th time."""
    point = {**POINTS, **SENDING}[name]
    setattr(point.owner, point.name, _struck(getattr(point.owner, point.name), point, passes, sequence))


def _struck(function: Callable[..., Any], point: Point, passes: int, sequence: int) -> Callable[..., Any]:
    left = passes

    def strike(arguments: tuple[Any, ...]) -> None:
        nonlocal left
        if point.counts(arguments):
            left -= 1
            if left == 0:
                os.kill(os.getpid(), sequence)

    @wraps(function)
    def wrapped(*arguments: Any, **named: Any) -> Any:
        if point.before:
            strike(arguments)
            return function(*arguments, **named)
        result = function(*arguments, **named)
        strike(arguments)
        return result

    return wrapped
