"""The D-U-N-S of a registration (contract, section 4), by both path families, one by one and in batches."""

from direct_plus.sandbox.api.registrations import activate, known
from direct_plus.sandbox.http import multipart
from direct_plus.sandbox.http.request import Call, json_object
from direct_plus.sandbox.http.responses import Answer, message
from direct_plus.sandbox.state import background_tasks, companies, membership
from direct_plus.sandbox.state.world import World

STATUS = {"10003": 400, "10001": 404, "40002": 410, "40003": 400}


def add_one(world: World, call: Call) -> Answer:
    duns = _number(world, call)
    trouble = companies.trouble(world, duns)
    if trouble is not None:
        code, retained = trouble
        raise call.refusal(STATUS.get(code, 400), code, {"duns": retained} if retained else None)
    customer = json_object(call.body).get("customerReference")
    with world.store.transaction():
        added = membership.join(world, call.reference or "", [duns], str(customer) if customer is not None else None)
    return _said(call, "21113") if added else _already(world, call, "21012")


def remove_one(world: World, call: Call) -> Answer:
    """What is pending is still delivered: the queue is not touched."""
    duns = _number(world, call)
    removed = membership.leave(world, call.reference or "", [duns])
    return _said(call, "21114") if removed else _already(world, call, "21005")


def check_one(world: World, call: Call) -> Answer:
    duns = _number(world, call)
    if membership.listed(world, call.reference or "", duns):
        return _said(call, "21110")
    raise call.refusal(404, "10001")


def change_many(world: World, call: Call) -> Answer:
    return _batches(world, call, {"addSubjectIDs": "add", "removeSubjectIDs": "remove"})


def add_many_old(world: World, call: Call) -> Answer:
    return _batches(world, call, {"duns": "add"})


def remove_many_old(world: World, call: Call) -> Answer:
    return _batches(world, call, {"duns": "remove"})


def bare_delete(world: World, call: Call) -> Answer:
    """One partner table prints this for activate; what it really does is anybody's guess."""
    known(world, call)
    manner = world.switches["bare_delete"]
    if manner == "activate":
        return activate(world, call)
    if manner == "refuse":
        raise call.refusal(400, "00008")
    membership.leave(world, call.reference or "", membership.members(world, call.reference or ""))
    return _said(call, "21114")


def _batches(world: World, call: Call, actions: dict[str, str]) -> Answer:
    known(world, call)
    given = multipart.parts(call.headers.get("Content-Type", ""), call.body)
    wanted = {action: given[name] for name, action in actions.items() if name in given}
    if not wanted:
        raise call.refusal(400, "10002", dict.fromkeys(actions, "a multipart part of this name is needed"))
    for action, content in wanted.items():
        _queue(world, call, action, content)
    return call.inform("21108", message("21108"), 202, reference=call.reference)


def _queue(world: World, call: Call, action: str, content: bytes) -> None:
    try:
        lines = multipart.lines(content)
    except ValueError as unreadable:
        raise call.refusal(400, "10002", {"file": "must be a text or a zip of a text"}) from unreadable
    if len(lines) > membership.MOST_LINES:
        raise call.refusal(400, "10002", {"file": "must not have more than 1,000,000 lines"})
    delay = world.switches["batch_delay_seconds"]
    background_tasks.add(world, action, call.reference or "", "\n".join(lines), delay=delay)


def _number(world: World, call: Call) -> str:
    known(world, call)
    duns = call.duns or ""
    if not companies.NINE_DIGITS.fullmatch(duns):
        raise call.refusal(400, "10003", {"duns": "must have nine digits"})
    return duns


def _said(call: Call, code: str) -> Answer:
    return call.inform(code, message(code), reference=call.reference, duns=call.duns)


def _already(world: World, call: Call, code: str) -> Answer:
    if world.switches["already_listed"] == "information":
        return _said(call, code)
    raise call.refusal(400 if code == "21012" else 404, code)
