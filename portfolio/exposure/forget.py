"""A company taken out of all amounts, also of those that no longer count."""

from __future__ import annotations

import uuid

from core.blobs import delete_bytes
from core.db import one_by_one
from portfolio.exposure.packed import parts_of, positions_of, store
from portfolio.imports.states import move
from portfolio.models import ExposureImport


def forget_exposure(duns: str) -> int:
    """How many imports held it. May be stopped and begun again."""
    rows = ExposureImport.objects.filter(positions__isnull=False).order_by("pk")
    return sum(_take_out(duns, row) for row in one_by_one(rows))


def _take_out(duns: str, row: ExposureImport) -> bool:
    while row.positions is not None:
        every, before, owner = positions_of(row), row.positions, uuid.uuid4()
        left = [one for one in every if one.duns != duns]
        if len(left) == len(every):
            return False
        packed = store(owner, left, parts_of(row))
        is_kept = move(row, **packed)
        delete_bytes(before if is_kept else owner)
        if is_kept:
            return True
        row.refresh_from_db()
    return False
