"""Rows that any app may use."""

from core.models.audit import AuditEntry
from core.models.blobs import StoredBytes
from core.models.cached_counts import Tally
from core.models.clock import Clock
from core.models.exports import Export, ExportFormat, ExportState
from core.models.leases import Leased, WorkLease
from core.models.notices import Notice
from core.models.saved_filters import SavedFilter

__all__ = [
    "AuditEntry",
    "Clock",
    "Export",
    "ExportFormat",
    "ExportState",
    "Leased",
    "Notice",
    "SavedFilter",
    "StoredBytes",
    "Tally",
    "WorkLease",
]
