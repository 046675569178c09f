"""Files that are written automatically at a time of day, for systems that import files."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.fields import CompactUUIDField
from core.ids import time_first_id
from core.models.saved_filters import SavedFilter
from core.models.units import OfUnit
from monitoring.models.file_servers import FileServer
from portfolio.models.registrations import check_timezone


class ExportContent(models.TextChoices):
    CHANGES = "changes", _("Changes since the previous file")
    COMPANIES = "companies", _("All companies that match the filter")


class FileFormat(models.TextChoices):
    CSV = "csv", "CSV"
    XLSX = "xlsx", _("Excel (XLSX)")
    JSON_LINES = "jsonl", _("JSON lines")


class ScheduledExport(OfUnit):
    """A file a day: what is in it, where it goes and when. A marker beside it says that it is complete."""

    id = CompactUUIDField(primary_key=True, default=time_first_id, editable=False)
    name = models.SlugField(
        _("name"),
        max_length=60,
        unique=True,
        help_text=_("File names begin with it. Letters, digits, hyphens and underscores only, such as daily_changes."),
    )
    content = models.CharField(
        _("content"), max_length=16, choices=ExportContent.choices, default=ExportContent.CHANGES
    )
    filters = models.TextField(
        _("filters"),
        blank=True,
        help_text=_(
            "The API's filter parameters, such as country=DE,AT&severity=high. Leave empty to include everything."
        ),
    )
    saved_filter = models.ForeignKey(
        SavedFilter,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        help_text=_("Use a shared saved filter and its columns instead of the filters above."),
        verbose_name=_("saved filter"),
    )
    format = models.CharField(_("format"), max_length=8, choices=FileFormat.choices, default=FileFormat.CSV)
    server = models.ForeignKey(
        FileServer,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        help_text=_("Files are sent to this server by SFTP. Leave empty to keep them on this machine."),
        verbose_name=_("file server"),
    )
    folder = models.CharField(
        _("folder"),
        max_length=300,
        blank=True,
        help_text=_("Subfolder of the export folder or of the server's folder. Leave empty to use that folder itself."),
    )
    at = models.TimeField(_("time"), help_text=_("The file is written every day at this time."))
    zone = models.CharField(_("time zone"), max_length=64, default="UTC", validators=[check_timezone])
    is_active = models.BooleanField(_("enabled"), default=True)
    cursor = models.TextField(
        blank=True, editable=False, help_text=_("Position in the feed from which the next file continues.")
    )
    due_at = models.DateTimeField(db_index=True, editable=False)
    ran_at = models.DateTimeField(null=True, editable=False)
    file_name = models.TextField(blank=True, editable=False, help_text=_("The latest file."))
    rows = models.PositiveIntegerField(_("rows"), null=True, editable=False, help_text=_("Rows in the latest file."))
    error = models.TextField(blank=True, editable=False)
    failed_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        verbose_name = _("scheduled export")
        verbose_name_plural = _("scheduled exports")

    def __str__(self) -> str:
        return self.name
