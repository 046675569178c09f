"""Changes in a saved filter: the list is read as its page would show it to the user who follows it."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Collection
from typing import Any
from zoneinfo import ZoneInfo

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404
from django.utils import timezone

from core.exports.files import rows_as
from core.lists.saved_filters import undeclared_in
from core.models import SavedFilter
from monitoring.follows.subjects import LISTS, filters_for, key_of
from monitoring.models import Change, Follow

logger = logging.getLogger(__name__)
ALL_CHANGES = "monitoring.change"


def changes_in_filter(row: Follow, person: Any, changes: Collection[Change]) -> set[uuid.UUID]:
    """None where the filter was deleted, is no longer shared, or no longer works: the user's page says so."""
    key = key_of(row.subject)
    saved = filters_for(person).filter(pk=key).first() if key else None
    if saved is None or undeclared_in(saved.listing, saved.query, person):
        return set()
    try:
        with timezone.override(ZoneInfo(person.timezone or "UTC")):
            return _chosen(saved, rows_as(person, saved.listing, saved.query), changes)
    except (Http404, PermissionDenied) as error:
        logger.info("follow %s has no effect: %s", row.pk, error)
        return set()


def _chosen(saved: SavedFilter, rows: QuerySet[Any], changes: Collection[Change]) -> set[uuid.UUID]:
    if saved.listing == ALL_CHANGES:
        return set(rows.order_by().filter(pk__in=[one.pk for one in changes]).values_list("pk", flat=True))
    column = LISTS[saved.listing]
    numbers = {one.company_id for one in changes}
    found = set(rows.order_by().filter(**{f"{column}__in": sorted(numbers)}).values_list(column, flat=True))
    return {one.pk for one in changes if one.company_id in found}
