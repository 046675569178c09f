"""What we watch: contracts with D&B, their registrations, the companies in them, and what people want of them."""

from portfolio.models.contracts import (
    AccessToken,
    Cadence,
    Company,
    Contract,
    Registration,
    RegistrationState,
    StoredBytes,
    ThrottleSlot,
)
from portfolio.models.imports import ImportMode, ImportState, SubjectImport, Verdict
from portfolio.models.notes import CompanyNote
from portfolio.models.records import (
    AuditEntry,
    Export,
    ExportFormat,
    ExportState,
    Notice,
    Proposal,
    ProposalKind,
    ProposalState,
    SoloAct,
)
from portfolio.models.references import ExternalReference, KeySpending
from portfolio.models.saved_filters import SavedFilter
from portfolio.models.subjects import CheckState, ListCheck, Subject, SubjectState, SyncRun, SyncState, WorkLease
from portfolio.models.tallies import Tally

__all__ = [
    "AccessToken",
    "AuditEntry",
    "Cadence",
    "CheckState",
    "Company",
    "CompanyNote",
    "Contract",
    "Export",
    "ExportFormat",
    "ExportState",
    "ExternalReference",
    "ImportMode",
    "ImportState",
    "KeySpending",
    "ListCheck",
    "Notice",
    "Proposal",
    "ProposalKind",
    "ProposalState",
    "Registration",
    "RegistrationState",
    "SavedFilter",
    "SoloAct",
    "StoredBytes",
    "Subject",
    "SubjectImport",
    "SubjectState",
    "SyncRun",
    "SyncState",
    "Tally",
    "ThrottleSlot",
    "Verdict",
    "WorkLease",
]
