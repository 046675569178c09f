"""`deliveryTimeStamp`: whether an answer, an item or a run of items shares one is open, so it is a switch."""

from direct_plus.sandbox.http.request import Call
from direct_plus.sandbox.state.world import World


def next_stamps(world: World, call: Call, count: int) -> list[int]:
    """One stamp for each of so many items, never going back."""
    reference = call.reference or ""
    row = world.store.row("SELECT last_stamp, stamp_run FROM registration WHERE reference = ?", reference)
    if row is None or count == 0:
        return []
    stamps, run = _stamps(world, call, count, row["last_stamp"], row["stamp_run"])
    world.store.run(
        "UPDATE registration SET last_stamp = ?, stamp_run = ? WHERE reference = ?", stamps[-1], run, reference
    )
    return stamps


def _stamps(world: World, call: Call, count: int, last: int, run: int) -> tuple[list[int], int]:
    """The stamps, and how many items by now share the last of them."""
    now = world.clock.now()
    young = abs(now - last) <= world.switches["stamp_share_ms"]
    if call.fault("equal_stamps") and young:
        return [last] * count, run + count
    share = _share(world, call)
    if share is None:
        return [_fresh(world, now, last)] * count, count
    return _run(world, now, count, share, last, run if young else share)


def _share(world: World, call: Call) -> int | None:
    """How many items share a stamp; None for those of one answer."""
    mode = world.switches["stamps"]
    if call.fault("one_stamp") or mode == "answer":
        return None
    return 1 if mode == "item" else max(int(mode), 1)


def _run(world: World, now: int, count: int, share: int, last: int, run: int) -> tuple[list[int], int]:
    stamps: list[int] = []
    for _ in range(count):
        if run >= share:
            last, run = _fresh(world, now, last), 0
        stamps.append(last)
        run += 1
    return stamps, run


def _fresh(world: World, now: int, last: int) -> int:
    """Another stamp than the last, unless that would run too far ahead of the clock."""
    following, ahead = max(now, last + 1), now + round(world.switches["stamp_ahead_ms"])
    if following <= ahead:
        return following
    return last if last <= ahead else now
