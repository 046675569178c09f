"""Which companies D&B monitored on a day, by registration."""

from __future__ import annotations

import uuid
from collections import defaultdict
from datetime import date
from typing import TYPE_CHECKING, Any

from django.db.models import Q

from portfolio.models import Membership, Subject

if TYPE_CHECKING:
    import numpy

    Array = numpy.ndarray[Any, Any]


def numbers_at(day: date | None) -> dict[uuid.UUID, Array]:
    """The D-U-N-S numbers as integers, sorted and each once; today's where no day is given."""
    import numpy

    found: dict[uuid.UUID, list[str]] = defaultdict(list)
    for registration, duns in _stays(day):
        found[registration].append(duns)
    return {key: numpy.unique(numpy.array(numbers, dtype=numpy.uint32)) for key, numbers in found.items()}


def _stays(day: date | None) -> list[tuple[uuid.UUID, str]]:
    columns = ("registration_id", "company_id")
    if day is None:
        now = Subject.objects.filter(monitored_since__isnull=False, monitored_until=None)
        return list(now.values_list(*columns))
    last = Subject.objects.filter(Q(monitored_until=None) | Q(monitored_until__gte=day), monitored_since__lte=day)
    earlier = Membership.objects.filter(since__lte=day, until__gte=day)
    return [*last.values_list(*columns), *earlier.values_list(*columns)]
