"""The order of changes that share a moment and touch each other, where what each says was there before decides.

Two registrations may report parts of one chain, A → B and B → C with one stamp, in answers whose places say nothing of
each other. The next is the first by place whose `previous` is what is known by then, else the first by place.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import count, repeat
from typing import Any

from django.db import transaction

from core.bulk import repeated_values
from core.db import in_batches
from monitoring.elements.json_paths import copied, same_value, stored_value, value_at
from monitoring.history.newest_scores import score_around
from monitoring.history.state import (
    ScoreDates,
    apply_events,
    event_of,
    events_of,
    score_dates,
    set_value_of,
)
from monitoring.models import Change, Kind
from monitoring.story_order import FIRST_STEP, step_of, with_step

Moment = tuple[str, datetime]
# Each company is looked up at each of the moments.
A_FEW = 20
REPORTED = {"kind": Kind.ELEMENT, "derived_from": ""}
TO_APPLY = ("kind", "registration_id", "changed_at", "element", "previous", "current", "place")


def order_moments(moments: Iterable[Moment], said: Mapping[Moment, Mapping[uuid.UUID, str]]) -> set[str]:
    """Give the changes of each company's moments their steps, and those of later moments, as what is known by then may
    be different; returns the companies whose story stands in another order now.

    `said` are stored changes at hand, by their moments: key and path of each. Where a moment has no others, its paths
    need not be read."""
    moved: set[str] = set()
    for batch in in_batches(sorted(set(moments))):
        shared = _shared(batch)
        waiting = _touching({moment: said.get(moment, {}) for moment in shared}, shared)
        while waiting:
            with transaction.atomic():
                waiting = [moment for moment in waiting if _order(*moment)]
            moved.update(duns for duns, _ in waiting)
    return moved


def _shared(moments: Sequence[Moment]) -> dict[Moment, int]:
    """How many changes each of these moments and of later ones has, where there are several."""
    since: dict[str, datetime] = {}
    for duns, moment in moments:
        since[duns] = min(moment, since.get(duns, moment))
    later = {"company__in": list(since), "changed_at__gte": min(since.values())}
    found = repeated_values(Change, ("company_id", "changed_at"), **later, **REPORTED)
    return {(duns, moment): count for (duns, moment), count in found.items() if moment >= since[duns]}


def _touching(said: Mapping[Moment, Mapping[uuid.UUID, str]], counts: Mapping[Moment, int]) -> list[Moment]:
    """Those in which two changes touch each other."""
    paths = {moment: list(changes.values()) for moment, changes in said.items()}
    others = sorted(moment for moment in said if len(paths[moment]) != counts.get(moment))
    for batch in in_batches(others, A_FEW):
        found = _paths(batch)
        paths |= {moment: found[moment] for moment in batch}
    return sorted(moment for moment, elements in paths.items() if _touch_each_other(elements))


def _paths(moments: Sequence[Moment]) -> dict[Moment, list[str]]:
    rows = _reported(company__in={duns for duns, _ in moments}, changed_at__in={moment for _, moment in moments})
    paths: dict[Moment, list[str]] = defaultdict(list)
    for duns, moment, element in rows.values_list("company_id", "changed_at", "element"):
        paths[duns, moment].append(element)
    return paths


def _reported(**which: Any) -> Any:
    return Change.objects.filter(**which, **REPORTED)


def _touch_each_other(paths: Sequence[str]) -> bool:
    ordered = sorted(path + "." for path in paths)
    return any(later.startswith(earlier) for earlier, later in zip(ordered, ordered[1:], strict=False))


def _order(duns: str, moment: datetime) -> bool:
    """Whether something was written: whoever writes looks again."""
    rows = list(_reported(company=duns, changed_at=moment).only(*TO_APPLY))
    dates = score_dates(map(event_of, rows))
    steps: dict[uuid.UUID, int] = {}
    for group in _groups(rows):
        ordered = _in_places(group)
        chained = _chained(duns, moment, ordered, dates)
        # Where places give the same order already, nothing is said of the moment's other changes.
        numbers = repeat(FIRST_STEP) if chained == ordered else count(FIRST_STEP)
        steps |= dict(zip((row.pk for row in chained), numbers, strict=False))
    wrong = [row for row in rows if step_of(row.place) != steps[row.pk]]
    for row in wrong:
        place = with_step(row.place, steps[row.pk])
        Change.objects.filter(pk=row.pk, place=row.place).update(place=place)
    return bool(wrong)


def _groups(rows: Sequence[Change]) -> list[list[Change]]:
    """Changes whose paths touch each other, by way of others too."""
    groups: list[list[Change]] = []
    for row in rows:
        near = [group for group in groups if any(_touch_each_other([row.element, one.element]) for one in group)]
        groups = [group for group in groups if group not in near] + [[row, *(one for group in near for one in group)]]
    return groups


def _in_places(group: Sequence[Change]) -> list[Change]:
    return sorted(group, key=lambda row: (with_step(row.place, 0), row.pk.int))


def _chained(duns: str, moment: datetime, group: Sequence[Change], dates: ScoreDates) -> list[Change]:
    waiting = list(group)
    if len(waiting) == 1:
        return waiting
    document = _known_before(duns, moment, {score_around(row.element) for row in group})
    result: list[Change] = []
    while waiting:
        fitting = (row for row in waiting if same_value(value_at(document, row.element), stored_value(row.previous)))
        row = next(fitting, waiting[0])
        waiting.remove(row)
        result.append(row)
        set_value_of(event_of(row), document, dates)
    return result


def _known_before(duns: str, moment: datetime, paths: set[str]) -> dict[str, Any]:
    """The document as it is when the moment's first change happens."""
    events = events_of([duns], until=moment, paths=sorted(paths))[duns]
    earlier = [event for event in events if event.seed is not None or event.moment < moment]
    document: dict[str, Any] = copied(apply_events(earlier).document)
    return document
