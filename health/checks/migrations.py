"""Whether the database is as new as the program."""

from __future__ import annotations

import time
from collections.abc import Container, Iterator
from contextlib import contextmanager

from django.conf import settings
from django.core.checks import Error
from django.db import DEFAULT_DB_ALIAS, OperationalError, connections
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder
from django.utils.translation import gettext_noop

SURE_FOR = 240.0
# It held people's rows until every app began again with one migration, and has none since.
APP_OF_BEFORE = "dnbmon_site"
EARLIER = gettext_noop(
    "An earlier version created this database, and its tables cannot be migrated. Nothing in it was changed. With that "
    "version, run “.venv/bin/python manage.py backup PATH --format rows”. Then set DATABASE_URL to a new "
    "database and, with this version, run “.venv/bin/python manage.py restore PATH” (docs/operate/upgrade.md)."
)
EARLIER_DEMO = gettext_noop(
    "An earlier version created this demo. Delete its folder (var/demo, or your --demo-folder) and start it again."
)
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


def is_of_earlier_version() -> bool:
    applied = MigrationRecorder(connections[DEFAULT_DB_ALIAS]).applied_migrations()
    return is_earlier({app for app, _ in applied})


def earlier_version() -> str:
    """What to do about it: people's data comes over, a demonstration is made again."""
    return EARLIER_DEMO if settings.DEMO else EARLIER


def check_of_databases(app_configs: object, databases: Container[str] | None, **kwargs: object) -> list[Error]:
    """What “manage.py check --database default” asks."""
    is_asked = databases is not None and DEFAULT_DB_ALIAS in databases
    return [Error(earlier_version(), id="health.E001")] if is_asked and is_of_earlier_version() else []


def is_earlier(apps: Container[str]) -> bool:
    """By the apps of which migrations were applied."""
    return APP_OF_BEFORE in apps


def migrations_waiting() -> int:
    """One query: which migrations were applied."""
    with reported_alike():
        executor = MigrationExecutor(connections[DEFAULT_DB_ALIAS])
        return len(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def _errors_of_mongodb() -> type[Exception]:
    """Asked for only when something failed: with other engines, nothing else needs MongoDB's driver."""
    from pymongo.errors import PyMongoError

    return PyMongoError


@contextmanager
def reported_alike() -> Iterator[None]:
    """MongoDB's list of collections is asked for beside Django, and so are its errors."""
    try:
        yield
    except _errors_of_mongodb() as error:
        raise OperationalError(str(error)) from error
