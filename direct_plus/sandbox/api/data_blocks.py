"""What is useful beside monitoring (contract, section 6): refresh check, data blocks."""

from urllib.parse import urlencode

from direct_plus.sandbox.api.entitlements import BLOCKS
from direct_plus.sandbox.http.dates import read_stamp
from direct_plus.sandbox.http.request import Call
from direct_plus.sandbox.http.responses import Answer, Refusal
from direct_plus.sandbox.state import companies
from direct_plus.sandbox.state.world import World

# What the key may use, at any level up to the contract's.
ENTITLED = {f"{name}_L{number}_v1" for name, level in BLOCKS for number in range(1, level + 1)}
# Which block holds a member of a document; all others are in the first.
REST = "companyinfo"
BLOCK_OF = {
    "corporateLinkage": "hierarchyconnections",
    "dnbAssessment": "financialstrengthinsight",
    "legalEvents": "eventfilings",
    "significantEvents": "eventfilings",
    "exclusions": "eventfilings",
    "mostSeniorPrincipal": "principalscontacts",
    "mostSeniorPrincipals": "principalscontacts",
    "currentPrincipals": "principalscontacts",
}
NAMED = ("duns", "primaryName", "countryISOAlpha2Code", "dunsControlStatus")


def refresh_check(world: World, call: Call) -> Answer:
    needed = ("productId", "versionId", "referenceDate")
    if missing := {name: "is needed" for name in needed if not call.query.get(name)}:
        raise call.refusal(400, "10002", missing)
    since = read_stamp(call.query["referenceDate"] + "T00:00:00Z")
    if since is None:
        raise call.refusal(400, "10002", {"referenceDate": "must be a date such as 2026-01-05"})
    _transferred(world, call)
    _sound(world, call)
    changed_at = world.store.number("SELECT changed_at FROM company WHERE duns = ?", call.duns)
    changed = {"hasRefreshedData": changed_at >= since}
    is_nested = world.switches["refresh_check_answer"] == "organization"
    said = {"organization": {"duns": call.duns, **changed}} if is_nested else changed
    return call.answer(inquiryDetail={"duns": call.duns, **call.query}, **said)


def blocks(world: World, call: Call) -> Answer:
    """301 for a transferred number, 410 for a deleted one, 403 for blocks that the key may not use."""
    if not call.query.get("blockIDs"):
        raise call.refusal(400, "10002", {"blockIDs": "is needed"})
    asked = call.query["blockIDs"].split(",")
    entitled = [block for block in asked if block in ENTITLED or world.switches["unentitled_blocks"] == "serve"]
    if entitled != asked and (world.switches["unentitled_blocks"] == "refuse" or not entitled):
        raise call.refusal(403, "00004", {"blockIDs": "contains a block that is not in the contract"})
    _transferred(world, call)
    _sound(world, call)
    status = {block: "ok" if block in entitled else "not entitled" for block in asked}
    return call.answer(
        inquiryDetail={"duns": call.duns, "blockIDs": asked},
        organization=_organization(world, call, entitled),
        blockStatus=[{"blockID": block, "status": word} for block, word in status.items()],
    )


def _organization(world: World, call: Call, blocks: list[str]) -> companies.Document:
    """The members that belong to the blocks, and those by which any block names its company."""
    whole = companies.document(world, call.duns or "")
    if world.switches["block_members"] == "all":
        return whole
    asked = {block.partition("_")[0] for block in blocks}
    return {name: value for name, value in whole.items() if name in NAMED or BLOCK_OF.get(name, REST) in asked}


def _transferred(world: World, call: Call) -> None:
    """The number that goes on stands in the address, or in the words of the error."""
    trouble = companies.trouble(world, call.duns or "")
    if trouble is None or trouble[0] != "40003" or not trouble[1]:
        return
    reading = world.switches["transferred_data"]
    if reading == "details":
        raise call.refusal(301, "40003", {"duns": f"was transferred to {trouble[1]}"})
    path = f"/v1/data/duns/{trouble[1]}?{urlencode(call.query)}"
    location = path if reading == "path" else f"https://plus.dnb.com{path}"
    raise Refusal(call.refusal(301, "40003").answer.with_headers(("Location", location)))


def _sound(world: World, call: Call) -> None:
    trouble = companies.trouble(world, call.duns or "")
    if trouble is None:
        return
    status = {"10003": 400, "40002": 410}.get(trouble[0], 404)
    raise call.refusal(status, trouble[0])
