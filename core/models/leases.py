"""Work of which only one process may do any at a time."""

from __future__ import annotations

from django.db import models

from core.fields import CompactUUIDField


class WorkLease(models.Model):
    """Who works at something of which only one may at a time; ends by itself, by the database's clock."""

    key = models.CharField(primary_key=True, max_length=64)
    owner = CompactUUIDField(null=True)
    until = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.key
