"""What is read from D&B's documents; what cannot be read is unknown."""

from typing import Any

import pytest

from monitoring.figures.catalog import CATALOG, Figures
from monitoring.figures.reading import figures_of
from monitoring.history.state import CompanyState
from portfolio.models import Company, Flag
from tests.builders.figures import KNOWN, WHOLE


def read(**document: Any) -> Figures:
    return figures_of(CompanyState(document=document))


def test_a_whole_document() -> None:
    assert read(**WHOLE) == KNOWN


def test_nothing_is_unknown_and_never_zero() -> None:
    assert read() == Figures()


@pytest.mark.parametrize("wrong", [None, [], {}, "", "?", True, -1, 1e99, [[]], [None], {"value": {}}])
def test_a_value_of_a_wrong_type_is_unknown(wrong: Any) -> None:
    for name in WHOLE:
        found = read(**{**WHOLE, name: wrong})
        assert {value for one, value in zip(found, KNOWN, strict=True) if one != value} <= set(KNOWN)
    assessment = dict.fromkeys(WHOLE["dnbAssessment"], wrong)
    assert read(dnbAssessment=assessment) == Figures()


def test_other_forms_that_products_use() -> None:
    found = read(
        primaryIndustryCode={"usSicV4": "5812", "usSicV4Description": "Eating places"},
        legalForm={"description": "GmbH"},
        numberOfEmployees={"value": "12"},
        startDate=1999,
        dnbAssessment={
            "standardRating": "3A2",
            "creditLimitRecommendation": {"averageRecommendedLimit": {"value": "10", "currency": "GBP"}},
            "failureScore": {"incidenceOfFailure": 0},
        },
        paydex={"score": 80},
    )
    assert (found.industry_code, found.industry_scheme, found.industry) == ("5812", "399", "Eating places")
    assert (found.legal_form, found.employees, found.size, found.start_year) == ("GmbH", 12, "small", 1999)
    assert (found.rating, found.limit_amount, found.limit_currency) == ("3A2", 10, "GBP")
    assert (found.failure_incidence, found.failure_class, found.payment_index) == (0, None, 80)


@pytest.mark.parametrize(("employees", "size"), [(0, "micro"), (9, "micro"), (10, "small"), (50, "medium")])
def test_sizes(employees: int, size: str) -> None:
    assert read(numberOfEmployees=[{"value": employees}]).size == size


def test_flags_tell_an_open_event_from_one_that_was() -> None:
    assert read(legalEvents={"hasBankruptcy": True}).flags == Flag.BANKRUPTCY
    assert read(legalEvents={"hasBankruptcy": True, "hasOpenBankruptcy": False}).flags == 0
    assert read(legalEvents={"hasLiquidation": True, "hasInsolvency": False}).flags == Flag.INSOLVENCY
    assert read(legalEvents={"hasBankruptcy": "yes"}).flags is None
    status = {"operatingStatus": {"description": "Out of business", "dnbCode": 403}}
    assert read(dunsControlStatus=status, isDeterioratingBusiness=True).flags == Flag.INACTIVE | Flag.DETERIORATING


def test_every_figure_is_read_once_and_has_its_column() -> None:
    columns = [column for figure in CATALOG for column in figure.columns]
    assert sorted(columns) == sorted(Figures._fields)
    assert set(columns) <= {field.name for field in Company._meta.concrete_fields}
