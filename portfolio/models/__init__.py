"""What we watch: contracts with D&B, their registrations, the companies in them, and what people want of them."""

from portfolio.models.approvals import SoloAct
from portfolio.models.contracts import (
    AccessToken,
    Cadence,
    Company,
    Contract,
    Registration,
    RegistrationState,
    ThrottleSlot,
)
from portfolio.models.imports import ImportMode, ImportState, SubjectImport, Verdict
from portfolio.models.notes import CompanyNote
from portfolio.models.proposals import Proposal, ProposalKind, ProposalState
from portfolio.models.references import ExternalReference, KeySpending
from portfolio.models.subjects import CheckState, ListCheck, Subject, SubjectState, SyncRun, SyncState

__all__ = [
    "AccessToken",
    "Cadence",
    "CheckState",
    "Company",
    "CompanyNote",
    "Contract",
    "ExternalReference",
    "ImportMode",
    "ImportState",
    "KeySpending",
    "ListCheck",
    "Proposal",
    "ProposalKind",
    "ProposalState",
    "Registration",
    "RegistrationState",
    "SoloAct",
    "Subject",
    "SubjectImport",
    "SubjectState",
    "SyncRun",
    "SyncState",
    "ThrottleSlot",
    "Verdict",
]
