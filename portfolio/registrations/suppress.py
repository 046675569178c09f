"""Holding D&B's notifications of a registration back, and letting them come again.

docs/develop/direct_plus.md#registrations says why.
"""

from __future__ import annotations

import json
from typing import Any

from django.utils.translation import gettext

from core.audit import record
from direct_plus.client import DirectPlus
from portfolio.dnb_client import client_for
from portfolio.models import Registration
from portfolio.registrations.discover import read_details


def is_suppressed(registration: Registration) -> bool | None:
    """As D&B said when the details were read last; None where it said nothing."""
    try:
        answer: Any = json.loads(registration.detail or "{}")
    except ValueError:
        return None
    messages = answer.get("messages") if isinstance(answer, dict) else None
    said = messages.get("notificationsSuppressed") if isinstance(messages, dict) else None
    return said if isinstance(said, bool) else None


def suppress(registration: Registration, *, by: str, client: DirectPlus | None = None) -> None:
    """D&B goes on noting changes and sends none. Raises DirectPlusError."""
    _switch(registration, by, client or client_for(registration.contract), on=True)


def activate(registration: Registration, *, by: str, client: DirectPlus | None = None) -> None:
    """D&B sends notifications, and what has happened since the seed. Raises DirectPlusError."""
    _switch(registration, by, client or client_for(registration.contract), on=False)


def _switch(registration: Registration, by: str, client: DirectPlus, *, on: bool) -> None:
    before = is_suppressed(registration)
    (client.suppress if on else client.activate)(registration.reference)
    words = gettext("Notifications of %(registration)s suppressed at D&B")
    if not on:
        words = gettext("Notifications of %(registration)s activated at D&B")
    record(
        actor=by,
        action="suppress" if on else "activate",
        thing=registration,
        summary=words % {"registration": registration},
        before={"suppressed": before},
        after={"suppressed": on},
    )
    read_details(registration, client)
    registration.refresh_from_db(fields=["detail"])
