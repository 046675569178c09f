"""How much a change matters, as a table."""

from collections import Counter
from typing import Any

import pytest
from django.utils import timezone

from monitoring.company_page.summary import FACTS
from monitoring.elements.compare import course
from monitoring.elements.data_blocks import BLOCKS
from monitoring.elements.formatting import WORDS, label_of_path, plain_text
from monitoring.elements.groups import group_label, group_of, grouped_choices
from monitoring.elements.labels_catalog import VOCABULARY
from monitoring.elements.severity import (
    BY_PATH,
    CRITICAL_WHEN_TRUE,
    default_label,
    default_severity,
    severity_of_element,
)
from monitoring.models import Element, Severity

SEVERITIES = {
    "organization.dunsControlStatus.operatingStatus": Severity.CRITICAL,
    "organization.dunsControlStatus.operatingStatus.dnbCode": Severity.CRITICAL,
    "organization.dunsControlStatus": Severity.CRITICAL,
    "organization.legalEvents.hasOpenBankruptcy": Severity.CRITICAL,
    "organization.legalEvents": Severity.CRITICAL,
    "organization.legalEvents.hasOpenSuits": Severity.HIGH,
    "organization.significantEvents.hasFire": Severity.HIGH,
    "organization.dnbAssessment.failureScore.classScore": Severity.HIGH,
    "organization.corporateLinkage.globalUltimate.duns": Severity.HIGH,
    "organization.corporateLinkage": Severity.HIGH,
    "organization.primaryName": Severity.MEDIUM,
    "organization.primaryAddress.streetAddress.line1": Severity.MEDIUM,
    "organization.telephone": Severity.LOW,
    "organization.never.heard.of": Severity.LOW,
    "organization.dnbAssessment.failureScore.scoreDate": Severity.NOISE,
    "organization.dnbAssessment.assessmentDate": Severity.NOISE,
    "organization.corporateLinkage.globalUltimateFamilyTreeMembersCount": Severity.NOISE,
    "organization.corporateLinkage.branchesCount": Severity.NOISE,
    "organization.significantEvents.hasBusinessDiscontinued": Severity.NOISE,
}


@pytest.mark.parametrize("path", SEVERITIES)
def test_the_weight_of_a_leaf_or_a_container(path: str) -> None:
    assert default_severity(path) == SEVERITIES[path]


BECOMES: list[tuple[str, Any, Severity]] = [
    ("organization.dunsControlStatus.operatingStatus.dnbCode", 403, Severity.CRITICAL),
    ("organization.dunsControlStatus.operatingStatus.dnbCode", 9074, Severity.HIGH),
    ("organization.dunsControlStatus.operatingStatus", {"dnbCode": 403}, Severity.CRITICAL),
    ("organization.dunsControlStatus.operatingStatus", {"dnbCode": 9074}, Severity.HIGH),
    ("organization.dunsControlStatus", {"operatingStatus": {"dnbCode": 403}}, Severity.CRITICAL),
    ("organization.dunsControlStatus", {"isDelisted": True}, Severity.HIGH),
    ("organization.legalEvents.hasOpenBankruptcy", True, Severity.CRITICAL),
    ("organization.legalEvents.hasOpenBankruptcy", False, Severity.HIGH),
    ("organization.legalEvents", {"hasInsolvency": True}, Severity.CRITICAL),
    ("organization.isHighRiskBusiness", None, Severity.HIGH),
]


@pytest.mark.parametrize(("path", "value", "severity"), BECOMES)
def test_what_is_critical_only_when_it_becomes_so(path: str, value: Any, severity: Severity) -> None:
    element = Element(path=path, severity=default_severity(path), first_seen_at=timezone.now())
    assert severity_of_element(element, value) == severity


FAILURE = "organization.dnbAssessment.failureScore"
IMPROVEMENTS: list[tuple[str, Any, Any, Severity]] = [
    ("organization.dnbAssessment.failureScore.classScore", 4, 3, Severity.MEDIUM),
    ("organization.dnbAssessment.failureScore.classScore", 3, 4, Severity.HIGH),
    # Both are true of its parts.
    ("organization.dnbAssessment.failureScore", {"classScore": 4, "rawScore": 9}, {"classScore": 3, "rawScore": 8},
     Severity.HIGH),
    ("organization.dnbAssessment.standardRating.rating", "5A3", "5A1", Severity.MEDIUM),
    ("organization.businessTrading.summary.paydexScore", 60, 80, Severity.MEDIUM),
    ("organization.legalEvents.hasOpenBankruptcy", True, False, Severity.MEDIUM),
    ("organization.legalEvents.hasOpenSuits", True, None, Severity.MEDIUM),
    ("organization.legalEvents.hasOpenSuits", False, True, Severity.HIGH),
    ("organization.corporateLinkage.parent.duns", "1", "2", Severity.HIGH),
    (f"{FAILURE}.classScoreDescription", "Low to moderate risk", "Low risk", Severity.MEDIUM),
    (f"{FAILURE}.classScoreDescription", "Moderate risk of default", "High risk of default", Severity.HIGH),
    (f"{FAILURE}.classScoreDescription", "Great", "Low risk", Severity.HIGH),
    (f"{FAILURE}.incidenceOfDefault", "0.84%", "0.09%", Severity.MEDIUM),
    (f"{FAILURE}.incidenceOfDefault", 0.09, 0.84, Severity.HIGH),
    # The first value of a score.
    ("organization.dnbAssessment.failureScore.nationalPercentile", None, 55, Severity.MEDIUM),
    ("organization.dnbAssessment.failureScore", {"rawScore": None}, {"rawScore": 900}, Severity.MEDIUM),
    ("organization.dnbAssessment.standardRating.rating", "", "5A1", Severity.MEDIUM),
    ("organization.corporateLinkage.parent.duns", None, "2", Severity.HIGH),
]  # fmt: skip


@pytest.mark.parametrize(("path", "before", "after", "severity"), IMPROVEMENTS)
def test_an_improvement_is_never_more_than_medium(path: str, before: Any, after: Any, severity: Severity) -> None:
    element = Element(path=path, severity=default_severity(path), first_seen_at=timezone.now())
    assert severity_of_element(element, after, before) == severity


def test_a_raised_limit_is_better() -> None:
    limits = "organization.dnbAssessment.creditLimitRecommendation.maximumRecommendedLimit"
    low, high = {"value": 5, "currency": "EUR"}, {"value": 9, "currency": "EUR"}
    assert course(limits, low, high) == "better" and course(limits, high, low) == "worse"


def test_what_people_set_is_the_upper_bound() -> None:
    element = Element(path="organization.isHighRiskBusiness", severity=Severity.LOW, first_seen_at=timezone.now())
    assert severity_of_element(element, True) == Severity.LOW


def test_what_people_raise_to_critical_needs_no_condition() -> None:
    element = Element(path="organization.telephone", severity=Severity.CRITICAL, first_seen_at=timezone.now())
    assert severity_of_element(element, []) == Severity.CRITICAL


LABELS = {
    "organization.primaryName": "Primary name",
    "organization.dunsControlStatus.operatingStatus": "Operating status (duns control status)",
    "organization": "organization",
    "organization.dnbAssessment.failureScore.classScore": "Failure score class",
}


@pytest.mark.parametrize("path", LABELS)
def test_paths_become_words(path: str) -> None:
    assert default_label(path) in (LABELS[path], LABELS[path].capitalize())


def test_the_names_of_what_matters_can_be_translated() -> None:
    """The catalogues take them from the vocabulary: paths hold them in D&B's spelling only."""
    paths = [path for path, _ in BY_PATH] + list(CRITICAL_WHEN_TRUE) + [path for path, _ in FACTS]
    names = {name for path in paths for name in path.split(".") if "*" not in name}
    known = {*VOCABULARY, *WORDS.values()}
    assert {name for name in names if plain_text(name) not in known} == set()


BLOCK_SEVERITIES = {
    "esgRanking.environmentalRanking.score": Severity.MEDIUM,
    "esgRanking.dataDepth": Severity.LOW,
    "externalDisruptionImpact.overallIndex": Severity.HIGH,
    "dnbAssessment.supplierEvaluationRiskScore.classScore": Severity.HIGH,
    "dnbAssessment.supplierEvaluationRiskScore.scoreDate": Severity.NOISE,
    "beneficialOwnership.beneficialOwners": Severity.HIGH,
    "shareholders": Severity.HIGH,
    "latestFiscalFinancials.overview.netIncome": Severity.HIGH,
    "latestFiscalFinancials.overview.salesRevenue": Severity.MEDIUM,
    "latestFiscalFinancials": Severity.MEDIUM,
    "businessTrading": Severity.MEDIUM,
    "businessTrading.summary.paydexScore": Severity.HIGH,
    "businessTrading.summary.numberOfExperiences": Severity.MEDIUM,
    "legalEvents.hasSuits": Severity.MEDIUM,
    "exclusions.description": Severity.HIGH,
    "violations": Severity.HIGH,
    "socioEconomicInformation.isFemaleOwned": Severity.LOW,
    "financials": Severity.LOW,
}


@pytest.mark.parametrize("path", BLOCK_SEVERITIES)
def test_elements_of_further_blocks_have_the_severity_of_the_closest_entry(path: str) -> None:
    assert default_severity(f"organization.{path}") == BLOCK_SEVERITIES[path]


@pytest.mark.parametrize(
    ("path", "label", "group"),
    [
        ("esgRanking", "ESG ranking", "ESG"),
        ("dnbAssessment.viabilityRating", "Viability rating", "Scores & ratings"),
        ("dnbAssessment.historyRating", "History rating", "Scores & ratings"),
        ("externalDisruptionImpact", "External disruption impact", "External disruption"),
        ("beneficialOwners", "Beneficial owners", "Ownership"),
        ("latestFiscalFinancials.auditQualification", "Auditor's qualification", "Financials"),
        ("businessTrading.summary.paydexScore", "Payment index (Paydex)", "Payment"),
        ("financingEvents", "Financing events", "Legal events"),
        ("socioEconomicInformation.isVeteranOwned", "Veteran-owned", "Diversity"),
    ],
)
def test_elements_of_further_blocks_have_words_and_a_group(path: str, label: str, group: str) -> None:
    assert default_label(f"organization.{path}") == label
    assert label_of_path(f"organization.{path}") == label
    assert str(group_label(group_of(f"organization.{path}"))) == group


def test_elements_that_can_be_chosen_have_distinct_labels_which_changes_carry() -> None:
    labels = Counter(str(label) for _group, found in grouped_choices([]) for _path, label in found)
    assert max(labels.values()) == 1, labels.most_common(3)
    bankruptcy = label_of_path("organization.legalEvents.hasBankruptcy")
    assert bankruptcy == "Bankruptcy (open or closed)" and bankruptcy in labels


def test_abbreviations_are_written_as_such() -> None:
    labels = {
        "esgRanking.score": "Score (ESG ranking)",
        "covid19Impact.score": "Score (COVID-19 impact)",
        "violations.hasOSHAViolations": "OSHA violations (violations)",
    }
    assert {path: label_of_path(f"organization.{path}") for path in labels} == labels


def test_every_entry_of_the_table_has_the_group_it_stands_under() -> None:
    wrong = {path: group for group, paths in BLOCKS.items() for path in paths if group_of(path.rstrip("*")) != group}
    assert wrong == {}
