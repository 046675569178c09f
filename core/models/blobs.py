"""Exact bytes, in parts that fit a row on every engine."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.fields import CompactUUIDField


class Blob(models.Model):
    """Exact bytes of an answer, file or upload, compressed, in parts of at most 4 MB (MongoDB holds 16 MB a row)."""

    key = models.CharField(primary_key=True, max_length=48)
    owner = CompactUUIDField(db_index=True)
    part = models.PositiveIntegerField()
    data = models.BinaryField()

    class Meta:
        verbose_name_plural = _("stored bytes")

    def __str__(self) -> str:
        return self.key
