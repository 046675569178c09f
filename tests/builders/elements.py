"""Elements whose values D&B says have changed."""

from typing import Any

from tests.builders.times import stamp

STATUS = "organization.dunsControlStatus.operatingStatus"
BANKRUPTCY = "organization.legalEvents.hasOpenBankruptcy"
PERCENTILE = "organization.dnbAssessment.failureScore.nationalPercentile"
ACTIVE, OUT = {"description": "Active", "dnbCode": 9074}, {"description": "Out of business", "dnbCode": 403}


def an_element(
    element: str = "organization.primaryName",
    previous: Any = "OLD NAME LTD",
    current: Any = "NEW NAME LTD",
    timestamp: str | None = None,
) -> dict[str, Any]:
    return {
        "element": element,
        "previous": previous,
        "current": current,
        "timestamp": stamp() if timestamp is None else timestamp,
    }
