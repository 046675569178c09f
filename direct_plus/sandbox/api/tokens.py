"""Tokens, versions 2 and 3 (contract, section 1): issued for a key and secret, good until they expire."""

import base64
import binascii
import json
import secrets
from urllib.parse import parse_qs

from direct_plus.sandbox.http.dates import SECOND
from direct_plus.sandbox.http.request import Call
from direct_plus.sandbox.http.responses import Answer, Refusal, dump
from direct_plus.sandbox.state.world import World


def issue_v2(world: World, call: Call) -> Answer:
    key = consumer_of(world, call)
    if key is None:
        raise call.refusal(401, "00041")
    if _json_grant(call.body) != "client_credentials":
        raise call.refusal(400, "00003", {"grant_type": "must be client_credentials"})
    return Answer(200, dump({"access_token": _new(world, key), "expiresIn": _seconds(world)}))


def issue_v3(world: World, call: Call) -> Answer:
    key = consumer_of(world, call)
    if key is None:
        raise _invalid(401, "The client credentials are not valid")
    if parse_qs(call.body.decode("latin-1")).get("grant_type") != ["client_credentials"]:
        raise _invalid(400, "grant_type must be client_credentials")
    answer = {"access_token": _new(world, key), "expires_in": _seconds(world), "token_type": "Bearer"}
    return Answer(200, dump(answer))


def consumer_of(world: World, call: Call) -> str | None:
    """The key of a Basic header, where its secret is right."""
    scheme, _, given = call.headers.get("Authorization", "").partition(" ")
    try:
        key, _, secret = base64.b64decode(given, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    right = world.credentials.get(key)
    return key if scheme.lower() == "basic" and right is not None and secrets.compare_digest(right, secret) else None


def authorise(world: World, call: Call) -> str:
    """The key behind a call's token; otherwise the call ends with 401."""
    scheme, _, token = call.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise call.refusal(401, "00004")
    row = world.store.row("SELECT consumer, expires_at FROM token WHERE token = ?", token.strip())
    if row is None:
        raise call.refusal(401, world.switches["unknown_token_code"])
    if row["expires_at"] <= world.clock.now():
        raise call.refusal(401, "00040")
    return str(row["consumer"])


def expire_all(world: World) -> int:
    return world.store.count("UPDATE token SET expires_at = ?", world.clock.now())


def _new(world: World, key: str) -> str:
    token = secrets.token_urlsafe(24)
    expires = world.clock.now() + _seconds(world) * SECOND
    world.store.run("INSERT INTO token VALUES (?, ?, ?)", token, key, expires)
    return token


def _seconds(world: World) -> int:
    return int(world.switches["token_seconds"])


def _json_grant(body: bytes) -> object:
    try:
        asked = json.loads(body)
    except ValueError:
        return None
    return asked.get("grant_type") if isinstance(asked, dict) else None


def _invalid(status: int, text: str) -> Refusal:
    return Refusal(Answer(status, dump({"error": "invalid_request", "error_description": text})))
