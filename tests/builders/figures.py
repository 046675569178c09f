"""D&B's documents with figures, and what is known of them."""

from datetime import UTC, date, datetime, time
from typing import Any

from monitoring.figures.catalog import Figures, figures_of
from monitoring.figures.record import unpack
from monitoring.figures.records import records_at
from monitoring.figures.words import all_words
from monitoring.history.state import profile


def an_assessment(percentile: Any = 50, group: Any = 3, **more: Any) -> dict[str, Any]:
    return {"failureScore": {"nationalPercentile": percentile, "classScore": group}, **more}


def figures_on(day: date | None) -> dict[str, Figures]:
    """What is stored, by company; those of which nothing is known are left out."""
    records, words = records_at(day), all_words()
    return {f"{record['duns']:09d}": unpack(record.tobytes(), words) for record in records}


def folded(duns: str, day: date | None) -> Figures:
    """From the whole history up to the end of that day."""
    end = datetime.combine(day, time.max, UTC) if day else None
    return figures_of(profile(duns, as_of=end))
