"""Fetched documents: stored as deliveries that nothing reads before a person accepts them, and compared."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext

from core.blobs import load_bytes
from core.db import clean_text, insert_new
from direct_plus.exact_json import parse_json
from direct_plus.payloads import UnreadableItem, read_item, transaction_of
from monitoring.data_fetch.effect import effect_of
from monitoring.models import Delivery, DeliveryState, FetchedCompany, FetchedState, Source


def keep(item: FetchedCompany, body: bytes, dnb_time: datetime | None) -> None:
    """The delivery of a stored answer; it takes a turn like a replay, and stands for its own."""
    transaction, now = transaction_of(body), timezone.now()
    stamp = transaction.timestamp or (dnb_time or now).isoformat(timespec="milliseconds")
    row = Delivery(
        id=item.delivery_key,
        registration_id=item.registration_id,
        source=Source.FETCH,
        state=DeliveryState.HELD,
        turn=item.turn,
        stands_for=item.turn,
        called_at=item.called_at,
        ended_at=now,
        received_at=now,
        requested_by=item.fetch.requested_by,
        http_status=200,
        sha256=hashlib.sha256(body).hexdigest(),
        byte_count=len(body),
        transaction_id=clean_text(transaction.id or "", 200),
        answer_stamp=clean_text(stamp, 64),
        notification_count=1,
    )
    insert_new(Delivery, [row])


def read_kept(item: FetchedCompany) -> bool:
    """Compare what is stored of its call; False where nothing whole is."""
    body = load_bytes(item.delivery_key) if item.delivery_key else b""
    if not body:
        return False
    if item.delivery is None:
        # Whoever made the call died before it could say when D&B answered: the answer says it.
        if not _is_whole(body):
            return False
        keep(item, body, None)
    delivery = item.delivery
    assert delivery is not None, "it was kept"
    try:
        _read(item, body, delivery)
    except (UnreadableItem, ValueError) as error:
        _put_away(item, delivery, FetchedState.FAILED, gettext("The response is invalid: %(error)s") % {"error": error})
    return True


def _is_whole(body: bytes) -> bool:
    try:
        return isinstance(parse_json(body), dict)
    except ValueError:
        return False


def _read(item: FetchedCompany, body: bytes, delivery: Delivery) -> None:
    found = read_item(body, default_type="SEED")
    if found.duns != item.company_id:
        raise ValueError(gettext("it is about %(duns)s") % {"duns": found.duns})
    effect = effect_of(delivery, body)
    if effect is None:
        raise ValueError(gettext("it contains no data of the company"))
    item.differences, item.message = len(effect.differences), clean_text(_left_out(parse_json(body)))
    if effect.differences or not effect.has_baseline:
        item.state = FetchedState.READY
        item.save(update_fields=["state", "differences", "message"])
    else:
        _put_away(item, delivery, FetchedState.SAME, item.message)


def _put_away(item: FetchedCompany, delivery: Delivery, state: FetchedState, message: str) -> None:
    """There is nothing to decide."""
    Delivery.objects.filter(pk=delivery.pk, state=DeliveryState.HELD).update(state=DeliveryState.DISCARDED)
    item.state, item.message = state, clean_text(message)
    item.save(update_fields=["state", "differences", "message"])


def _left_out(document: Any) -> str:
    """Blocks that D&B did not send, in its own words."""
    statuses = document.get("blockStatus")
    found = [one for one in statuses if isinstance(one, dict)] if isinstance(statuses, list) else []
    missing = [f"{one.get('blockID')}: {one.get('status')}" for one in found if one.get("status") not in ("ok", None)]
    return gettext("Not sent by D&B: %(blocks)s") % {"blocks": ", ".join(missing)} if missing else ""
