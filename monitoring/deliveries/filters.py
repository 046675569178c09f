"""What one delivery brought, in the lists of notifications and changes."""

from __future__ import annotations

import uuid
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import DropdownFilter

from core.text import moment_text
from monitoring.models import Delivery


class DeliveryFilter(DropdownFilter):  # type: ignore[misc]
    """Entered by a link from the delivery's page: only then is it shown, with this one delivery."""

    title = _("delivery")
    parameter_name = "delivery"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        found = Delivery.objects.filter(pk=self.key).first() if self.key else None
        moment = found and (found.called_at or found.received_at)
        return [(str(self.value()), moment_text(moment) if moment else str(self.key))] if self.key else []

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(delivery=self.key) if self.key else queryset

    @property
    def key(self) -> uuid.UUID | None:
        try:
            return uuid.UUID(self.value() or "")
        except ValueError:
            return None
