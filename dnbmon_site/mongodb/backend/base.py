"""django-mongodb-backend, made safe for `__iexact`, for ids in bytes and for processes that fork."""

# mypy: allow-subclassing-any

import os
import re
from typing import Any
from uuid import UUID

from bson.binary import Binary
from django.db import connections
from django.db.models import Value
from django.db.models.lookups import IExact
from django_mongodb_backend.base import DatabaseWrapper as MongoDatabaseWrapper
from django_mongodb_backend.expressions.builtins import value as upstream_value
from django_mongodb_backend.operations import DatabaseOperations as MongoDatabaseOperations

# What a value from another column may hold that a regular expression would act on; the backslash comes first,
# because the others bring new ones.
SPECIAL = "\\^$.[]|()*+?{}"


class DatabaseOperations(MongoDatabaseOperations):
    def prep_for_iexact_query(self, x: Any) -> str:
        """Upstream takes the value as a regular expression: `.*` would be everybody's mail address."""
        return re.escape(str(x))


class DatabaseWrapper(MongoDatabaseWrapper):
    ops_class = DatabaseOperations


def escape_expression(lookup: IExact, value: Any) -> Any:
    """The same for `field__iexact=F("other")`, where the server builds the regular expression."""
    if not hasattr(lookup.rhs, "as_mql"):
        return value
    for character in SPECIAL:
        find, replacement = {"$literal": character}, {"$literal": "\\" + character}
        value = {"$replaceAll": {"input": value, "find": find, "replacement": replacement}}
    return value


def value_as_mql(value: Value, compiler: Any, connection: Any, as_expr: bool = False) -> Any:
    """Upstream writes an id as text, whatever the column holds; ours hold bytes."""
    is_id = isinstance(value.value, UUID)
    return Binary.from_uuid(value.value) if is_id else upstream_value(value, compiler, connection, as_expr)


def close_pools() -> None:
    """Before a fork: PyMongo's sockets and threads must not be shared with the child."""
    for connection in connections.all(initialized_only=True):
        if isinstance(connection, MongoDatabaseWrapper) and connection.connection is not None:
            connection.close_pool()


def forget_pools() -> None:
    """In the child: whatever another thread of the parent still held is let go without touching its locks."""
    MongoDatabaseWrapper._connection_pools.clear()
    for connection in connections.all(initialized_only=True):
        if isinstance(connection, MongoDatabaseWrapper):
            connection.connection = None
            connection.__dict__.pop("database", None)


IExact.prep_lookup_value_mongo = escape_expression  # type: ignore[attr-defined]
Value.as_mql = value_as_mql  # type: ignore[attr-defined]
os.register_at_fork(before=close_pools, after_in_child=forget_pools)
