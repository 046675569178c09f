"""What tests are made of: D&B's notifications as JSON values, and rows that came through the real pipeline."""

import json
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import NAMESPACE_DNS, uuid5

from django.utils import timezone

from monitoring.ingesting import ingest
from monitoring.models import Delivery, DeliveryState, Source
from monitoring.order import next_turn
from portfolio.acting import Actor
from portfolio.models import Contract, Registration, RegistrationState
from portfolio.stored_bytes import store_bytes

DUNS = "804735132"
MOMENT = datetime(2026, 1, 7, 1, 23, 13, tzinfo=UTC)
_transactions = count(1)


def stamp(moment: datetime = MOMENT, /, **later: float) -> str:
    """`stamp(hours=2)`: two hours after the moment, as D&B writes it."""
    return (moment + timedelta(**later)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def an_actor(name: str) -> Actor:
    """A person, always the same under this name."""
    return Actor(name, uuid5(NAMESPACE_DNS, name))


def a_contract(**fields: Any) -> Contract:
    contract, _ = Contract.objects.get_or_create(name=fields.pop("name", "default"))
    for name, value in fields.items():
        setattr(contract, name, value)
    contract.save()
    return contract


def a_registration(reference: str = "ACME_LOD_01", *, full_product: bool = False, **fields: Any) -> Registration:
    contract = fields.pop("contract", None) or a_contract()
    notification_type = "FULL_PRODUCT" if full_product else "UPDATE"
    detail = {
        "inquiryDetail": {"reference": reference},
        "messages": {
            "notificationsSuppressed": False,
            "state": "CURRENT",
            "registration": {
                "reference": reference,
                "notificationType": notification_type,
                "deliveryTrigger": "API_PULL",
                "description": "Acme suppliers",
            },
        },
    }
    defaults = {"state": RegistrationState.ACTIVE, "detail": json.dumps(detail)}
    row, _ = Registration.objects.update_or_create(
        id=Registration.key(contract.name, reference),
        defaults={"contract": contract, "reference": reference, **defaults, **fields},
    )
    return row


def an_element(
    element: str = "organization.primaryName",
    previous: Any = "OLD NAME LTD",
    current: Any = "NEW NAME LTD",
    timestamp: str | None = None,
) -> dict[str, Any]:
    return {
        "element": element,
        "previous": previous,
        "current": current,
        "timestamp": stamp() if timestamp is None else timestamp,
    }


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


def an_answer(*items: Any, at: str | None = None) -> bytes:
    """The body of a pull; an item given as text or bytes goes in as it is."""
    texts = [as_bytes(item) for item in items]
    head = {"transactionID": f"rrt-{next(_transactions)}", "transactionTimestamp": at or stamp(days=1)}
    return (
        b'{"transactionDetail":' + as_json(head) + b',"inquiryDetail":{"reference":"ACME_LOD_01"},'
        b'"notifications":[' + b",".join(texts) + b"]}"
    )


def as_bytes(item: Any) -> bytes:
    if isinstance(item, bytes):
        return item
    return item.encode() if isinstance(item, str) else as_json(item)


def as_json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


def a_delivery(
    *items: Any, registration: Registration | None = None, source: str = Source.PULL, at: str | None = None
) -> Delivery:
    """A stored answer that nobody has read yet, of the registration's next call."""
    registration = registration or a_registration()
    turn = next_turn(registration)
    delivery = Delivery(
        registration=registration,
        source=source,
        turn=turn,
        stands_for=turn,
        state=DeliveryState.RECEIVED,
        asked_at=timezone.now(),
        ended_at=timezone.now(),
        received_at=timezone.now(),
        answer_stamp=at or stamp(days=1),
        notification_count=len(items),
        http_status=200,
    )
    store_bytes(delivery.pk, an_answer(*items, at=at))
    delivery.save(force_insert=True)
    return delivery


def delivered(*items: Any, registration: Registration | None = None, at: str | None = None) -> Delivery:
    """A delivery that was read and published."""
    delivery = a_delivery(*items, registration=registration, at=at)
    ingest(delivery)
    delivery.refresh_from_db()
    return delivery
