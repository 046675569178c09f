"""What is useful beside monitoring (contract, section 6): refresh check, data blocks, search."""

from difflib import SequenceMatcher
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


def cleanse_match(world: World, call: Call) -> Answer:
    name, country = call.query.get("name", ""), call.query.get("countryISOAlpha2Code", "")
    if missing := {key: "is needed" for key in ("name", "countryISOAlpha2Code") if not call.query.get(key)}:
        raise call.refusal(400, "10002", missing)
    candidates = _candidates(world, name, country)
    if not candidates:
        raise call.refusal(404, "10001")
    return call.answer(
        inquiryDetail={"name": name, "countryISOAlpha2Code": country},
        candidatesMatchedQuantity=len(candidates),
        matchCandidates=candidates,
    )


def _sound(world: World, call: Call) -> None:
    trouble = companies.trouble(world, call.duns or "")
    if trouble is None:
        return
    status = {"10003": 400, "40002": 410}.get(trouble[0], 404)
    raise call.refusal(status, trouble[0])


def _candidates(world: World, name: str, country: str) -> list[dict[str, object]]:
    rows = world.store.rows("SELECT duns FROM company WHERE mark = '' AND document IS NOT NULL")
    known = [companies.document(world, row["duns"]) for row in rows]
    rated = [(_confidence(name, one), one) for one in known if one.get("countryISOAlpha2Code") == country.upper()]
    best = sorted((pair for pair in rated if pair[0] >= 5), key=lambda pair: (-pair[0], pair[1]["duns"]))[:10]
    return [_candidate(place, code, organization) for place, (code, organization) in enumerate(best, 1)]


def _confidence(name: str, organization: companies.Document) -> int:
    known = str(organization.get("primaryName", ""))
    likeness = SequenceMatcher(None, name.casefold(), known.casefold()).ratio()
    return max(1, min(10, round(likeness * 10)))


def _candidate(place: int, code: int, organization: companies.Document) -> dict[str, object]:
    shown = ("duns", "dunsControlStatus", "primaryName", "primaryAddress", "telephone")
    return {
        "displaySequence": place,
        "organization": {name: organization[name] for name in shown if name in organization},
        "matchQualityInformation": {"confidenceCode": code, "matchGrade": "A" * 7},
    }
