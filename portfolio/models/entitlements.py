"""What the key of a contract may use at D&B."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from portfolio.models.contracts import Contract


class Entitlements(models.Model):
    """D&B's last answer about a contract's key, whole: how it is laid out is not known, so it is read tolerantly."""

    contract = models.OneToOneField(Contract, primary_key=True, on_delete=models.PROTECT)
    answer = models.TextField(blank=True, help_text=_("D&B's full response, as JSON. Empty until D&B has responded."))
    fetched_at = models.DateTimeField(_("updated"), null=True)
    error = models.TextField(blank=True, help_text=_("Reason for the failure of the last attempt."))
    failed_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ("view",)
        verbose_name = _("entitlements")
        verbose_name_plural = _("entitlements")

    def __str__(self) -> str:
        return gettext("Entitlements of contract “%(contract)s”") % {"contract": self.contract_id}
