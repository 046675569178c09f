"""The way of one call: recognised, recorded, limited, let fail or answered, sent."""

from direct_plus.sandbox.api import tokens
from direct_plus.sandbox.http.request import Call
from direct_plus.sandbox.http.responses import Answer, Refusal, shaped
from direct_plus.sandbox.server import routes, send
from direct_plus.sandbox.state.world import World


def serve(world: World, call: Call, *, keep: bool = True) -> bool:
    """Whether the connection can serve another call."""
    handler = routes.find(call)
    world.traffic.begin(call)
    answer: Answer | None = None
    complete = False
    try:
        call.faults = world.faults.draw(call.kind, call.reference)
        answer = _answer(world, call, handler)
        world.pause(call)
        complete = not world.stopping.is_set() and send.send(world, call, answer, keep=keep)
        if call.afterwards is not None:
            call.afterwards(complete)
    finally:
        world.traffic.end(call, answer, complete)
    return complete and call.wire.usable


def _answer(world: World, call: Call, handler: routes.Handler) -> Answer:
    try:
        _admit(world, call)
        fault = call.faults.get("reply")
        if fault is None:
            return handler(world, call)
        if fault.params["dequeue"]:
            _ignored(world, call, handler)
        return _replied(call)
    except Refusal as refusal:
        return refusal.answer


def _admit(world: World, call: Call) -> None:
    token_call = call.kind == "token"
    call.consumer = tokens.consumer_of(world, call) if token_call else tokens.authorise(world, call)
    if call.consumer is None or (token_call and not world.switches["count_token_calls"]):
        return
    if not world.limiter.admits(call.consumer, world.switches["calls_per_second"]):
        raise call.refusal(429, "00045")


def _ignored(world: World, call: Call, handler: routes.Handler) -> None:
    """The work is done and its answer lost: what a 5xx after dequeuing looks like."""
    try:
        handler(world, call)
    except Refusal:
        return


def _replied(call: Call) -> Answer:
    params = call.faults["reply"].params
    answer = shaped(call.now, call.number, params["status"], params["code"], params["shape"])
    if params["retry_after"] is not None:
        answer = answer.with_headers(("Retry-After", str(params["retry_after"])))
    if params.get("location"):
        answer = answer.with_headers(("Location", params["location"]))
    return answer
