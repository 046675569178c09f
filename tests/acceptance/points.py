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
from monitoring import (
    alerting,
    dispatching,
    ingesting,
    jobs,
    leasing,
    publishing,
    pulling,
    repairing,
    webhook_reading,
    webhook_sending,
)
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
    "lease taken": Point(leasing, "take_lease"),
    "token asked for": Point(transport._WatchedConnection, "getresponse", before=True, path=TOKEN),
    "token came, not stored": Point(dnb_client.SharedTokens, "put", before=True),
    "details asked for": Point(transport._WatchedConnection, "getresponse", before=True, path=DETAILS),
    "about to announce": Point(pulling, "announce", before=True),
    "announced": Point(pulling, "announce"),
    "pull sent": Point(transport._WatchedConnection, "getresponse", before=True, path=PULL),
    "head of the answer read": Point(transport._Exchange, "_keep_head", path=PULL),
    "body of the answer read": Point(transport._Exchange, "_keep_body", path=PULL),
    "answer there, not stored": Point(DirectPlus, "pull"),
    "bytes stored, state not": Point(pulling, "store_bytes"),
    "state about to be written": Point(pulling, "_conclude", before=True),
    "answer stored": Point(pulling, "store_answer"),
    "time heard": Point(pulling, "hear"),
    "about to read": Point(jobs, "ingest", before=True),
    "companies inserted": Point(ingesting, "_insert_notifications", before=True),
    "amid an insert": Point(QuerySet, "_insert"),
    "rows inserted, not committed": Point(db, "insert_rows"),
    "notifications inserted, changes not": Point(ingesting, "_insert_notifications"),
    "changes inserted": Point(ingesting, "_keep_unreadable", before=True),
    "asked again for the unreadable": Point(ingesting, "_ask_again"),
    "unreadable items kept": Point(ingesting, "_keep_unreadable"),
    "about to project": Point(ingesting, "_bring_companies_up_to_date", before=True),
    "projected, not marked": Point(ingesting, "_mark_ingested", before=True),
    "read, not published": Point(ingesting, "_mark_ingested"),
    "number taken, state not": Point(publishing, "_take_next_number"),
    "published": Point(ingesting, "publish"),
    "abandoned call found": Point(pulling, "recover_abandoned"),
    "pass begun": Point(repairing, "begin_pass"),
    "replay sent": Point(transport._WatchedConnection, "getresponse", before=True, path=REPLAY),
    "replay there, not stored": Point(DirectPlus, "replay"),
    "replay's bytes stored, row not": Point(repairing, "store_bytes"),
    "replay page read, pass not advanced": Point(repairing, "_advance", before=True),
    "pass advanced": Point(repairing, "_advance"),
    "pass ended, doubts not settled": Point(repairing, "settle_doubts", before=True),
    "doubts settled": Point(repairing, "settle_doubts"),
    "next pull about to be planned": Point(pulling, "_plan_next", before=True),
    "lease about to be released": Point(leasing.Lease, "release", before=True),
}
# On the way from a change to those who hear of it.
SENDING = {
    "changes inserted": POINTS["changes inserted"],
    "published": POINTS["published"],
    "about to raise": Point(alerting, "write_alerts", before=True),
    "raised, nobody told": Point(alerting, "tell", before=True),
    "channels told, webhooks not": Point(alerting, "emit_events", before=True),
    "told, mark not moved": Point(alerting, "_move", before=True),
    "changes queued, cursor not moved": Point(webhook_reading, "_move", before=True),
    "message claimed": Point(dispatching, "claim"),
    "webhook answered": Point(webhook_sending, "post"),
    "sent, not marked": Point(dispatching, "_mark_sent", before=True),
    "marked, not committed": Point(dispatching, "_note", before=True),
    "sent and noted": Point(dispatching, "_conclude"),
}
IN_REPLAY = tuple(name for name in POINTS if "replay" in name or "pass" in name or "doubts" in name)


def arm(name: str, passes: int = 1, number: int = signal.SIGKILL) -> None:
    """From now on this process gets the signal when it passes the point for the n-th time."""
    point = {**POINTS, **SENDING}[name]
    setattr(point.owner, point.name, _struck(getattr(point.owner, point.name), point, passes, number))


def _struck(function: Callable[..., Any], point: Point, passes: int, number: int) -> Callable[..., Any]:
    left = passes

    def strike(arguments: tuple[Any, ...]) -> None:
        nonlocal left
        if point.counts(arguments):
            left -= 1
            if left == 0:
                os.kill(os.getpid(), number)

    @wraps(function)
    def wrapped(*arguments: Any, **named: Any) -> Any:
        if point.before:
            strike(arguments)
            return function(*arguments, **named)
        result = function(*arguments, **named)
        strike(arguments)
        return result

    return wrapped
