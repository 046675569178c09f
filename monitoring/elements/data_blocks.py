"""Elements of D&B's further data blocks, with the words and the severity that a risk manager would give them.

A table as data: a path stands for all below it that it does not name itself. `*` at its end stands for any names that
begin so, since D&B's blocks differ in them by level and version.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from django.utils.translation import gettext_noop as _

from monitoring.models import Severity

LOW, MEDIUM, HIGH = Severity.LOW, Severity.MEDIUM, Severity.HIGH


class Known(NamedTuple):
    label: str
    severity: Severity


# By group, as in groups.py, and by the block that holds them.
BLOCKS: Mapping[str, Mapping[str, Known]] = {
    "scores": {
        # Third-party risk, and the other scores of the assessment.
        "dnbAssessment.supplierEvaluationRisk*": Known(_("Supplier evaluation risk"), HIGH),
        "dnbAssessment.supplierStabilityIndex*": Known(_("Supplier stability index"), HIGH),
        "dnbAssessment.thirdPartyRisk*": Known(_("Third-party risk"), HIGH),
        "dnbAssessment.viabilityRating": Known(_("Viability rating"), HIGH),
        "dnbAssessment.nordicAAARating": Known(_("AAA rating (Nordic countries)"), HIGH),
        "dnbAssessment.creditLimitRecommendation": Known(_("Credit limit recommendation"), MEDIUM),
        "dnbAssessment.emergenceScore": Known(_("Emergence score"), MEDIUM),
        "dnbAssessment.layOffScore": Known(_("Layoff score"), MEDIUM),
        "dnbAssessment.financialCondition": Known(_("Financial condition"), HIGH),
        "dnbAssessment.historyRating": Known(_("History rating"), MEDIUM),
        "dnbAssessment.organizationSizeScore": Known(_("Organization size score"), LOW),
        "cyberRisk*": Known(_("Cyber risk"), HIGH),
    },
    "esg": {
        "esgRanking*": Known(_("ESG ranking"), MEDIUM),
        "esgRanking.environmental*": Known(_("Environmental ranking"), MEDIUM),
        "esgRanking.social*": Known(_("Social ranking"), MEDIUM),
        "esgRanking.governance*": Known(_("Governance ranking"), MEDIUM),
        "esgRanking.dataDepth": Known(_("Data depth of the ESG ranking"), LOW),
        "esgClimate*": Known(_("Climate risk"), MEDIUM),
        "esgCertifications": Known(_("ESG certifications"), LOW),
    },
    "disruption": {
        "externalDisruption*": Known(_("External disruption"), HIGH),
        "externalDisruptionImpact.overall*": Known(_("External disruption, overall"), HIGH),
        "covid19*": Known(_("COVID-19 impact"), LOW),
    },
    "ownership": {
        "beneficialOwner*": Known(_("Beneficial owners"), HIGH),
        "shareholders": Known(_("Shareholders"), HIGH),
        "minorityOwners": Known(_("Minority owners"), MEDIUM),
        "controlOwnershipType": Known(_("Type of ownership"), MEDIUM),
        "controlOwnershipDate": Known(_("Date of the last change of ownership"), HIGH),
        "isStandalone": Known(_("Standalone company"), MEDIUM),
        "subsidiaries": Known(_("Subsidiaries"), LOW),
        "franchiseOperationType": Known(_("Franchise"), LOW),
    },
    "financials": {
        "latestFiscalFinancials": Known(_("Latest annual statement"), MEDIUM),
        "latestFiscalFinancials.overview.netIncome": Known(_("Net income"), HIGH),
        "latestFiscalFinancials.overview.tangibleNetWorth": Known(_("Tangible net worth"), HIGH),
        "latestFiscalFinancials.overview.netWorth": Known(_("Net worth"), HIGH),
        "latestFiscalFinancials.overview.salesRevenue": Known(_("Sales revenue"), MEDIUM),
        "latestFiscalFinancials.auditQualification": Known(_("Auditor's qualification"), HIGH),
        "previousFiscalFinancials": Known(_("Earlier annual statements"), LOW),
        "latestInterimFinancials": Known(_("Latest interim statement"), MEDIUM),
        "otherFinancials": Known(_("Other financial statements"), LOW),
        "capitalDetails": Known(_("Capital"), MEDIUM),
        "stockExchanges": Known(_("Stock exchanges"), LOW),
    },
    "payment": {
        "businessTrading": Known(_("Payment and trading experiences"), MEDIUM),
        "businessTrading.summary.paydexScore": Known(_("Payment index (Paydex)"), HIGH),
        "businessTrading.summary.averageHighCreditAmount": Known(_("Average high credit"), LOW),
        "businessTrading.summary.totalPastDueAmount": Known(_("Amount past due"), HIGH),
        "businessTrading.summary.paydexScoreHistory": Known(_("History of the payment index"), Severity.NOISE),
        "paydex*": Known(_("Payment index (Paydex)"), HIGH),
        "slowPayments": Known(_("Slow payments"), HIGH),
    },
    "legal": {
        # Filings and events.
        "legalEvents": Known(_("Legal events"), MEDIUM),
        "financingEvents": Known(_("Financing events"), MEDIUM),
        "financingEvents.hasSecuredFilings": Known(_("Secured filings (financing events)"), MEDIUM),
        "legalEvents.hasSecuredFilings": Known(_("Secured filings (legal events)"), MEDIUM),
        "violations": Known(_("Violations of regulations"), HIGH),
        "exclusions": Known(_("Government debarments"), HIGH),
        "specialEvents": Known(_("Special events"), HIGH),
        "influentialEvents": Known(_("Influential events"), HIGH),
        "awards": Known(_("Government awards"), LOW),
        "sanctions": Known(_("Sanctions"), HIGH),
    },
    "diversity": {
        "socioEconomicInformation": Known(_("Socioeconomic information"), LOW),
        "socioEconomicInformation.isMinorityOwned": Known(_("Minority-owned"), LOW),
        "socioEconomicInformation.isFemaleOwned": Known(_("Woman-owned"), LOW),
        "socioEconomicInformation.isVeteranOwned": Known(_("Veteran-owned"), LOW),
        "socioEconomicInformation.isSmallBusiness": Known(_("Small business"), LOW),
        "diversityCertifications": Known(_("Diversity certifications"), MEDIUM),
        "certifications": Known(_("Certifications"), MEDIUM),
    },
}
BY_PATH: Mapping[str, Known] = {path: known for paths in BLOCKS.values() for path, known in paths.items()}


def holding(bare: str) -> str:
    """Of the table's paths that hold a path, the one that names it most closely."""
    return max((path for path in BY_PATH if holds(path, bare)), key=len, default="")


def holds(path: str, bare: str) -> bool:
    """Whether it is named by the table's path, or lies below it."""
    return bare.startswith(path[:-1]) if path.endswith("*") else bare == path or bare.startswith(f"{path}.")


# As the columns of companies name them; and what people could take for another element.
LEAVES = {
    "legalEvents.hasBankruptcy": _("Bankruptcy (open or closed)"),
    "dnbAssessment.failureScore.classScore": _("Failure score class"),
    "dnbAssessment.delinquencyScore.classScore": _("Delinquency score class"),
}


def own_label(bare: str) -> str:
    """Of what the table itself names, not of what lies below."""
    known = BY_PATH.get(bare) or BY_PATH.get(f"{bare}*")
    return known.label if known else LEAVES.get(bare, "")


def group_of_block(bare: str) -> str:
    found = holding(bare)
    return next((group for group, paths in BLOCKS.items() if found in paths), "")
