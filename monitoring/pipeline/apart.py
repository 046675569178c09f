"""What comes of a delivery that others have read already, and maybe published, gets a number of its own."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass, field
from time import monotonic

from django.utils import timezone
from django.utils.translation import gettext

from core.db import in_batches
from monitoring.claims import end_of_a_claim, is_old
from monitoring.models import Change, Delivery, DeliveryState, Observation, Publication, Source
from monitoring.publications.sequence import publish


@dataclass(slots=True)
class Apart:
    """A delivery of its own for what came of one that others had read, and maybe published: two processes read it at
    once, or it is read again by newer code. Made when it is needed."""

    of: Delivery
    made: Delivery | None = None
    claimed: float = field(default_factory=monotonic)

    def delivery(self) -> Delivery:
        """Claimed, so that nobody publishes it before all entries are in it."""
        if self.made and is_old(self.claimed) and not self._claim_again(self.made):
            self.made = None
        if self.made is None:
            self.claimed = monotonic()
            self.made = Delivery.objects.create(
                registration_id=self.of.registration_id,
                source=Source.RETRY,
                state=DeliveryState.INGESTED,
                ingested_at=timezone.now(),
                claimed_until=end_of_a_claim(),
                error=gettext("Changes found when delivery %(pk)s was processed again.") % {"pk": self.of.pk},
            )
        return self.made

    def _claim_again(self, made: Delivery) -> bool:
        self.claimed = monotonic()
        unpublished = Delivery.objects.filter(pk=made.pk, state=DeliveryState.INGESTED)
        return bool(unpublished.update(claimed_until=end_of_a_claim()))

    def take(self, entries: Collection[uuid.UUID]) -> None:
        """Changes and observations, by their ids."""
        for model in (Change, Observation):
            for keys in in_batches(list(entries)):
                rows = model._default_manager.filter(pk__in=keys, delivery=self.of)
                if self.made or rows.exists():
                    rows.update(delivery=self.delivery())

    def publish(self) -> None:
        if self.made:
            publish(self.made)


def surplus_of(delivery: uuid.UUID) -> list[Change | Observation]:
    """What came into a delivery after its publication, as somebody leaves it who was killed before it got a number: of
    all that is in it, what was recorded last."""
    publication = Publication.objects.filter(delivery=delivery).first()
    if publication is None:
        return []
    entries: list[Change | Observation] = list(Change.objects.filter(delivery=delivery).only("recorded_at"))
    entries += Observation.objects.filter(delivery=delivery).only("recorded_at")
    return sorted(entries, key=lambda row: (row.recorded_at, row.pk.int))[publication.entry_count :]


def publish_surplus(delivery: Delivery) -> int:
    """Publish again what came into it after its publication; returns how many entries that were."""
    apart, entries = Apart(delivery), surplus_of(delivery.pk)
    apart.take([row.pk for row in entries])
    apart.publish()
    return len(entries)
