"""Companies by the numbers that you have for them: customer references, and IDs of other systems."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from functools import cached_property

from django.utils.translation import gettext

from core.db import in_batches
from portfolio.exposure.flaws import Check, Flaw
from portfolio.models import ExternalReference, Subject


class References:
    """Those of a file, asked for some lines at a time."""

    def __init__(self) -> None:
        self._external: dict[str, set[str]] = defaultdict(set)

    def learn(self, names: Iterable[str]) -> None:
        unknown = sorted({name for name in names if name and name not in self._external})
        for batch in in_batches(unknown):
            self._external.update((name, set()) for name in batch)
            rows = ExternalReference.objects.filter(reference__in=batch)
            for name, duns in rows.values_list("reference", "company_id"):
                self._external[name].add(duns)

    def company_of(self, name: str) -> str:
        if not name:
            raise Flaw(Check.COMPANY, gettext("The D-U-N-S number or reference is missing."))
        found = self._external[name] | self._by_customer_reference.get(name, set())
        if len(found) == 1:
            return next(iter(found))
        words = gettext("No company has the reference “%(name)s”.")
        if found:
            words = gettext("Several companies have the reference “%(name)s”. Enter the D-U-N-S number.")
        raise Flaw(Check.COMPANY, words % {"name": name[:60]})

    @cached_property
    def _by_customer_reference(self) -> dict[str, set[str]]:
        """All of them at once: the column has no index."""
        found: dict[str, set[str]] = defaultdict(set)
        rows = Subject.objects.exclude(customer_reference="")
        for name, duns in rows.values_list("customer_reference", "company_id").iterator(chunk_size=10_000):
            found[name].add(duns)
        return found
