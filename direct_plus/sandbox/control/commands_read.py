"""The control verbs that tell what was: the ledger, the calls, who is connected."""

from typing import Any

from direct_plus.sandbox.control.registry import verb
from direct_plus.sandbox.http import dates
from direct_plus.sandbox.state import background_tasks, notification_queue
from direct_plus.sandbox.state.item import Item
from direct_plus.sandbox.state.world import World

PAGE_BYTES = 8_000_000


@verb
def ledger(world: World, reference: str | None = None, since: int = 0) -> dict[str, Any]:
    """A page of what was emitted, after a sequence number."""
    world.traffic.settle()
    notification_queue.drop_old(world)
    rows = world.store.rows(
        "SELECT * FROM notice WHERE seq > ? AND reference = coalesce(?, reference) ORDER BY seq LIMIT 2000",
        since,
        reference,
    )
    entries, size = [], 0
    for row in rows:
        entries.append(_entry(row))
        size += len(row["raw"])
        if size > PAGE_BYTES:
            break
    return {"entries": entries, "more": len(entries) < len(rows) or len(rows) == 2000}


def _entry(row: Any) -> dict[str, Any]:
    served = row["raw"]
    if row["stamp"] is not None:
        served = Item(row["seq"], row["raw"], row["stamp"], row["stamped"]).served()
    return {
        "seq": row["seq"],
        "reference": row["reference"],
        "raw": served.decode("utf-8", "surrogateescape"),
        "held": bool(row["held"]),
        "deliveryTimeStamp": None if row["stamp"] is None else dates.stamp(row["stamp"]),
        **{name: row[name] for name in ("queued_at", "dequeued_at", "lost_at", "call", "file")},
    }


@verb
def calls(world: World, since: int = 0) -> list[dict[str, Any]]:
    """A page of the calls after a number."""
    world.traffic.settle()
    return world.traffic.calls(since, 5_000)


@verb
def live_clients(world: World, reference: str) -> dict[str, int]:
    """Pulls under way whose client is there, and the most there ever were."""
    most = world.store.number("SELECT most_pulls FROM registration WHERE reference = ?", reference)
    return {"now": world.traffic.live(reference), "most": most}


@verb
def activity(world: World) -> dict[str, int]:
    """Calls being worked on, and errands that are due."""
    return {"calls": world.traffic.working(), "errands": background_tasks.due(world)}
