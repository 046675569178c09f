"""What can be wrong with saved filters: look-ups that no list has declared."""

from __future__ import annotations

from collections.abc import Iterator

from core.lists.saved_filters import undeclared_in
from core.models import SavedFilter
from dnbmon_site.operations.doctor.finding import Finding


def saved_filters() -> Iterator[Finding]:
    for row in SavedFilter.objects.exclude(query="").order_by("id"):
        if refused := undeclared_in(row.listing, row.query):
            yield Finding(
                f"Saved filter “{row.name}” of {row.owner} is disabled. Unknown filters: {', '.join(refused)}.",
                "Ask its owner to delete it under “Saved filters” and save a new one.",
            )
