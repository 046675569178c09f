"""Files that are written by themselves at a time of day, for systems that take their data that way."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.fields import CompactUUIDField
from core.ids import time_first_id
from core.models.saved_filters import SavedFilter
from monitoring.models.file_servers import FileServer
from portfolio.models.registrations import check_timezone


class ExportContent(models.TextChoices):
    CHANGES = "changes", _("The changes since the last file")
    COMPANIES = "companies", _("All companies of the filter")


class FileFormat(models.TextChoices):
    CSV = "csv", "CSV"
    XLSX = "xlsx", _("Excel (XLSX)")
    JSON_LINES = "jsonl", _("JSON lines")


class ScheduledExport(models.Model):
    """A file a day: what is in it, where it goes and when. A marker beside it says that it is complete."""

    id = CompactUUIDField(primary_key=True, default=time_first_id, editable=False)
    name = models.SlugField(_("name"), max_length=60, unique=True, help_text=_("The files' names begin so."))
    content = models.CharField(
        _("content"), max_length=16, choices=ExportContent.choices, default=ExportContent.CHANGES
    )
    filters = models.TextField(
        _("filters"), blank=True, help_text=_("As in the API's address: country=DE,AT&severity=high.")
    )
    saved_filter = models.ForeignKey(
        SavedFilter,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        help_text=_("Instead of filters written here: one that is saved and shared above the list, with its columns."),
        verbose_name=_("saved filter"),
    )
    format = models.CharField(_("format"), max_length=8, choices=FileFormat.choices, default=FileFormat.CSV)
    server = models.ForeignKey(
        FileServer,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        help_text=_("Sent there by SFTP; empty: kept here."),
        verbose_name=_("server"),
    )
    folder = models.CharField(
        _("folder"),
        max_length=300,
        blank=True,
        help_text=_("Below the folder for exports, or below the server's; empty: right there."),
    )
    at = models.TimeField(_("at"), help_text=_("When, every day."))
    zone = models.CharField(_("zone"), max_length=64, default="UTC", validators=[check_timezone])
    is_active = models.BooleanField(_("is active"), default=True)
    cursor = models.TextField(blank=True, editable=False, help_text=_("Where the feed goes on for the next file."))
    due_at = models.DateTimeField(db_index=True, editable=False)
    ran_at = models.DateTimeField(null=True, editable=False)
    file_name = models.TextField(blank=True, editable=False, help_text=_("The last file."))
    rows = models.PositiveIntegerField(_("rows"), null=True, editable=False, help_text=_("Rows in the last file."))
    error = models.TextField(blank=True, editable=False)

    class Meta:
        verbose_name = _("scheduled export")
        verbose_name_plural = _("scheduled exports")

    def __str__(self) -> str:
        return self.name
