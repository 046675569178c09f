"""D&B's notifications as JSON values."""

from typing import Any

from tests.builders.companies import DUNS
from tests.builders.elements import ACTIVE, OUT, STATUS, an_element
from tests.builders.times import now_stamp, stamp


def an_update(
    *elements: dict[str, Any], duns: str = DUNS, delivered: str | None = None, **members: Any
) -> dict[str, Any]:
    return {
        "type": "UPDATE",
        "organization": {"duns": duns},
        "elements": list(elements) or [an_element()],
        "deliveryTimeStamp": delivered or stamp(days=1),
        **members,
    }


def a_seed(duns: str = DUNS, *, delivered: str | None = None, **organization: Any) -> dict[str, Any]:
    document = {"duns": duns, "primaryName": "Acme Ltd", "countryISOAlpha2Code": "GB", **organization}
    return {"type": "SEED", "organization": document, "deliveryTimeStamp": delivered or stamp(days=1)}


def a_notice(kind: str = "DELETE", duns: str = DUNS, *, delivered: str | None = None, **members: Any) -> dict[str, Any]:
    return {
        "type": kind,
        "organization": {"duns": duns},
        "deliveryTimeStamp": delivered or stamp(days=1),
        **members,
    }


def a_transfer(duns: str = DUNS, to: str = "150483782", **fields: Any) -> dict[str, Any]:
    organization = {"duns": duns, "dunsControlStatus": {"dunsTransfers": [{"retainedDUNS": to}]}}
    return {**a_notice("TRANSFER", duns, **fields), "organization": organization}


def news(element: str = STATUS, previous: Any = ACTIVE, current: Any = OUT, duns: str = DUNS, **later: float) -> Any:
    """An update that happened just now."""
    at = now_stamp(**later)
    return an_update(an_element(element, previous, current, at), duns=duns, delivered=at)
