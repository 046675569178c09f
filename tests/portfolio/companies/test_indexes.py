"""Lists of companies find their way by an index that holds only the companies of which the value is known."""

from datetime import date

import pytest
from django.db import connection
from django.db.models import Q, QuerySet

from portfolio.companies.conditions import review_due_by, with_value
from portfolio.models import INDEXED_WHERE_KNOWN, MERGED, Company
from tests.builders.companies import DUNS, OTHER
from tests.engines import engine

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.every_engine,
    pytest.mark.skipif(engine() == "mongodb", reason="its indexes hold all companies"),
]


@pytest.fixture(autouse=True)
def _few_rows_are_as_many() -> None:
    """PostgreSQL reads a small table as a whole, if it may."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(
                "SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off; SET LOCAL enable_bitmapscan = off"
            )


def plan_of(rows: QuerySet[Company]) -> str:
    return str(rows.explain())


@pytest.mark.parametrize("sign", ["", "-"])
def test_a_list_by_a_value_is_read_from_its_index(sign: str) -> None:
    for name in INDEXED_WHERE_KNOWN:
        plan = plan_of(with_value(Company.objects.order_by(f"{sign}{name}", f"{sign}duns"), name)[:100])
        assert f"company_{name}" in plan, name
        assert "B-TREE" not in plan, name


def test_values_in_a_range_are_found_by_their_index() -> None:
    assert "company_next_review_on" in plan_of(Company.objects.filter(review_due_by(date(2026, 1, 1))))
    critical = Company.objects.filter(last_critical_at__gte="2026-01-01T00:00Z")
    assert "company_last_critical_at" in plan_of(critical.order_by("-last_critical_at", "-duns")[:100])


def test_what_was_merged_into_a_company_is_found_by_its_index() -> None:
    merged = Q(merged_into=DUNS) & MERGED
    assert "company_by_merger" in plan_of(Company.objects.filter(merged))
    if connection.vendor == "sqlite":
        # PostgreSQL joins two indexes by bitmaps, which it prefers to nothing but a table as a whole.
        assert "company_by_merger" in plan_of(Company.objects.filter(Q(pk__in=[DUNS, OTHER]) | merged))
