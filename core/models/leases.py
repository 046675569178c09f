"""Work of which only one process may do any at a time."""

from __future__ import annotations

from django.db import models

from core.fields import CompactUUIDField


class Leased(models.Model):
    """A row that one worker at a time holds, until a moment of the database's clock. `core.leases` writes these."""

    lease_owner = CompactUUIDField(null=True, editable=False)
    lease_until = models.DateTimeField(null=True, editable=False)
    # Counts who held it: what one of them wrote is told from what the next one writes.
    fence = models.BigIntegerField(default=0, editable=False)

    class Meta:
        abstract = True


class Lease(Leased):
    """Who works at something that has no row of its own, and of which only one may at a time."""

    key = models.CharField(primary_key=True, max_length=64)

    def __str__(self) -> str:
        return self.key
