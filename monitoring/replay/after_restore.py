"""After a backup was put back: what D&B gave out since is not here, and is asked for again as what is in doubt is."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.translation import gettext

from monitoring.deliveries.gaps import REPLAYED_FOR
from monitoring.models import Delivery, DeliveryState, Source
from monitoring.story_order import next_turn
from portfolio.models import Registration

# Registrations that the backup does not know may have been pulled from the day before it: clocks differ.
BEFORE = timedelta(days=1)


def add_call_in_doubt(registration: Registration, replay_from: datetime, reason: str) -> Delivery:
    """As if a call made at that time (D&B's clock) had had no answer; the next run recovers it."""
    now, turn = timezone.now(), next_turn(registration)
    return Delivery.objects.create(
        registration=registration,
        source=Source.PULL,
        state=DeliveryState.IN_DOUBT,
        fence=registration.fence,
        turn=turn,
        stands_for=turn,
        called_at=now,
        ended_at=now,
        replay_from=replay_from,
        error=reason,
    )


def put_in_doubt_since_backup(registration: Registration) -> None:
    """A registration that is new here was perhaps pulled before, by what is gone: its first run replays."""
    restored_from = registration.contract.restored_from
    if restored_from is None or timezone.now() - restored_from > REPLAYED_FOR + BEFORE:
        return
    if not Delivery.objects.filter(registration=registration).exists():
        reason = gettext("The restored backup does not contain this registration. Earlier notifications are replayed.")
        add_call_in_doubt(registration, restored_from - BEFORE, reason)
