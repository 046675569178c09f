"""What we watch: contracts with D&B, their registrations, the companies in them, and what people request."""

from portfolio.models.api_key_usage import ApiKeyUsage
from portfolio.models.call_budgets import DEFAULT_CALLS_PER_MONTH, CallBudget, CallKind, CallMonth, CallOutcome, DnbCall
from portfolio.models.companies import INDEXED_WHERE_KNOWN, MERGED, Company, Tier
from portfolio.models.company_searches import CompanySearch, SearchState
from portfolio.models.company_words import CompanyWord
from portfolio.models.contracts import AccessToken, Contract, RateLimitSlot
from portfolio.models.entitlements import Entitlements
from portfolio.models.exposures import ExchangeRate, ExposureImport, ExposureMode, ExposureSettings
from portfolio.models.external_references import ExternalReference
from portfolio.models.figures import FLAG_LABELS, Flag, Size
from portfolio.models.imports import ImportMode, ImportState, SubjectImport, Validation
from portfolio.models.membership_checks import CheckState, MembershipCheck
from portfolio.models.memberships import Membership
from portfolio.models.notes import CompanyNote
from portfolio.models.proposals import OF_COMPANY, Proposal, ProposalKind, ProposalState
from portfolio.models.reference_data import ReferenceCategory, ReferenceCode, ReferenceList
from portfolio.models.registrations import LIST_INCOMPLETE, Cadence, Registration, RegistrationState, UnitRegistration
from portfolio.models.single_person_acts import SinglePersonAct
from portfolio.models.subjects import Subject, SubjectState
from portfolio.models.sync_runs import SyncRun, SyncState

__all__ = [
    "DEFAULT_CALLS_PER_MONTH",
    "FLAG_LABELS",
    "INDEXED_WHERE_KNOWN",
    "LIST_INCOMPLETE",
    "MERGED",
    "OF_COMPANY",
    "AccessToken",
    "Cadence",
    "CallBudget",
    "CallKind",
    "CallMonth",
    "CallOutcome",
    "CheckState",
    "Company",
    "CompanyNote",
    "CompanySearch",
    "CompanyWord",
    "Contract",
    "DnbCall",
    "Entitlements",
    "ExchangeRate",
    "ExposureImport",
    "ExposureMode",
    "ExposureSettings",
    "ExternalReference",
    "Flag",
    "ImportMode",
    "ImportState",
    "ApiKeyUsage",
    "Membership",
    "MembershipCheck",
    "Proposal",
    "ProposalKind",
    "ProposalState",
    "ReferenceCategory",
    "ReferenceCode",
    "ReferenceList",
    "Registration",
    "RegistrationState",
    "SearchState",
    "SinglePersonAct",
    "Size",
    "Subject",
    "SubjectImport",
    "SubjectState",
    "SyncRun",
    "SyncState",
    "Tier",
    "RateLimitSlot",
    "UnitRegistration",
    "Validation",
]
