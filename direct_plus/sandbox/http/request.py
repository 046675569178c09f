"""One call of a client, from its first line to its last byte."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from email.message import Message
from time import monotonic, time
from typing import Any

from direct_plus.sandbox.http.connection import Wire
from direct_plus.sandbox.http.faults import Fault
from direct_plus.sandbox.http.responses import Answer, Refusal, envelope, error


@dataclass
class Call:
    wire: Wire
    method: str
    path: str
    query: dict[str, str]
    headers: Message
    body: bytes
    now: int
    era: int = 0
    kind: str = "other"
    reference: str | None = None
    duns: str | None = None
    number: int = 0
    consumer: str | None = None
    faults: dict[str, Fault] = field(default_factory=dict)
    items: list[int] = field(default_factory=list)
    dequeued: list[int] = field(default_factory=list)
    gone: bool = False
    live: bool = False
    paused: bool = False
    afterwards: Callable[[bool], None] | None = None
    received_wall: float = field(default_factory=time)
    received_monotonic: float = field(default_factory=monotonic)

    def fault(self, name: str) -> Fault | None:
        return next((fault for fault in self.faults.values() if fault.name == name), None)

    def answer(self, status: int = 200, **members: Any) -> Answer:
        return envelope(self.now, self.number, status, **members)

    def inform(self, code: str, text: str, status: int = 200, **inquiry: object) -> Answer:
        information = {"code": code, "message": text}
        answer = envelope(self.now, self.number, status, code, inquiryDetail=inquiry, information=information)
        return answer

    def refusal(self, status: int, code: str | None, details: dict[str, str] | None = None) -> Refusal:
        return Refusal(error(self.now, self.number, status, code, details))


def json_object(body: bytes) -> dict[str, Any]:
    """The JSON object of a body; empty where there is none."""
    try:
        value = json.loads(body)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
