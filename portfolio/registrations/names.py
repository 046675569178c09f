"""The references of registrations by their keys. A key is made of its reference, so none is looked up twice."""

from __future__ import annotations

import uuid
from collections.abc import Collection

from portfolio.models import Registration

_known: dict[uuid.UUID, str] = {}


def references_of(keys: Collection[uuid.UUID]) -> dict[uuid.UUID, str]:
    """Of those that there are, in the order of their references."""
    if unknown := [key for key in keys if key not in _known]:
        _known.update(Registration.objects.filter(pk__in=unknown).values_list("pk", "reference"))
    return dict(sorted(((key, _known[key]) for key in keys if key in _known), key=lambda one: one[1]))
