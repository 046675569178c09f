"""How long people have for an alert, and who receives it then."""

from __future__ import annotations

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from monitoring.models.elements import Severity


class ResponseTime(models.Model):
    """Of the alerts of one severity that are raised from now on."""

    severity = models.SmallIntegerField(_("severity"), primary_key=True, choices=Severity.choices)
    working_days = models.PositiveSmallIntegerField(
        _("working days"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(250)],
        help_text=_("Monday to Friday, from the time an alert is raised. Leave empty if these alerts are never due."),
    )
    escalate_to = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        db_index=False,
        verbose_name=_("escalate to"),
        help_text=_("Receives alerts that are overdue, unless their rule names another user."),
    )

    class Meta:
        default_permissions = ("view", "change")
        verbose_name = _("response time")
        verbose_name_plural = _("response times")

    def __str__(self) -> str:
        return str(self.get_severity_display())
