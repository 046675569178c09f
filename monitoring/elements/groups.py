"""Data elements as a business reader looks for them: in groups, by plain names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy
from django.utils.translation import gettext_lazy as _

from monitoring.elements.data_blocks import BY_PATH, group_of_block

PREFIX = "organization."
OTHER = "other"
GROUPS: Mapping[str, tuple[str | Promise, tuple[str, ...]]] = {
    "scores": (
        _("Scores & ratings"),
        ("dnbAssessment", "isHighRiskBusiness", "isDeterioratingBusiness", "isDeterioration"),
    ),
    "legal": (_("Legal events"), ("legalEvents", "exclusions", "significantEvents")),
    "ownership": (
        _("Ownership"),
        ("corporateLinkage", "globalUltimate", "domesticUltimate", "branches", "isStandalone"),
    ),
    "financials": (_("Financials"), ("financials", "yearlyRevenue", "latestFinancials")),
    "contact": (
        _("Address & contact"),
        (
            *("primaryAddress", "registeredAddress", "mailingAddress", "formerPrimaryAddresses"),
            *("telephone", "fax", "websiteAddress", "email", "domain"),
        ),
    ),
    "esg": (_("ESG"), ("esgRanking",)),
    "disruption": (_("External disruption"), ("externalDisruptionImpact",)),
    "payment": (_("Payment"), ("businessTrading",)),
    "diversity": (_("Diversity"), ("socioEconomicInformation",)),
    "management": (_("Management"), ("mostSeniorPrincipal", "currentPrincipals", "mostRecentPrincipals")),
    "company": (
        _("Company data"),
        (
            *("primaryName", "registeredName", "multilingual", "tradeStyleNames", "registrationNumbers"),
            *("preferredRegistrationNumber", "businessEntityType", "dunsControlStatus"),
            *(
                "industryCodes",
                "primaryIndustryCode",
                "numberOfEmployees",
                "startDate",
                "incorporatedDate",
                "legalForm",
            ),
            *("duns", "countryISOAlpha2Code", "controlOwnership", "activities"),
        ),
    ),
}
ORDER = (
    *("company", "scores", "legal", "payment", "ownership", "financials", "esg", "disruption", "contact", "management"),
    "diversity",
)
# What every installation can choose, whether D&B has sent it yet or not.
KNOWN: Mapping[str, str | Promise] = {
    **{path: gettext_lazy(known.label) for path, known in BY_PATH.items() if not path.endswith("*")},
    "primaryName": _("Company name"),
    "registeredName": _("Registered name"),
    "tradeStyleNames": _("Trade names"),
    "registrationNumbers": _("Registration numbers"),
    "businessEntityType": _("Legal form"),
    "dunsControlStatus.operatingStatus": _("Operating status"),
    "industryCodes": _("Industry codes"),
    "numberOfEmployees": _("Number of employees"),
    "dnbAssessment.standardRating": _("D&B rating"),
    "dnbAssessment.failureScore": _("Failure score"),
    "dnbAssessment.delinquencyScore": _("Delinquency score"),
    "dnbAssessment.creditLimitRecommendation": _("Credit limit recommendation"),
    "legalEvents.hasOpenBankruptcy": _("Open bankruptcy"),
    "legalEvents.hasBankruptcy": _("Bankruptcy (open or closed)"),
    "legalEvents.hasInsolvency": _("Insolvency"),
    "legalEvents.hasLiquidation": _("Liquidation"),
    "legalEvents.hasSuspensionOfPayments": _("Suspension of payments"),
    "legalEvents.hasOpenSuits": _("Open suits"),
    "legalEvents.hasOpenLiens": _("Open liens"),
    "legalEvents.hasOpenJudgments": _("Open judgments"),
    "exclusions.hasActiveExclusions": _("Government debarment (SAM exclusion)"),
    "significantEvents": _("Significant events (any)"),
    "corporateLinkage.parent.duns": _("Parent"),
    "corporateLinkage.headQuarter.duns": _("Headquarters"),
    "corporateLinkage.domesticUltimate.duns": _("Domestic ultimate"),
    "corporateLinkage.globalUltimate.duns": _("Global ultimate"),
    "financials": _("Financial statements"),
    "primaryAddress": _("Primary address"),
    "registeredAddress": _("Registered address"),
    "telephone": _("Telephone"),
    "websiteAddress": _("Website"),
    "mostSeniorPrincipal": _("Most senior executive"),
    "currentPrincipals": _("Executives"),
}

# What default rules look for with wildcards.
PATTERNS: Mapping[str, str | Promise] = {
    "legalEvents.hasOpen*": _("Any open legal event"),
    "significantEvents.*": _("Any significant event"),
}

Choices = list[tuple[str | Promise, list[tuple[str, str | Promise]]]]


def group_of(path: str) -> str:
    """The key of a group, or OTHER; by the first name of the path."""
    first = path.removeprefix(PREFIX).split(".", 1)[0]
    by_name = next((key for key, (_label, names) in GROUPS.items() if first in names), "")
    return by_name or group_of_block(path.removeprefix(PREFIX)) or OTHER


def grouped_choices(seen: Iterable[tuple[str, str]]) -> Choices:
    """The known ones and those that D&B has sent, given by path and label, each in its group."""
    paths = {f"{PREFIX}{path}": label for path, label in KNOWN.items()}
    labels = {**dict(seen), **paths}
    found: dict[str, list[tuple[str, str | Promise]]] = {key: [] for key in (*ORDER, OTHER)}
    for path, label in paths.items():
        found[group_of(path)].append((path, label))
    for path in sorted(labels.keys() - paths.keys(), key=lambda path: str(labels[path]).casefold()):
        found[group_of(path)].append((path, labels[path] or path))
    return [(group_label(key), choices) for key, choices in found.items() if choices]


def group_label(key: str) -> str | Promise:
    return GROUPS[key][0] if key in GROUPS else _("Other")
