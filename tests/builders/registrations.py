"""Registrations, as D&B has described them."""

import json
from typing import Any

from django.utils import timezone

from portfolio.models import Registration, RegistrationState
from tests.builders.contracts import a_contract

REFERENCE = "ACME_LOD_01"


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
    if fields.get("adopted"):
        # Of the complete list, where a test does not ask for another.
        fields.setdefault("list_received_at", timezone.now())
    defaults = {"state": RegistrationState.ACTIVE, "detail": json.dumps(detail)}
    row, _ = Registration.objects.update_or_create(
        id=Registration.key(contract.name, reference),
        defaults={"contract": contract, "reference": reference, **defaults, **fields},
    )
    return row


def one() -> Registration:
    return a_registration("ONE")


def two() -> Registration:
    return a_registration("TWO")


def whole(reference: str = "WHOLE") -> Registration:
    """One that sends whole documents."""
    return a_registration(reference, full_product=True)
