"""Who did what."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.fields import CompactUUIDField
from core.ids import time_first_id


class AuditEntry(models.Model):
    """Who did what to what, with before and after. Never changed, never deleted by the program."""

    id = CompactUUIDField(primary_key=True, default=time_first_id, editable=False)
    at = models.DateTimeField()
    actor = models.TextField(help_text=_("A user, an API key or a job."))
    actor_id = CompactUUIDField(
        null=True, help_text=_("The id of the user or key, which stays the same when the name changes.")
    )
    action = models.CharField(max_length=64)
    what = models.CharField(max_length=64, help_text=_("Type of the object."))
    key = models.CharField(max_length=128, help_text=_("Key of the object."))
    summary = models.TextField()
    before = models.TextField(blank=True, help_text="JSON")
    after = models.TextField(blank=True, help_text="JSON")

    class Meta:
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit entries")
        indexes = [
            models.Index(fields=["what", "key", "id"], name="audit_by_thing"),
            models.Index(fields=["action", "id"], name="audit_by_action"),
            models.Index(fields=["actor", "id"], name="audit_by_actor"),
        ]

    def __str__(self) -> str:
        return self.summary
