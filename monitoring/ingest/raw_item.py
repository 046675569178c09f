"""The bytes that D&B sent, for people to look at: one item of an answer, indented, every character kept."""

from __future__ import annotations

import re
from collections.abc import Iterator

from core.blobs import load_bytes
from direct_plus.exact_json import parse_json
from monitoring.ingest.parser import items_of
from monitoring.models import Notification

TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+', re.DOTALL)
STEP = "  "


def raw_item(notification: Notification) -> bytes:
    """The very bytes of this notification in the answer that brought it; b"" when they are no longer kept."""
    content = load_bytes(notification.delivery_id)
    items = items_of(notification.delivery, content) if content else []
    return items[notification.position] if notification.position < len(items) else b""


def pretty(raw: bytes | str) -> str:
    """JSON indented, its texts and numbers as they were sent; what is no JSON as it is."""
    text = raw.decode("utf-8", "replace") if isinstance(raw, bytes) else raw
    try:
        parse_json(text)
    except ValueError:
        return text
    return "".join(_indented(TOKEN.findall(text)))


def _indented(tokens: list[str]) -> Iterator[str]:
    depth = 0
    for before, token in zip(["", *tokens], tokens, strict=False):
        if token in "}]":
            depth -= 1
        if _starts_a_line(before, token):
            yield "\n" + STEP * depth
        yield f"{token} " if token == ":" else token
        if token in "{[":
            depth += 1


def _starts_a_line(before: str, token: str) -> bool:
    if token in "}]":
        return before not in ("{", "[")
    return before in ("{", "[", ",")
