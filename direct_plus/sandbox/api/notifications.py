"""Pull and replay (contract, section 3): the destructive call, and the one that repairs it."""

from collections.abc import Callable

from direct_plus.sandbox.api.registrations import known
from direct_plus.sandbox.http.dates import read_stamp
from direct_plus.sandbox.http.request import Call
from direct_plus.sandbox.http.responses import Answer, dump, transaction
from direct_plus.sandbox.state import notification_queue
from direct_plus.sandbox.state.item import Item
from direct_plus.sandbox.state.world import World


def pull(world: World, call: Call) -> Answer:
    known(world, call)
    count = page_size(call)
    items = _way(world, call)(world, call, count)
    if not items:
        return nothing(world, call, world.switches["empty_pull"])
    return _answer(call, _mixed(world, call, items), replay=False)


def replay(world: World, call: Call) -> Answer:
    known(world, call)
    count, start = page_size(call), _start(world, call)
    items = notification_queue.replayed(world, call.reference or "", start, count)
    if not items:
        return nothing(world, call, world.switches["replay_end"])
    return _answer(call, _mixed(world, call, items), replay=True)


def page_size(call: Call) -> int:
    text = call.query.get("maxNotifications", "1")
    if text.isascii() and text.isdigit() and len(text) < 10 and 1 <= int(text) <= 100:
        return int(text)
    raise call.refusal(400, "10002", {"maxNotifications": "must be a number from 1 to 100"})


def _start(world: World, call: Call) -> int:
    start = read_stamp(call.query.get("replayStartTimestamp", ""))
    if start is None:
        raise call.refusal(400, "10002", {"replayStartTimestamp": "must be a time such as 2026-01-05T08:00:00Z"})
    if world.switches["replay_too_old"] == "refuse" and start < world.clock.now() - notification_queue.REPLAYED:
        raise call.refusal(400, "10002", {"replayStartTimestamp": "must not be more than 14 days ago"})
    return start


def _way(world: World, call: Call) -> Callable[[World, Call, int], list[Item]]:
    if call.fault("late_dequeue"):
        return _take_when_gone
    ways = {"start": _take_at_start, "end": _take_at_end, "late": _take_late}
    return ways[world.switches["dequeue"]]


def _page(world: World, call: Call, count: int) -> list[Item]:
    """What waits, and with overlapping pulls that share, first what another one is just being served."""
    if call.era != world.era:
        # a late pull from before a reset must not take what is of the new world
        return []
    reference = call.reference or ""
    shared = world.traffic.under_way(reference)[:count] if world.switches["overlap"] == "share" else []
    items = notification_queue.choose(world, call, count - len(shared))
    world.traffic.claim(call, items)
    return shared + items


def _take(world: World, call: Call, count: int) -> list[Item]:
    """Chosen and dequeued in one transaction: committed before any byte of the answer leaves."""
    with world.store.transaction():
        items = _page(world, call, count)
        notification_queue.dequeue(world, call, items)
    return items


def _take_at_start(world: World, call: Call, count: int) -> list[Item]:
    items = _take(world, call, count)
    world.pause(call)
    return items


def _take_late(world: World, call: Call, count: int) -> list[Item]:
    world.pause(call)
    if call.gone or call.wire.gone():
        world.traffic.left(call)
        world.stopping.wait(world.switches["late_seconds"])
    return _take(world, call, count)


def _take_when_gone(world: World, call: Call, count: int) -> list[Item]:
    """The worst reading: no answer, and the items go only after the client has given up."""
    fault = call.faults["wait"]
    if not world.stay(call, fault.params["hold"]):
        world.stopping.wait(fault.params["seconds"])
    return [] if world.stopping.is_set() else _take(world, call, count)


def _take_at_end(world: World, call: Call, count: int) -> list[Item]:
    """Served first, taken once the answer is out; what a client did not get stays in the queue."""
    world.pause(call)
    with world.store.transaction():
        items = _page(world, call, count)

    def take(complete: bool) -> None:
        if complete:
            notification_queue.dequeue(world, call, items)

    call.afterwards = take
    return items


def _mixed(world: World, call: Call, items: list[Item]) -> list[Item]:
    """What the item faults make of a page."""
    mixed = list(items)
    if duplicate := call.fault("duplicate"):
        mixed += mixed[: duplicate.params["count"]]
    if (again := call.fault("serve_again")) and call.kind == "pull":
        seqs = [item.seq for item in items]
        mixed += notification_queue.last_taken(world, call.reference or "", again.params["count"], but=seqs)
    if call.fault("reorder"):
        world.faults.random.shuffle(mixed)
    return mixed


def _answer(call: Call, items: list[Item], *, replay: bool) -> Answer:
    call.items = [item.seq for item in items]
    detail = dump(transaction(call.now, call.number))
    inquiry = dump({"reference": call.reference})
    notifications = b", ".join(item.served(replay=replay) for item in items)
    body = b'{"transactionDetail": %b, "inquiryDetail": %b, "notifications": [%b]}' % (detail, inquiry, notifications)
    return Answer(200, body)


def nothing(world: World, call: Call, manner: str) -> Answer:
    if manner == "404":
        return call.refusal(404, world.switches["empty_code"]).answer
    inquiry = {"reference": call.reference}
    if manner == "empty_list":
        return call.answer(inquiryDetail=inquiry, notifications=[])
    return call.answer(inquiryDetail=inquiry)
