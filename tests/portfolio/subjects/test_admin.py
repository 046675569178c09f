"""The list of monitored companies: each company in each of its registrations."""

import pytest
from django.test import Client

from portfolio.models import Company
from tests.builders.companies import DUNS
from tests.builders.contracts import a_contract
from tests.builders.pages import text_of
from tests.builders.registrations import a_registration
from tests.builders.subjects import request_monitoring

pytestmark = pytest.mark.django_db


def test_the_list_says_that_it_counts_entries(admin: Client) -> None:
    contract = a_contract()
    for reference in ("FIRST", "SECOND"):
        request_monitoring(a_registration(reference, contract=contract), [DUNS])
    text = text_of(admin.get("/portfolio/subject/"))
    assert Company.objects.count() == 1
    assert "2 entries" in text and "Each entry is one company in one registration." in text
    assert "1 entry" in text_of(admin.get(f"/portfolio/subject/?registration={a_registration('FIRST').pk}"))
