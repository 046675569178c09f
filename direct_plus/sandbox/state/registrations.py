"""Registrations as the sandbox keeps them."""

from __future__ import annotations

import json
from typing import Any

from direct_plus.sandbox.http.dates import blank_stamp, second_stamp
from direct_plus.sandbox.state import notification_queue
from direct_plus.sandbox.state.world import World


def add(world: World, reference: str, *, suppressed: bool = False, state: str = "CURRENT", **fields: Any) -> None:
    """Create or change a registration; fields are those of the contract's `registration` object."""
    now = world.clock.now()
    default = {
        "reference": reference,
        "destination": {"type": "STP"},
        "productId": "cmptcs",
        "versionId": "v1",
        "email": "a@example.com,b@example.com",
        "seedData": True,
        "fileTransferProfile": "sandboxprofile",
        "description": f"Registration {reference}",
        "createdDate": blank_stamp(now),
        "lastUpdatedDate": second_stamp(now),
        "thresholds": [],
        "orderReason": "6332",
        "deliveryTrigger": "API_PULL",
        "deliveryFrequency": "DAILY",
        "notificationType": "UPDATE",
    }
    detail = {**(detail_of(world, reference) or default), **fields}
    detail = {name: value for name, value in detail.items() if value is not None}
    world.store.run(
        "INSERT INTO registration (reference, detail, suppressed, state, added) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (reference) DO UPDATE SET detail = excluded.detail, suppressed = excluded.suppressed,"
        " state = excluded.state",
        reference, json.dumps(detail), suppressed, state, now,
    )  # fmt: skip


def detail_of(world: World, reference: str) -> dict[str, Any] | None:
    row = world.store.row("SELECT detail FROM registration WHERE reference = ?", reference)
    if row is None:
        return None
    detail: dict[str, Any] = json.loads(row["detail"])
    return detail


def field(world: World, reference: str, name: str) -> Any:
    return (detail_of(world, reference) or {}).get(name)


def references(world: World) -> list[str]:
    return [row["reference"] for row in world.store.rows("SELECT reference FROM registration ORDER BY rowid")]


def suppressed(world: World, reference: str) -> bool:
    return bool(world.store.number("SELECT suppressed FROM registration WHERE reference = ?", reference))


def receives_files(world: World, reference: str) -> bool:
    """Whether there is a place to deliver files to: a pull-only registration may have none."""
    return field(world, reference, "destination") is not None


def set_suppressed(world: World, reference: str, value: bool) -> None:
    """Activated, a registration delivers what has changed since its seed."""
    with world.store.transaction():
        world.store.run("UPDATE registration SET suppressed = ? WHERE reference = ?", value, reference)
        if not value:
            notification_queue.release_held(world, reference)
