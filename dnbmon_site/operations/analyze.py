"""What the database knows of its tables, by which it chooses an index."""

from __future__ import annotations

from django.db import connection
from django.utils.translation import gettext

# Rows looked at in each index: enough to choose well, and soon done however large the table is.
ROWS = 400


def refresh_statistics() -> str:
    """On SQLite; PostgreSQL and MongoDB see to it themselves."""
    if connection.vendor != "sqlite":
        return gettext("Not needed on this database")
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA analysis_limit={ROWS}")
        cursor.execute("ANALYZE")
    return gettext("Statistics refreshed")
