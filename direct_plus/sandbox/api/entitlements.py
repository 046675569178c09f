"""What the key may use (contract, section 6). How the real answer is laid out is open: a switch chooses."""

from collections.abc import Callable
from typing import Any

from direct_plus.sandbox.http.request import Call
from direct_plus.sandbox.http.responses import Answer
from direct_plus.sandbox.state.world import World

BLOCKS = (
    ("companyinfo", 2),
    ("principalscontacts", 1),
    ("hierarchyconnections", 1),
    ("financialstrengthinsight", 2),
)
PRODUCT = "cmptcs"
NOT_MONITORED = "hierarchyconnections"
TYPE = "Subscription"


def entitlements(world: World, call: Call) -> Answer:
    shape = LAYOUTS[world.switches["entitlements"]]
    return call.answer(inquiryDetail={}, **shape(world.switches["contract_end"] or None))


def _blocks(end: str | None) -> dict[str, Any]:
    blocks = [
        {"blockID": f"{name}_L{level}_v1", "blockVersion": "v1", "isMonitorable": name != NOT_MONITORED}
        for name, level in BLOCKS
    ]
    products = [{"productID": PRODUCT, "productVersion": "v1", "isMonitorable": True}]
    contract = {"contractType": TYPE, "contractEndDate": end} if end else {"contractType": TYPE}
    return {"entitlements": {**contract, "products": products, "dataBlocks": blocks}}


def _levels(end: str | None) -> dict[str, Any]:
    blocks = [
        {
            "blockName": name,
            "levels": [
                {"level": number, "version": "1", "monitoring": "N" if name == NOT_MONITORED else "Y"}
                for number in range(1, level + 1)
            ],
        }
        for name, level in BLOCKS
    ]
    contract = {"type": {"description": TYPE, "dnbCode": 1}, "expirationDate": end and f"{end}T00:00:00Z"}
    return {"contract": contract, "products": [{"productId": PRODUCT, "versions": ["1"]}], "dataBlocks": blocks}


def _names(end: str | None) -> dict[str, Any]:
    blocks = [f"{name}_L{level}_v1" for name, level in BLOCKS]
    return {"entitlements": {"products": [f"{PRODUCT}_v1"], "dataBlocks": blocks}}


def _keyed(end: str | None) -> dict[str, Any]:
    blocks = {name: {"level": level, "version": "v1", "monitorable": name != NOT_MONITORED} for name, level in BLOCKS}
    contract = {"agreementType": TYPE, "validUntil": end}
    return {**contract, "products": {PRODUCT: {"version": "v1", "monitorable": True}}, "dataBlocks": blocks}


def _contracts(end: str | None) -> dict[str, Any]:
    """One list for blocks and products, in a contract of the subscriber."""
    blocks = [
        {"productID": name, "level": f"L{level}", "version": "v1", "monitoringAvailable": name != NOT_MONITORED}
        for name, level in BLOCKS
    ]
    listed = [*blocks, {"productID": PRODUCT, "version": "v1", "monitoringAvailable": True}]
    contract = {"contractType": TYPE, "contractExpirationDate": end, "entitlements": listed}
    return {"subscriber": {"name": "ACME", "contracts": [contract]}}


def _none(end: str | None) -> dict[str, Any]:
    return {}


LAYOUTS: dict[str, Callable[[str | None], dict[str, Any]]] = {
    "blocks": _blocks,
    "levels": _levels,
    "names": _names,
    "keyed": _keyed,
    "contracts": _contracts,
    "none": _none,
}
