"""The order of changes that share a moment and touch each other, where what each says was there before decides.

Two registrations may report parts of one chain, A → B and B → C with one stamp, in answers whose places say nothing of
each other. The next is the first by place whose `previous` is what is known by then, else the first by place.
"""

from __future__ import annotations

import copy
import uuid
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import count, repeat
from typing import Any

from django.db import transaction
from django.db.models import Count, Q

from core.db import in_batches
from monitoring.elements.json_paths import same_value, set_value, stored_value, value_at
from monitoring.history.state import apply_events, events_of
from monitoring.models import Change, Kind
from monitoring.story_order import FIRST_STEP, step_of, with_step

Moment = tuple[str, datetime]


def order_moments(moments: Iterable[Moment]) -> set[str]:
    """Give the changes of each company's moments their steps, and those of later moments, as what is known by then may
    be different; returns the companies whose story stands in another order now."""
    moved: set[str] = set()
    for batch in in_batches(sorted(set(moments))):
        waiting = [*batch, *_later(batch)]
        while waiting:
            with transaction.atomic():
                waiting = [moment for moment in _shared(waiting) if _order(*moment)]
            moved.update(duns for duns, _ in waiting)
    return moved


def _later(moments: Sequence[Moment]) -> list[Moment]:
    """Those with several changes."""
    since: dict[str, datetime] = {}
    for duns, moment in moments:
        since[duns] = min(moment, since.get(duns, moment))
    rows = _reported(Q(company__in=list(since), changed_at__gt=min(since.values())))
    shared = rows.order_by().values_list("company_id", "changed_at").annotate(count=Count("pk")).filter(count__gt=1)
    return [(duns, moment) for duns, moment, _ in shared if moment > since[duns]]


def _shared(moments: Sequence[Moment]) -> list[Moment]:
    """Those in which two changes touch each other."""
    wanted = set(moments)
    rows = _reported(Q(company__in={duns for duns, _ in wanted}, changed_at__in={moment for _, moment in wanted}))
    paths: dict[Moment, list[str]] = defaultdict(list)
    for duns, moment, element in rows.values_list("company_id", "changed_at", "element"):
        paths[duns, moment].append(element)
    return sorted(moment for moment in wanted if _touch_each_other(paths.get(moment, [])))


def _reported(which: Q) -> Any:
    return Change.objects.filter(which, kind=Kind.ELEMENT, derived_from="")


def _touch_each_other(paths: Sequence[str]) -> bool:
    ordered = sorted(path + "." for path in paths)
    return any(later.startswith(earlier) for earlier, later in zip(ordered, ordered[1:], strict=False))


def _order(duns: str, moment: datetime) -> bool:
    """Whether something was written: whoever writes looks again."""
    rows = list(_reported(Q(company=duns, changed_at=moment)).only("element", "previous", "current", "place"))
    steps: dict[uuid.UUID, int] = {}
    for group in _groups(rows):
        ordered = _in_places(group)
        chained = _chained(duns, moment, ordered)
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


def _chained(duns: str, moment: datetime, group: Sequence[Change]) -> list[Change]:
    waiting = list(group)
    if len(waiting) == 1:
        return waiting
    document = _known_before(duns, moment, {row.element for row in group})
    result: list[Change] = []
    while waiting:
        fitting = (row for row in waiting if same_value(value_at(document, row.element), stored_value(row.previous)))
        row = next(fitting, waiting[0])
        waiting.remove(row)
        result.append(row)
        set_value(document, row.element, stored_value(row.current))
    return result


def _known_before(duns: str, moment: datetime, paths: set[str]) -> dict[str, Any]:
    """The document as it is when the moment's first change happens."""
    events = events_of([duns], until=moment, paths=sorted(paths))[duns]
    earlier = [event for event in events if event.seed is not None or event.moment < moment]
    return copy.deepcopy(apply_events(earlier).document)
