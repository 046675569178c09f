"""D&B's documents with figures, and what is known of them."""

from datetime import UTC, date, datetime, time
from typing import Any

from monitoring.figures.catalog import Figures
from monitoring.figures.reading import figures_of
from monitoring.figures.record import unpack
from monitoring.figures.records import records_at
from monitoring.figures.words import all_words
from monitoring.history.state import profile
from portfolio.models import Flag

WHOLE: dict[str, Any] = {
    "dnbAssessment": {
        "failureScore": {"nationalPercentile": 42, "classScore": 3, "incidenceOfDefault": 1.085},
        "delinquencyScore": {"nationalPercentile": "7", "classScore": 5},
        "standardRating": {"rating": " 5A1 "},
        "creditLimitRecommendation": {
            "averageRecommendedLimit": [{"value": 100, "currency": "USD"}],
            "maximumRecommendedLimit": [{"value": 2500.4, "currency": "EUR"}],
        },
    },
    "businessTrading": [{"summary": [{"paydexScore": 78}]}],
    "industryCodes": [
        {"code": "10.11", "description": "Meat", "typeDnBCode": 29104, "priority": 1},
        {"code": "2011", "description": "Meat packing", "typeDnBCode": 399, "priority": 2},
        {"code": "2013", "description": "Sausages", "typeDnBCode": 399, "priority": 1},
    ],
    "businessEntityType": {"description": "Corporation", "dnbCode": 451},
    "startDate": "1987-03-01",
    "numberOfEmployees": [
        {"value": 9, "informationScopeDescription": "Headquarters Only"},
        {"value": 250, "informationScopeDescription": "Consolidated"},
    ],
    "financials": [
        {"financialStatementToDate": "2024-12-31", "yearlyRevenue": [{"value": 1, "currency": "EUR"}]},
        {"financialStatementToDate": "2025-12-31", "yearlyRevenue": [{"value": 3.0251016094e8, "currency": "EUR"}]},
        {"financialStatementToDate": "2026-03-31"},
    ],
    "countryISOAlpha2Code": "DE",
    "dunsControlStatus": {"operatingStatus": {"description": "Active", "dnbCode": 9074}},
    "legalEvents": {"hasOpenSuits": True, "hasBankruptcy": True, "hasOpenBankruptcy": False},
    "isHighRiskBusiness": False,
    "corporateLinkage": {
        "parent": {"duns": "001234567"},
        "domesticUltimate": {"duns": "00-123-4568"},
        "globalUltimate": {"duns": "001234569"},
    },
}
KNOWN = Figures(
    failure_percentile=42,
    failure_class=3,
    failure_incidence=108,
    delinquency_percentile=7,
    delinquency_class=5,
    rating="5A1",
    limit_amount=2500,
    limit_currency="EUR",
    payment_index=78,
    industry_code="2013",
    industry_scheme="399",
    industry="Sausages",
    legal_form="Corporation",
    start_year=1987,
    employees=250,
    revenue=302_510_161,
    revenue_currency="EUR",
    size="large",
    country="DE",
    operating_status="Active",
    flags=Flag.SUITS,
    parent="001234567",
    domestic_ultimate="001234568",
    global_ultimate="001234569",
)


def an_assessment(percentile: Any = 50, group: Any = 3, **more: Any) -> dict[str, Any]:
    return {"failureScore": {"nationalPercentile": percentile, "classScore": group}, **more}


def figures_on(day: date | None) -> dict[str, Figures]:
    """What is stored, by company; those of which nothing is known are left out."""
    records, words = records_at(day), all_words()
    return {f"{record['duns']:09d}": unpack(record.tobytes(), words) for record in records}


def folded(duns: str, day: date | None) -> Figures:
    """From the whole history up to the end of that day."""
    end = datetime.combine(day, time.max, UTC) if day else None
    return figures_of(profile(duns, as_of=end))
