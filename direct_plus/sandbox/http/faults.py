"""Faults: what goes wrong on purpose, how often, and on which calls."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Kind:
    """A fault acts at one stage of a call: `reply`, `wait`, `items`, `stamp`, `body` or `send`."""

    stage: str
    defaults: dict[str, Any]
    about: str


def _reply(
    status: int, code: str | None, about: str, *, dequeue: bool = False, shape: str = "envelope", **more: Any
) -> Kind:
    params = {"status": status, "code": code, "shape": shape, "dequeue": dequeue, "retry_after": None, **more}
    return Kind("reply", params, about)


KINDS: dict[str, Kind] = {
    "http_error": _reply(500, "00002", "any status, code and shape (envelope, fault, string, html, empty)"),
    "server_error": _reply(503, "00034", "5xx; with dequeue=True the items are removed from the queue anyway"),
    "too_many": _reply(429, "00045", "429, with Retry-After if retry_after is given"),
    "quota": _reply(429, "00050", "the quota is used up"),
    "expired_token": _reply(401, "00040", "the token is reported as expired"),
    "not_authorised": _reply(401, "00041", "the token is refused"),
    "redirect": _reply(302, None, "3xx to `location`", shape="empty", location="https://plus.dnb.com/maintenance"),
    "gateway_html": _reply(200, None, "a gateway's page with status 200", shape="html", dequeue=True),
    "replay_refused": _reply(400, "10002", "replay is refused, always unless `times` is given"),
    "delay": Kind("wait", {"seconds": 1.0}, "the response is delayed"),
    "late_dequeue": Kind(
        "wait",
        {"seconds": 1.0, "hold": 60.0},
        "no response; items are dequeued `seconds` after the client disconnected",
    ),
    "duplicate": Kind("items", {"count": 1}, "items are repeated in the response"),
    "serve_again": Kind("items", {"count": 1}, "a pull also returns items that an earlier pull dequeued"),
    "reorder": Kind("items", {}, "the items are in another order"),
    "one_stamp": Kind("stamp", {}, "all items of the response have one deliveryTimeStamp"),
    "equal_stamps": Kind("stamp", {}, "the response has the deliveryTimeStamp of the previous one"),
    "garbage": Kind("body", {"at": 0.5}, "invalid data in the middle of the body"),
    "nul": Kind("body", {"at": 0.5}, "a NUL byte in the middle of the body"),
    "drop": Kind("send", {"reset": False}, "the connection closes before any byte, after the items were dequeued"),
    "tear": Kind("send", {"at": 0.5, "reset": False}, "the body ends early, though it has a Content-Length"),
    "tear_unsized": Kind("send", {"at": 0.5}, "the body ends early and cleanly, without a Content-Length"),
    "drip": Kind("send", {"seconds": 2.0, "pieces": 20}, "headers and body arrive in pieces"),
}
GROUPS = {"subjects": ("subject", "batch"), "notifications": ("pull", "replay")}


class BadFault(ValueError):
    """An unknown fault, or a parameter it does not take."""


@dataclass
class Fault:
    number: int
    name: str
    on: str
    reference: str | None
    times: int | None
    after: int
    probability: float
    params: dict[str, Any] = field(default_factory=dict)

    @property
    def stage(self) -> str:
        return KINDS[self.name].stage

    def meets(self, kind: str, reference: str | None) -> bool:
        if self.times == 0 or (self.reference is not None and self.reference != reference):
            return False
        return self.on in ("any", kind) or kind in GROUPS.get(self.on, ())
