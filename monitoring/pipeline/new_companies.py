"""Companies that nobody knew before: what columns follow from the one document that they came with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from monitoring.history.company_projection import columns_from
from monitoring.history.summary import of_document
from monitoring.ingest.batch import Batch
from monitoring.ingest.parser import Reading
from monitoring.ingest.rows import CompanyRow
from monitoring.models import Kind, Source
from monitoring.story_order import place_of, story_place


def describe(batches: Sequence[Batch], unknown: AbstractSet[str]) -> dict[str, CompanyRow]:
    """Those of `unknown` of which one document is all that these deliveries say, and that was not fetched."""
    sent = [batch for batch in batches if batch.delivery.source != Source.FETCH]
    found = [(batch, reading) for batch in sent for reading in batch.readings if reading.item.duns in unknown]
    facts = Counter(reading.item.duns for _, reading in found for _ in reading.facts)
    return {
        reading.item.duns: _row(batch, reading)
        for batch, reading in found
        if facts[reading.item.duns] == 1 and reading.facts[0].kind == Kind.BASELINE
    }


def _row(batch: Batch, reading: Reading) -> CompanyRow:
    """As a fold of its history gives it."""
    moment = reading.delivered_at or batch.now
    place = story_place(batch.delivery.registration_id, moment, place_of(batch.delivery, reading.position))
    document = reading.facts[0].value or {}
    order = (moment, 0, place, reading.id.int)
    projection = of_document(batch.delivery.registration_id, document, order)
    changed_at = reading.delivered_at or batch.stamp or batch.now
    return CompanyRow(duns=reading.item.duns, changed_at=changed_at, **columns_from(projection))
