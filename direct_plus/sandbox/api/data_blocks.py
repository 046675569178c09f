"""What is useful beside monitoring (contract, section 6): refresh check, data blocks."""

from urllib.parse import urlencode

from direct_plus.sandbox.http.dates import read_stamp
from direct_plus.sandbox.http.request import Call
from direct_plus.sandbox.http.responses import Answer
from direct_plus.sandbox.state import companies
from direct_plus.sandbox.state.world import World


def refresh_check(world: World, call: Call) -> Answer:
    needed = ("productId", "versionId", "referenceDate")
    if missing := {name: "is needed" for name in needed if not call.query.get(name)}:
        raise call.refusal(400, "10002", missing)
    since = read_stamp(call.query["referenceDate"] + "T00:00:00Z")
    if since is None:
        raise call.refusal(400, "10002", {"referenceDate": "must be a date such as 2026-01-05"})
    _sound(world, call)
    changed = world.store.number("SELECT changed_at FROM company WHERE duns = ?", call.duns)
    return call.answer(inquiryDetail={"duns": call.duns, **call.query}, hasRefreshedData=changed >= since)


def blocks(world: World, call: Call) -> Answer:
    """301 for a transferred number, 410 for a deleted one."""
    if not call.query.get("blockIDs"):
        raise call.refusal(400, "10002", {"blockIDs": "is needed"})
    trouble = companies.trouble(world, call.duns or "")
    if trouble is not None and trouble[0] == "40003" and trouble[1]:
        location = f"/v1/data/duns/{trouble[1]}?{urlencode(call.query)}"
        return call.refusal(301, "40003").answer.with_headers(("Location", location))
    _sound(world, call)
    asked = call.query["blockIDs"].split(",")
    statuses = [{"blockID": block, "status": "ok"} for block in asked]
    return call.answer(
        inquiryDetail={"duns": call.duns, "blockIDs": asked},
        organization=companies.document(world, call.duns or ""),
        blockStatus=statuses,
    )


def _sound(world: World, call: Call) -> None:
    trouble = companies.trouble(world, call.duns or "")
    if trouble is None:
        return
    status = {"10003": 400, "40002": 410}.get(trouble[0], 404)
    raise call.refusal(status, trouble[0])
