"""The control API under /sandbox/: JSON in, JSON out, no key; it answers to this machine only."""

import inspect
import json
from typing import Any

# imported for the verbs they register
from direct_plus.sandbox.control import commands, commands_read
from direct_plus.sandbox.control.registry import VERBS
from direct_plus.sandbox.http.request import json_object
from direct_plus.sandbox.http.responses import Answer
from direct_plus.sandbox.state.world import World

__all__ = ["answer", "commands_read", "commands"]
HOSTS = ("127.0.0.1", "localhost")


def answer(world: World, method: str, host: str, path: str, body: bytes) -> Answer:
    """A page in a browser must not reach this by a name of its own, hence the look at the host."""
    name = path.removeprefix("/sandbox").strip("/")
    if host not in HOSTS:
        return _plain(403, {"error": "the control API accepts requests from 127.0.0.1 only"})
    if not name:
        return _plain(200, {name: inspect.getdoc(function) for name, function in VERBS.items()})
    if name not in VERBS:
        return _plain(404, {"error": f"unknown command: {name}"})
    try:
        return _plain(200, VERBS[name](world, **json_object(body)))
    except (TypeError, ValueError, KeyError) as wrong:
        return _plain(400, {"error": f"{type(wrong).__name__}: {wrong}"})


def _plain(status: int, value: Any) -> Answer:
    """ASCII only, so that bytes which are no UTF-8 pass as lone surrogates."""
    return Answer(status, json.dumps(value).encode("ascii"))
