"""Many rows at a time without Django's cost for each.

The only place with SQL of our own. What comes out is what `bulk_create`, `values_list` and `filter(version=…).update()`
give; on MongoDB, whose backend has no SQL, Django does it. `benchmarks/ingest.py` measures what is saved.
"""

from core.bulk.columns import has_sql
from core.bulk.rows import (
    Clash,
    distinct_digits,
    find_rows,
    insert_rows,
    key_ends,
    update_later,
    update_version,
    update_versions,
)
from core.bulk.thousands import MOST_PARAMETERS, among, insert_absent, joined, update_rows

__all__ = [
    "MOST_PARAMETERS",
    "Clash",
    "among",
    "distinct_digits",
    "find_rows",
    "has_sql",
    "insert_absent",
    "insert_rows",
    "joined",
    "key_ends",
    "update_later",
    "update_rows",
    "update_version",
    "update_versions",
]
