"""Many rows at a time without Django's cost for each.

The only place with SQL of our own. What comes out is what `bulk_create`, `values_list` and `filter(version=…).update()`
give; on MongoDB, whose backend has no SQL, Django does it. `benchmarks/ingest.py` measures what is saved.
"""

from core.bulk.columns import has_sql
from core.bulk.commits import durable_later
from core.bulk.lookups import (
    clock,
    counted_values,
    distinct_digits,
    distinct_values,
    find_rows,
    greatest,
    newest_values,
    repeated_values,
    select_rows,
    select_values,
    update_values,
)
from core.bulk.rows import Clash, insert_rows, key_ends, update_later, update_version, update_versions
from core.bulk.thousands import (
    MOST_PARAMETERS,
    among,
    insert_absent,
    joined,
    replace_value,
    update_rows,
    update_together,
)

__all__ = [
    "MOST_PARAMETERS",
    "Clash",
    "among",
    "clock",
    "counted_values",
    "distinct_digits",
    "distinct_values",
    "durable_later",
    "find_rows",
    "greatest",
    "has_sql",
    "insert_absent",
    "insert_rows",
    "joined",
    "key_ends",
    "newest_values",
    "repeated_values",
    "replace_value",
    "select_rows",
    "select_values",
    "update_later",
    "update_rows",
    "update_together",
    "update_values",
    "update_version",
    "update_versions",
]
