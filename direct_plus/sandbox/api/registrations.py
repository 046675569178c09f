"""Registrations (contract, section 2): the list, the details, suppress and activate, export."""

from __future__ import annotations

from direct_plus.sandbox.http.request import Call
from direct_plus.sandbox.http.responses import Answer
from direct_plus.sandbox.state import background_tasks
from direct_plus.sandbox.state.registrations import detail_of, references, set_suppressed
from direct_plus.sandbox.state.world import World


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
        "registration": {**(detail_of(world, reference) or {}), **world.switches["details_extra"]},
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


def _done(world: World, call: Call) -> Answer:
    status = int(world.switches["suppress_answer"])
    if status == 204:
        return Answer(204)
    return call.inform("21100", "The registration was changed.", status, reference=call.reference)


def export(world: World, call: Call) -> Answer:
    known(world, call)
    background_tasks.add(world, "export", call.reference or "", delay=world.switches["export_delay_seconds"])
    return call.inform("21108", "The request was accepted and is pending.", 202, reference=call.reference)
