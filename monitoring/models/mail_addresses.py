"""Mail addresses whose holders were asked whether they want this program's mail."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.fields import CompactUUIDField


class MailAddress(models.Model):
    """An address that is nobody's own here gets messages after its holder has said yes. The address is the key."""

    id = CompactUUIDField(primary_key=True, editable=False)
    address = models.TextField()
    asked_at = models.DateTimeField(null=True, help_text=_("When its holder was asked last."))
    asked_times = models.PositiveSmallIntegerField(default=0)
    confirmed_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        verbose_name = _("mail address")
        verbose_name_plural = _("mail addresses")

    def __str__(self) -> str:
        return self.address
