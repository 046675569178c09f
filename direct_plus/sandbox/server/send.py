"""Answers become bytes here, and here they are torn, dripped, spoiled or dropped."""

import time
from http.client import responses

from direct_plus.sandbox.http.dates import http_date
from direct_plus.sandbox.http.faults import Fault
from direct_plus.sandbox.http.request import Call
from direct_plus.sandbox.http.responses import Answer
from direct_plus.sandbox.state.world import World

LARGE = 65_536


def send(world: World, call: Call, answer: Answer, *, keep: bool = True) -> bool:
    """Whether the answer left completely. A client that is gone already gets nothing."""
    if call.gone or call.wire.gone():
        world.traffic.left(call)
        call.wire.end()
        return False
    body = _spoiled(call, answer.body)
    return _deliver(world, call, answer, body, keep)


def _deliver(world: World, call: Call, answer: Answer, body: bytes, keep: bool) -> bool:
    fault = call.faults.get("send")
    now = world.clock.now()
    if fault is None:
        return _whole(world, call, head(answer, now, len(body), keep=keep) + body)
    if fault.name == "drip":
        return _dripped(world, call, head(answer, now, len(body), keep=keep) + body, fault)
    _broken(world, call, answer, body, fault)
    return False


def head(answer: Answer, now: int, length: int | None, *, keep: bool) -> bytes:
    lines = [f"HTTP/1.1 {answer.status} {responses.get(answer.status, 'Status')}", f"Date: {http_date(now)}"]
    if answer.status != 204:
        lines.append(f"Content-Type: {answer.content_type}")
        lines += [] if length is None else [f"Content-Length: {length}"]
    lines += [f"{name}: {value}" for name, value in answer.headers]
    if not keep or length is None:
        lines.append("Connection: close")
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def _whole(world: World, call: Call, data: bytes) -> bool:
    """A large answer's last byte is held back until it is noted that the call is over."""
    if len(data) > LARGE and not call.wire.send(data[:-1]):
        return False
    world.traffic.answered(call)
    return call.wire.send(data if len(data) <= LARGE else data[-1:])


def _dripped(world: World, call: Call, data: bytes, fault: Fault) -> bool:
    pieces = max(1, min(int(fault.params["pieces"]), len(data)))
    size = -(-len(data) // pieces)
    for start in range(0, len(data) - size, size):
        if not call.wire.send(data[start : start + size]) or not world.stay(call, fault.params["seconds"] / pieces):
            call.wire.end()
            return False
    rest = (len(data) - 1) // size * size
    return _whole(world, call, data[rest:])


def _broken(world: World, call: Call, answer: Answer, body: bytes, fault: Fault) -> None:
    """Ends before its end: with no byte, short of its Content-Length, or cut clean with no length to tell."""
    if fault.name != "drop":
        length = None if fault.name == "tear_unsized" else len(body)
        part = body[: int(len(body) * fault.params["at"])]
        call.wire.send(head(answer, world.clock.now(), length, keep=False) + part)
        time.sleep(0.01 if fault.params.get("reset") else 0)
    world.traffic.answered(call)
    call.wire.end(reset=bool(fault.params.get("reset")))


def _spoiled(call: Call, body: bytes) -> bytes:
    fault = call.faults.get("body")
    if fault is None:
        return body
    cut = int(len(body) * fault.params["at"])
    return body[:cut] + (b"\0" if fault.name == "nul" else b'<<<"} garbage {[') + body[cut:]
