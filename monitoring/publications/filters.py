"""What was received after a moment, in the list of changes, in whatever period it happened."""

from __future__ import annotations

import uuid
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import DropdownFilter

from core.text import moment_text
from monitoring.models import Publication

PUBLISHED_AFTER = "published_after"
# The keys are sent with the query: so many that no one reads them to the end, and that every engine takes.
MOST = 10_000


class PublishedAfterFilter(DropdownFilter):  # type: ignore[misc]
    """Entered by a link from the Overview: only then is it shown, with the number of the last publication seen."""

    title = _("received")
    parameter_name = PUBLISHED_AFTER

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        if self.sequence is None:
            return []
        seen = Publication.objects.filter(sequence=self.sequence).first()
        words = gettext("After %(when)s") % {"when": moment_text(seen.published_at)} if seen else gettext("All")
        return [(str(self.value()), words)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset if self.sequence is None else queryset.filter(delivery__in=deliveries_after(self.sequence))

    @property
    def sequence(self) -> int | None:
        text = self.value() or ""
        return int(text) if text.isdecimal() and len(text) < 19 else None


def deliveries_after(sequence: int) -> list[uuid.UUID]:
    """Of the latest publications that brought changes; a subquery of them is slow on MongoDB."""
    found = Publication.objects.filter(sequence__gt=sequence, change_count__gt=0).order_by("-sequence")
    return list(found.values_list("delivery", flat=True)[:MOST])
