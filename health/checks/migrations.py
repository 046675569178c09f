"""Whether the database is as new as the program."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import DEFAULT_DB_ALIAS, OperationalError, connections
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder
from pymongo.errors import PyMongoError

SURE_FOR = 240.0
_sure_until = 0.0


def migrations_waiting_lately() -> int:
    """For who asks each minute: a database that was up to date is so a few minutes later."""
    global _sure_until
    if time.monotonic() < _sure_until:
        return 0
    waiting = migrations_waiting()
    _sure_until = 0.0 if waiting else time.monotonic() + SURE_FOR
    return waiting


def is_empty() -> bool:
    """Nothing was ever applied: a file or a name that did not exist before somebody mistyped it."""
    return not MigrationRecorder(connections[DEFAULT_DB_ALIAS]).applied_migrations()


def migrations_waiting() -> int:
    """One query: which migrations were applied."""
    with told_alike():
        executor = MigrationExecutor(connections[DEFAULT_DB_ALIAS])
        return len(executor.migration_plan(executor.loader.graph.leaf_nodes()))


@contextmanager
def told_alike() -> Iterator[None]:
    """MongoDB's list of collections is asked for beside Django, and so are its errors."""
    try:
        yield
    except PyMongoError as error:
        raise OperationalError(str(error)) from error
