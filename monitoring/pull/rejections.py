"""What to do when D&B refuses: back off, wait for the quota, or stop and say why.

docs/develop/direct_plus.md#errors-and-limits says why.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.translation import gettext

from core.db import clean_text
from direct_plus.client import DirectPlus
from direct_plus.errors import DirectPlusError
from monitoring.deliveries.lease import RegistrationLease
from monitoring.models import Delivery, DeliveryState, Source
from portfolio.models import Registration, RegistrationState

QUOTA_USED_UP = "00050"
AGAIN = timedelta(minutes=1)
PROBE = timedelta(hours=1)
STOPPING = (400, 401, 403, 404)
# Without D&B's code it may be a gateway's word, or the torn 404 of an empty queue: only the third in a row stops.
MAY_BE_ANOTHERS = (400, 403, 404)
IN_A_ROW = 3


def act_on_refusal(
    registration: Registration,
    lease: RegistrationLease,
    code: str,
    status: int,
    reason: str,
    headers: Mapping[str, str] | None = None,
) -> None:
    """Write on the registration what the refusal means and when to try again."""
    now = timezone.now()
    fields: dict[str, object] = {"last_error": clean_text(reason), "quota_used_up": code == QUOTA_USED_UP}
    if code == QUOTA_USED_UP:
        fields["next_pull_at"] = _next_midnight(now)
        words = gettext("D&B's quota is used up. Pulling resumes automatically after midnight UTC. %(reason)s")
        fields["last_error"] = clean_text(words % {"reason": reason})
    elif status in STOPPING and _is_certain(registration, code, status):
        fields |= {
            "state": RegistrationState.STOPPED,
            "stopped_reason": clean_text(reason),
            "next_pull_at": now + PROBE,
        }
    else:
        fields["next_pull_at"] = now + (retry_after(headers or {}) or AGAIN)
    lease.update(**fields)


def _is_certain(registration: Registration, code: str, status: int) -> bool:
    """D&B's own word, or another's three times in a row; an empty queue between them leaves no row but no failure."""
    if code or status not in MAY_BE_ANOTHERS:
        return True
    last = Delivery.objects.filter(registration=registration, source=Source.PULL).order_by("-id")[:IN_A_ROW]
    refused = [row.state == DeliveryState.REFUSED and row.http_status == status for row in last]
    return registration.consecutive_failures + 1 >= IN_A_ROW and refused == [True] * IN_A_ROW


def _next_midnight(now: datetime) -> datetime:
    return (now + timedelta(days=1)).replace(hour=0, minute=0, second=5, microsecond=0)


def retry_after(headers: Mapping[str, str]) -> timedelta | None:
    text = headers.get("Retry-After", "")
    return timedelta(seconds=min(int(text), 86_400)) if text.isascii() and text.isdigit() else None


def check_reference(registration: Registration, lease: RegistrationLease, client: DirectPlus) -> str:
    """The day's first empty answer may mean an unknown reference: ask for its details. Says what is wrong, if so."""
    today = timezone.now().date()
    if registration.checked_on == today:
        return ""
    lease.renew()
    try:
        detail = client.registration(registration.reference)
    except DirectPlusError as error:
        if error.status == 404:
            act_on_refusal(
                registration,
                lease,
                error.code or "",
                404,
                gettext("D&B does not know this registration: %(error)s") % {"error": error},
            )
            return str(error)
        return ""  # it stays unchecked, and the next empty answer asks again
    lease.update(checked_on=today, detail=detail.raw_text)
    return ""
