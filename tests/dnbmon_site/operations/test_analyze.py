"""The database knows its tables well enough to choose its indexes."""

import pytest
from django.db import connection

from dnbmon_site.operations.analyze import refresh_statistics
from tests.builders.deliveries import delivered
from tests.builders.notifications import a_seed

pytestmark = pytest.mark.django_db


def test_sqlite_learns_what_its_tables_hold() -> None:
    delivered(*(a_seed(f"80000000{number}") for number in range(9)))
    said = refresh_statistics()
    if connection.vendor != "sqlite":
        assert said == "Not needed on this database"
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT tbl FROM sqlite_stat1")
        known = {table for (table,) in cursor.fetchall()}
    assert said == "Statistics refreshed" and {"monitoring_change", "portfolio_company"} <= known
