"""Ask D&B what a contract's key may use, and remind people before the contract ends."""

from __future__ import annotations

import logging

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext

from core import plurals
from core.audit import record
from core.db import clean_text, insert_new
from core.json_text import dump_json
from core.notices import notify
from core.text import day_text
from direct_plus.errors import DirectPlusError
from portfolio.dnb_client import NotConfigured, client_for
from portfolio.entitlements.rights import key_rights, today
from portfolio.models import Contract, Entitlements

logger = logging.getLogger(__name__)
REMINDERS = (7, 30, 60)
LONGEST_ANSWER = 2_000_000
FAILURES = (DirectPlusError, NotConfigured)


def fetch_entitlements(contract: Contract) -> None:
    """One call, which costs nothing. A failure is kept beside the last answer, and raised."""
    insert_new(Entitlements, [Entitlements(contract=contract)])
    row = Entitlements.objects.filter(pk=contract.pk)
    try:
        answer = clean_text(dump_json(client_for(contract).entitlements()), LONGEST_ANSWER)
    except FAILURES as error:
        row.update(error=clean_text(str(error)), failed_at=timezone.now())
        raise
    row.update(answer=answer, fetched_at=timezone.now(), error="", failed_at=None)


def fetch_for(contract: Contract, *, requested_by: str) -> None:
    """Because a user asks for it."""
    fetch_entitlements(contract)
    summary = gettext("Entitlements of contract “%(name)s” updated") % {"name": contract.name}
    record(actor=requested_by, action="entitlements.fetched", thing=contract, summary=summary)


def update_entitlements() -> int:
    """Of every contract, each night, with reminders; returns how many were read."""
    read = sum(_update(contract) for contract in Contract.objects.order_by("name"))
    remind()
    return read


def _update(contract: Contract) -> bool:
    try:
        fetch_entitlements(contract)
    except FAILURES as error:
        logger.warning("entitlements of %s could not be read: %s", contract, error)
        return False
    return True


def remind() -> int:
    """Of contracts that end in 60, 30 and 7 days, once each; returns how many notices were made."""
    return sum(_remind(contract) for contract in Contract.objects.order_by("name"))


def _remind(contract: Contract) -> bool:
    end = key_rights(contract).expires
    left = (end - today()).days if end else -1
    due = next((days for days in REMINDERS if left <= days), None)
    if end is None or due is None or left < 0:
        return False
    names = {"name": contract.name, "days": plurals.days(left), "day": day_text(end)}
    notice = notify(
        kind="entitlements",
        subject=gettext("D&B's contract “%(name)s” ends in %(days)s") % names,
        text=gettext(
            "D&B states that it ends on %(day)s. After that day, D&B may refuse calls with this key. Ask D&B to renew "
            "the contract."
        )
        % names,
        url=reverse("admin:portfolio_entitlements_changelist"),
        key=f"{contract.name}/{end.isoformat()}/{due}",
    )
    return notice is not None
