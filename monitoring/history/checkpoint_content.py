"""What is known of a company as bytes, and back."""

from __future__ import annotations

import uuid
import zlib
from datetime import datetime
from decimal import Decimal
from typing import Any

from core.json_text import dump_json
from direct_plus.exact_json import parse_json
from monitoring.history.known import Known
from monitoring.history.score_series import ScoreSeries, Series
from monitoring.history.state import CompanyState, Event, KnownValue
from monitoring.history.summary import read_order, written_order

# Of what is stored: another one is not understood, and made anew.
FORMAT = 2


def packed(known: Known) -> bytes:
    content = {
        **_state(known.state),
        "notified": {key.hex: moment.isoformat() for key, moment in known.notified.items()},
        "review": _event(known.review),
        "has_baseline": known.has_baseline,
        "is_cut": known.is_cut,
        "numbers": {path: _series(one) for path, one in known.scores.numbers.items()},
        "ratings": {path: [[at.isoformat(), text] for at, text in one] for path, one in known.scores.ratings.items()},
    }
    return zlib.compress(dump_json(content).encode())


def unpacked(content: bytes) -> Known:
    found = parse_json(zlib.decompress(content))
    return Known(
        state=_read_state(found),
        notified={uuid.UUID(key): datetime.fromisoformat(moment) for key, moment in found["notified"].items()},
        review=_read_event(found["review"]),
        has_baseline=found["has_baseline"],
        is_cut=found["is_cut"],
        scores=ScoreSeries(
            {path: _read_series(one) for path, one in found["numbers"].items()},
            {
                path: [(datetime.fromisoformat(moment), text) for moment, text in one]
                for path, one in found["ratings"].items()
            },
        ),
    )


def _state(state: CompanyState) -> dict[str, Any]:
    return {
        "document": state.document,
        "mismatches": [[key.hex, one.value, one.since.isoformat()] for key, one in state.mismatches.items()],
        "received": [
            [list(names), first.isoformat(), last.isoformat()] for names, (first, last) in state.received.items()
        ],
        "unplaced": sorted(key.hex for key in state.unplaced),
        "status": _event(state.status),
        "carried": {key.hex: sorted(names) for key, names in state.carried.items()},
    }


def _read_state(found: dict[str, Any]) -> CompanyState:
    moment = datetime.fromisoformat
    return CompanyState(
        document=found["document"],
        mismatches={uuid.UUID(key): KnownValue(value, moment(since)) for key, value, since in found["mismatches"]},
        received={tuple(names): (moment(first), moment(last)) for names, first, last in found["received"]},
        unplaced=set(map(uuid.UUID, found["unplaced"])),
        status=_read_event(found["status"]),
        carried={uuid.UUID(key): set(names) for key, names in found["carried"].items()},
    )


def _event(event: Event | None) -> list[Any] | None:
    """A notice; documents and changes of elements are in the document."""
    if event is None:
        return None
    key, values = event.registration.hex, [event.path, event.previous, event.current]
    return [written_order(event.order), str(event.kind), key, *values]


def _read_event(found: list[Any] | None) -> Event | None:
    if found is None:
        return None
    order, kind, registration, path, previous, current = found
    key = read_order(order)
    values = {"path": path, "previous": previous, "current": current}
    return Event(uuid.UUID(int=key[3]), key[0], key, kind, uuid.UUID(registration), **values)


def _series(one: Series) -> list[Any]:
    return [one.unit, [[moment.isoformat(), None if value is None else str(value)] for moment, value in one.points]]


def _read_series(found: list[Any]) -> Series:
    unit, points = found
    moment = datetime.fromisoformat
    return Series(unit, [(moment(at), None if value is None else Decimal(value)) for at, value in points])
