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
from monitoring.publications.places import read_place

PUBLISHED_AFTER = "published_after"
# The keys are sent with the query: so many that no one reads them to the end, and that every engine takes.
MOST = 10_000


class PublishedAfterFilter(DropdownFilter):  # type: ignore[misc]
    """Entered by a link from the Overview: only then is it shown, with the place of the last publication seen."""

    title = _("received")
    parameter_name = PUBLISHED_AFTER

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        sequence = self.sequence(request)
        if sequence is None:
            return []
        seen = Publication.objects.filter(sequence=sequence).first()
        words = gettext("After %(when)s") % {"when": moment_text(seen.published_at)} if seen else gettext("All")
        return [(str(self.value()), words)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        sequence = self.sequence(request)
        return queryset if sequence is None else queryset.filter(delivery__in=deliveries_after(sequence))

    def sequence(self, request: HttpRequest) -> int | None:
        return read_place(request.user, self.value() or "")


def deliveries_after(sequence: int) -> list[uuid.UUID]:
    """Of the latest publications that brought changes; a subquery of them is slow on MongoDB."""
    found = Publication.objects.filter(sequence__gt=sequence, change_count__gt=0).order_by("-sequence")
    return list(found.values_list("delivery", flat=True)[:MOST])
