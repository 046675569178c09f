"""Portfolio notices."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.fields import CompactUUIDField
from core.ids import time_first_id


class Notice(models.Model):
    """A notice about the portfolio; sent like an alert."""

    id = CompactUUIDField(primary_key=True, default=time_first_id, editable=False)
    kind = models.CharField(max_length=32, db_index=True)
    subject = models.TextField(_("subject"))
    text = models.TextField(_("text"))
    url = models.TextField(blank=True)
    created_at = models.DateTimeField(db_index=True)

    class Meta:
        verbose_name = _("portfolio notice")
        verbose_name_plural = _("portfolio notices")

    def __str__(self) -> str:
        return self.subject
