"""What stands at the moment, in numbers, for pages that may not count themselves."""

from __future__ import annotations

from django.db import models


class CachedCount(models.Model):
    """Numbers of one kind, counted anew by a job every few minutes and after what people do; never incremented."""

    what = models.CharField(primary_key=True, max_length=32)
    numbers = models.TextField(help_text="JSON.")
    counted_at = models.DateTimeField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.what
