"""The filter of outgoing messages for one of their recipients."""

from __future__ import annotations

import uuid
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import DropdownFilter

from monitoring.models import TargetKind
from monitoring.outbox.names import names_of_kind

MOST_OFFERED = 200


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
