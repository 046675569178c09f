"""Rows that any app may use."""

from core.models.audit import AuditEntry
from core.models.blobs import Blob
from core.models.cached_counts import CachedCount
from core.models.clock import Clock
from core.models.exports import Export, ExportFormat, ExportState
from core.models.leases import Lease, Leased
from core.models.notices import Notice
from core.models.saved_filters import SavedFilter
from core.models.units import BusinessUnit, OfUnit, unrestricted

__all__ = [
    "AuditEntry",
    "BusinessUnit",
    "OfUnit",
    "unrestricted",
    "Clock",
    "Export",
    "ExportFormat",
    "ExportState",
    "Leased",
    "Notice",
    "SavedFilter",
    "Blob",
    "CachedCount",
    "Lease",
]
