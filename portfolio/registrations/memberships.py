"""Which companies D&B monitored on a day, by registration."""

from __future__ import annotations

import uuid
from collections import defaultdict
from datetime import date
from typing import TYPE_CHECKING, Any

from django.db.models import Q, QuerySet

from core.bulk import joined
from portfolio.models import Membership, Subject

if TYPE_CHECKING:
    import numpy

    Array = numpy.ndarray[Any, Any]


def numbers_at(day: date | None) -> dict[uuid.UUID, Array]:
    """The D-U-N-S numbers as integers, sorted and each once; today's where no day is given."""
    import numpy

    found: dict[uuid.UUID, list[str]] = defaultdict(list)
    for rows in _stays(day):
        for registration, texts in joined(rows, "registration_id", "company_id").items():
            found[registration].append(texts)
    return {key: numpy.unique(numpy.fromstring(",".join(texts), numpy.uint32, sep=",")) for key, texts in found.items()}


def _stays(day: date | None) -> list[QuerySet[Any]]:
    if day is None:
        return [Subject.objects.filter(monitored_since__isnull=False, monitored_until=None)]
    is_in = Q(monitored_until=None) | Q(monitored_until__gte=day)
    last = Subject.objects.filter(is_in, monitored_since__lte=day)
    return [last, Membership.objects.filter(since__lte=day, until__gte=day)]
