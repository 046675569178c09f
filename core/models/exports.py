"""Lists that people asked for as files."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.fields import CompactUUIDField
from core.ids import time_first_id
from core.models.leases import Leased


class ExportFormat(models.TextChoices):
    XLSX = "xlsx", _("Excel (XLSX)")
    CSV = "csv", "CSV"
    JSON = "json", "JSON"
    DUNS = "txt", _("D-U-N-S numbers, one per line")


class ExportState(models.TextChoices):
    WAITING = "waiting", _("Waiting")
    WRITING = "writing", _("In progress")
    FINISHED = "finished", _("Finished")
    FAILED = "failed", _("Failed")


class Export(Leased):
    """A list as a file. The finished file is kept in blobs, owned by this row's id."""

    id = CompactUUIDField(primary_key=True, default=time_first_id, editable=False)
    listing = models.CharField(max_length=64, help_text=_("The exported list."))
    query = models.TextField(blank=True, help_text=_("The filters, as in the list's address."))
    format = models.CharField(max_length=8, choices=ExportFormat.choices)
    state = models.CharField(max_length=16, choices=ExportState.choices, default=ExportState.WAITING, db_index=True)
    file_name = models.TextField()
    rows = models.PositiveIntegerField(default=0, help_text=_("Number of rows written so far."))
    size = models.BigIntegerField(default=0)
    requested_by = models.TextField(_("requested by"))
    requested_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    seen_as = models.CharField(
        max_length=64,
        blank=True,
        help_text=_(
            "Hash of the registrations that its user could see when the file was written. Empty "
            "if the user could see all."
        ),
    )
    error = models.TextField(blank=True)

    class Meta:
        verbose_name = _("export")
        verbose_name_plural = _("exports")
        indexes = [models.Index(fields=["requested_by", "id"], name="export_by_person")]

    def __str__(self) -> str:
        return self.file_name
