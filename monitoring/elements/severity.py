"""How much a change matters, and the words people see for an element.

docs/develop/direct_plus.md#what-matters-in-a-change says why.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from monitoring.elements import data_blocks
from monitoring.elements.compare import course
from monitoring.elements.score_dates import DATES
from monitoring.models import Element, Kind, Severity

PREFIX = "organization."

# hasBusinessDiscontinued is not to be used.
NOISE = (
    "significantEvents.hasBusinessDiscontinued",
    "corporateLinkage.globalUltimateFamilyTreeMembersCount",
    "corporateLinkage.branchesCount",
    "branchesCount",
    "globalUltimateFamilyTreeMembersCount",
)
NOISE_ENDINGS = tuple(f".{name}" for name in DATES)

SCORES = ("dnbAssessment.failureScore", "dnbAssessment.delinquencyScore", "dnbAssessment.standardRating")
CRITICAL_WHEN_TRUE = (
    "legalEvents.hasOpenBankruptcy",
    "legalEvents.hasBankruptcy",
    "legalEvents.hasInsolvency",
    "legalEvents.hasLiquidation",
    "legalEvents.hasSuspensionOfPayments",
    "exclusions.hasActiveExclusions",
    "isHighRiskBusiness",
    "isDeterioratingBusiness",
)
# Of which the end is an improvement.
WARNINGS = (*CRITICAL_WHEN_TRUE, "legalEvents.hasOpen*")
IMPROVED = Severity.MEDIUM
OPERATING_STATUS = "dunsControlStatus.operatingStatus"
OUT_OF_BUSINESS = 403

BY_PATH: tuple[tuple[str, Severity], ...] = (
    (OPERATING_STATUS, Severity.CRITICAL),
    *((path, Severity.CRITICAL) for path in CRITICAL_WHEN_TRUE),
    *(
        (path, Severity.HIGH)
        for path in (
            "legalEvents.hasOpen*",
            "significantEvents",
            *SCORES,
            "corporateLinkage.globalUltimate",
            "corporateLinkage.domesticUltimate",
            "corporateLinkage.parent",
            "corporateLinkage.headQuarter",
        )
    ),
    *(
        (path, Severity.MEDIUM)
        for path in (
            "primaryName",
            "registeredName",
            "registrationNumbers",
            "businessEntityType",
            "primaryAddress",
            "registeredAddress",
            "mostSeniorPrincipal",
            "businessTrading",
        )
    ),
    *(
        (path, Severity.LOW)
        for path in ("telephone", "websiteAddress", "industryCodes", "numberOfEmployees", "financials")
    ),
)

BY_KIND: Mapping[str, Severity] = {
    Kind.BASELINE: Severity.LOW,
    Kind.DELETED: Severity.CRITICAL,
    Kind.RESTORED: Severity.HIGH,
    Kind.TRANSFERRED: Severity.CRITICAL,
    Kind.UNDER_REVIEW: Severity.HIGH,
    Kind.REVIEWED: Severity.LOW,
    Kind.LEFT: Severity.HIGH,
    Kind.ENTERED: Severity.LOW,
    Kind.REMOVED: Severity.HIGH,
    Kind.UNKNOWN: Severity.MEDIUM,
}


def default_severity(path: str) -> Severity:
    """The severity of an element, which may be a leaf or a container of what the table lists."""
    bare = path.removeprefix(PREFIX)
    if bare in NOISE or bare.endswith(NOISE_ENDINGS):
        return Severity.NOISE
    matches = [severity for known, severity in BY_PATH if _related(bare, known)]
    return max([*matches, *_of_blocks(bare)], default=Severity.LOW)


def _of_blocks(bare: str) -> Iterator[Severity]:
    """Of what the table of blocks names, or holds: the closest. A container that no table names has that of its
    parts."""
    if found := data_blocks.holding(bare):
        yield data_blocks.BY_PATH[found].severity
    elif not any(bare == known for known, _ in BY_PATH):
        yield from (known.severity for path, known in data_blocks.BY_PATH.items() if path.startswith(f"{bare}."))


def _related(path: str, known: str) -> bool:
    if known.endswith("*"):
        return path.startswith(known[:-1]) or known.startswith(path + ".")
    return path == known or path.startswith(known + ".") or known.startswith(path + ".")


def severity_of_element(element: Element, current: Any, previous: Any = None) -> Severity:
    """An element's severity for this new value: what is critical only when it becomes so is high otherwise. What got
    better is never more than medium, nor is the first value of a score, which says nothing of a decline."""
    severity = _of_value(element, current)
    if severity <= IMPROVED:
        return severity
    is_mild = is_first_score(element.path, previous) or is_improvement(element.path, previous, current)
    return IMPROVED if is_mild else severity


def is_first_score(path: str, previous: Any) -> bool:
    """A score or rating, or a part of one, that had no value before."""
    bare = path.removeprefix(PREFIX)
    return _is_empty(previous) and any(bare == score or bare.startswith(f"{score}.") for score in SCORES)


def _is_empty(value: Any) -> bool:
    """Also a container without any value."""
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return value is None or value == "" or (isinstance(value, dict | list) and all(map(_is_empty, parts)))


def is_improvement(path: str, previous: Any, current: Any) -> bool:
    """A score that got better, or a warning that D&B has withdrawn."""
    if previous is True and current in (False, None):
        return any(_related(path.removeprefix(PREFIX), known) for known in WARNINGS)
    return course(path, previous, current) == "better"


def _of_value(element: Element, current: Any) -> Severity:
    severity = Severity(element.severity)
    if severity < Severity.CRITICAL:
        return severity
    path = element.path.removeprefix(PREFIX)
    conditions = [known for known, level in BY_PATH if level == Severity.CRITICAL and _related(path, known)]
    if not conditions or any(_has_come_true(known, path, current) for known in conditions):
        return severity
    return Severity.HIGH


def _has_come_true(known: str, path: str, current: Any) -> bool:
    """Whether `current`, the value at `path`, fulfils what makes the known element critical."""
    value = _below(current, known[len(path) + 1 :].split(".")) if known.startswith(path + ".") else current
    if known != OPERATING_STATUS:
        return value is True
    if isinstance(value, dict):
        value = value.get("dnbCode")
    return value == OUT_OF_BUSINESS and not isinstance(value, bool)


def _below(value: Any, names: list[str]) -> Any:
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def default_label(path: str) -> str:
    """`organization.dunsControlStatus.operatingStatus` → "Operating status (duns control status)"."""
    if known := data_blocks.own_label(path.removeprefix(PREFIX)):
        return known
    names = [_words(name) for name in path.removeprefix(PREFIX).split(".") if name]
    if not names:
        return path
    label = names[-1][:1].upper() + names[-1][1:]
    return f"{label} ({names[-2]})" if len(names) > 1 else label


def _words(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name).lower()
