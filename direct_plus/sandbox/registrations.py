"""Registrations (contract, section 2): the list, the details, suppress and activate, export."""

import json
from typing import Any

from direct_plus.sandbox import errands, spool
from direct_plus.sandbox.answers import Answer
from direct_plus.sandbox.call import Call
from direct_plus.sandbox.clock import blank_stamp, second_stamp
from direct_plus.sandbox.world import World


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
    detail = {**(_detail(world, reference) or default), **fields}
    detail = {name: value for name, value in detail.items() if value is not None}
    world.store.run(
        "INSERT INTO registration (reference, detail, suppressed, state, added) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (reference) DO UPDATE SET detail = excluded.detail, suppressed = excluded.suppressed,"
        " state = excluded.state",
        reference, json.dumps(detail), suppressed, state, now,
    )  # fmt: skip


def _detail(world: World, reference: str) -> dict[str, Any] | None:
    row = world.store.row("SELECT detail FROM registration WHERE reference = ?", reference)
    if row is None:
        return None
    detail: dict[str, Any] = json.loads(row["detail"])
    return detail


def field(world: World, reference: str, name: str) -> Any:
    return (_detail(world, reference) or {}).get(name)


def references(world: World) -> list[str]:
    return [row["reference"] for row in world.store.rows("SELECT reference FROM registration ORDER BY rowid")]


def suppressed(world: World, reference: str) -> bool:
    return bool(world.store.number("SELECT suppressed FROM registration WHERE reference = ?", reference))


def receives_files(world: World, reference: str) -> bool:
    """Whether there is a place to deliver files to: a pull-only registration may have none."""
    return field(world, reference, "destination") is not None


def known(world: World, call: Call) -> None:
    if world.store.row("SELECT 1 FROM registration WHERE reference = ?", call.reference) is None:
        code = world.switches["unknown_reference"]
        raise call.refusal(404, world.switches["empty_code"] if code == "as_empty" else code)


def listing(world: World, call: Call) -> Answer:
    return call.answer(messages={"references": references(world)})


def details(world: World, call: Call) -> Answer:
    known(world, call)
    reference = call.reference or ""
    row = world.store.row("SELECT suppressed, state FROM registration WHERE reference = ?", reference)
    assert row is not None
    messages = {
        "notificationsSuppressed": bool(row["suppressed"]),
        "state": row["state"],
        "registration": {**(_detail(world, reference) or {}), **world.switches["details_extra"]},
    }
    return call.answer(inquiryDetail={"reference": reference}, messages=messages)


def suppress(world: World, call: Call) -> Answer:
    known(world, call)
    set_suppressed(world, call.reference or "", True)
    return _done(world, call)


def activate(world: World, call: Call) -> Answer:
    known(world, call)
    set_suppressed(world, call.reference or "", False)
    return _done(world, call)


def set_suppressed(world: World, reference: str, value: bool) -> None:
    """Activated, a registration delivers what has changed since its seed."""
    with world.store.transaction():
        world.store.run("UPDATE registration SET suppressed = ? WHERE reference = ?", value, reference)
        if not value:
            spool.release_held(world, reference)


def _done(world: World, call: Call) -> Answer:
    status = int(world.switches["suppress_answer"])
    if status == 204:
        return Answer(204)
    return call.inform("21100", "The registration was changed.", status, reference=call.reference)


def export(world: World, call: Call) -> Answer:
    known(world, call)
    errands.add(world, "export", call.reference or "", delay=world.switches["export_delay_seconds"])
    return call.inform("21108", "The request was accepted and is pending.", 202, reference=call.reference)
