"""The queue of notifications of each registration: emitted, taken once, replayed for 14 days, lost after 4."""

from collections.abc import Iterable

from direct_plus.sandbox.http.dates import DAY
from direct_plus.sandbox.http.request import Call
from direct_plus.sandbox.state.item import ALWAYS, NEVER, ON_REPLAY, Item
from direct_plus.sandbox.state.timestamps import next_stamps
from direct_plus.sandbox.state.world import World

KEPT = 4 * DAY
REPLAYED = 14 * DAY
ALL = 10**12

WAITING = "reference = ? AND dequeued_at IS NULL AND lost_at IS NULL AND held = 0"


def emit(world: World, reference: str, raws: Iterable[bytes], *, held: bool = False) -> list[int]:
    """Queue these texts; held ones wait for the registration to be activated."""
    now = world.clock.now()
    sql = "INSERT INTO notice (reference, raw, held, queued_at) VALUES (?, ?, ?, ?)"
    with world.store.transaction():
        return [world.store.run(sql, reference, raw, held, now) for raw in raws]


def release_held(world: World, reference: str) -> int:
    now = world.clock.now()
    return world.store.count(
        "UPDATE notice SET held = 0, queued_at = ? WHERE reference = ? AND held = 1", now, reference
    )


def drop_old(world: World) -> int:
    """What was not pulled within four days is lost."""
    return world.store.count(
        "UPDATE notice SET lost_at = queued_at + ?"
        " WHERE dequeued_at IS NULL AND lost_at IS NULL AND held = 0 AND queued_at <= ?",
        KEPT,
        world.clock.now() - KEPT,
    )


def waiting(world: World, reference: str, count: int, *, but: Iterable[int] = ()) -> list[tuple[int, bytes]]:
    """The oldest that wait, except those another pull has a claim on."""
    without = set(but)
    drop_old(world)
    rows = world.store.rows(
        f"SELECT seq, raw FROM notice WHERE {WAITING} ORDER BY seq LIMIT ?", reference, count + len(without)
    )
    return [(row["seq"], row["raw"]) for row in rows if row["seq"] not in without][:count]


def choose(world: World, call: Call, count: int) -> list[Item]:
    """The items of a pull, with their stamps, still in the queue."""
    reference = call.reference or ""
    found = waiting(world, reference, count, but=world.traffic.claimed(reference))
    stamps = next_stamps(world, call, len(found))
    mode = world.switches["item_stamp"]
    return [Item(seq, raw, when, _stamped(mode, seq)) for (seq, raw), when in zip(found, stamps, strict=True)]


def _stamped(mode: str, seq: int) -> int:
    if mode == "some":
        return ALWAYS if seq % 2 else NEVER
    return {"present": ALWAYS, "absent": NEVER, "absent_on_pull": ON_REPLAY}[mode]


def dequeue(world: World, call: Call, items: Iterable[Item]) -> None:
    """From here on a pull does not serve these any more; whoever comes first has taken them."""
    now = world.clock.now()
    sql = "UPDATE notice SET dequeued_at = ?, stamp = ?, stamped = ?, call = ? WHERE seq = ? AND dequeued_at IS NULL"
    with world.store.transaction():
        for item in items:
            if world.store.count(sql, now, item.stamp, item.stamped, call.number, item.seq):
                call.dequeued.append(item.seq)


def taken(world: World, seqs: Iterable[int]) -> list[Item]:
    """Items again that a pull has taken already."""
    rows = [world.store.row("SELECT * FROM notice WHERE seq = ? AND stamp IS NOT NULL", seq) for seq in seqs]
    return [Item(row["seq"], row["raw"], row["stamp"], row["stamped"]) for row in rows if row is not None]


def last_taken(world: World, reference: str, count: int, *, but: Iterable[int]) -> list[Item]:
    rows = world.store.rows(
        "SELECT seq FROM notice WHERE reference = ? AND stamp IS NOT NULL ORDER BY stamp DESC, seq DESC LIMIT ?",
        reference,
        count + 100,
    )
    without = set(but)
    return taken(world, [row["seq"] for row in rows if row["seq"] not in without][:count])


def replayed(world: World, reference: str, start: int, count: int) -> list[Item]:
    """What was taken since the start, oldest delivery first; never older than 14 days."""
    now = world.clock.now()
    sign = ">=" if world.switches["replay_start"] == "inclusive" else ">"
    lag = round(world.switches["replay_lag_seconds"] * 1_000)
    rows = world.store.rows(
        f"SELECT seq, raw, stamp, stamped FROM notice WHERE reference = ? AND stamp {sign} ? AND stamp > ?"
        " AND dequeued_at <= ? ORDER BY stamp, seq LIMIT ?",
        reference,
        start,
        now - REPLAYED,
        now - lag,
        count,
    )
    return [Item(row["seq"], row["raw"], row["stamp"], row["stamped"]) for row in rows]
