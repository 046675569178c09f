"""The recipients of outgoing messages: their names in the list, and the filter for one of them."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import DropdownFilter

from monitoring.models import OutboxMessage, TargetKind
from monitoring.outbox.names import names_of_kind

MOST_OFFERED = 200


def names_of(rows: Iterable[OutboxMessage]) -> dict[uuid.UUID, str]:
    """One query for each type of recipient among them."""
    targets: dict[str, set[uuid.UUID]] = {}
    for row in rows:
        targets.setdefault(row.kind, set()).add(row.target)
    return {key: name for kind, keys in targets.items() for key, name in names_of_kind(kind).filter(pk__in=keys)}


class RecipientFilter(DropdownFilter):  # type: ignore[misc]
    """A channel or a webhook."""

    title = _("recipient")
    parameter_name = "target"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [
            (str(key), gettext("%(type)s %(name)s") % {"type": kind.label, "name": name})
            for kind in (TargetKind.CHANNEL, TargetKind.WEBHOOK)
            for key, name in names_of_kind(kind).order_by("name")[:MOST_OFFERED]
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        try:
            return queryset.filter(target=uuid.UUID(self.value() or ""))
        except ValueError:
            return queryset
