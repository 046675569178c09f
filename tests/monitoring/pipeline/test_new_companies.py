"""A company that nobody knew is inserted as a fold of its history gives it."""

from typing import Any

import pytest
from django.db import DataError, connection

from core.db import insert_new
from monitoring.history.company_projection import project
from monitoring.ingest import insert
from monitoring.models import Notification
from portfolio.models import Company
from tests.builders.companies import DUNS, OTHER
from tests.builders.deliveries import delivered
from tests.builders.elements import an_element
from tests.builders.notifications import a_seed, an_update
from tests.builders.times import stamp

pytestmark = pytest.mark.django_db
DOCUMENT: dict[str, Any] = {
    "primaryName": "Ünï 1.50",
    "primaryAddress": {"addressLocality": {"name": "Leeds"}},
    "dunsControlStatus": {"operatingStatus": {"description": "Active", "dnbCode": 9074}},
    "corporateLinkage": {"globalUltimate": {"duns": OTHER}},
    "numberOfEmployees": [{"value": 1.50}],
}


@pytest.mark.parametrize("item", [a_seed(**DOCUMENT), a_seed(DUNS, delivered="soon", **DOCUMENT)])
def test_its_columns_follow_from_its_history(item: Any) -> None:
    delivered(item)
    inserted = Company.objects.values().get()
    assert (inserted["name"], inserted["city"], inserted["global_ultimate"]) == ("Ünï 1.50", "Leeds", OTHER)
    project({}, {DUNS}, bump=set())
    assert Company.objects.values().get() == inserted
    if connection.vendor != "mongodb":
        assert inserted["version"] == 0, "it was inserted, and not written again"


def test_with_more_than_one_document_history_is_applied() -> None:
    name = an_update(an_element(timestamp=stamp(days=3)), delivered=stamp(days=3))
    delivered(a_seed(**DOCUMENT), name)
    project({}, {DUNS}, bump=set())
    assert Company.objects.get().name == "NEW NAME LTD"


def test_a_document_that_the_database_refuses_leaves_no_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(model: Any, rows: Any, **options: Any) -> Any:
        if model is Notification:
            raise DataError("value out of range")
        return insert_new(model, rows, **options)

    monkeypatch.setattr(insert, "insert_new", refuse)
    delivered(a_seed(**DOCUMENT))
    assert Company.objects.values_list("name", "projection").get() == ("", "")
