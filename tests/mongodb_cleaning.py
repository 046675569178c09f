"""Between tests on MongoDB, only what a test wrote is put back.

Django would empty every collection and make all permissions anew, which takes seconds there for each test.
"""

from typing import Any, cast

from django.db import connection
from django.test import TransactionTestCase
from pymongo import monitoring

WRITES = {"insert", "update", "delete", "findAndModify", "findandmodify", "drop", "create"}


class WrittenCollections(monitoring.CommandListener):
    def __init__(self) -> None:
        self.names: set[tuple[str, str]] = set()

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        if event.command_name in WRITES:
            self.names.add((event.database_name, str(event.command[event.command_name])))

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        pass

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        pass


written = WrittenCollections()
# What migrations and their signals left: permissions, content types, rows of data migrations.
baseline: dict[str, list[dict[str, Any]]] = {}


def database() -> Any:
    """Looked up each time: the name changes when the test database is made."""
    return cast(Any, connection).database


def listen() -> None:
    """Before any client is made: a client takes the listeners it finds."""
    monitoring.register(written)


def keep_baseline() -> None:
    for name in connection.introspection.table_names():
        if documents := list(database()[name].find()):
            baseline[name] = documents
    written.names.clear()


def put_back(*_: Any) -> None:
    for database_name, name in written.names:
        if database_name == connection.settings_dict["NAME"]:
            database()[name].delete_many({})
            if name in baseline:
                database()[name].insert_many(baseline[name])
    written.names.clear()


def install() -> None:
    keep_baseline()
    TransactionTestCase._fixture_teardown = put_back  # type: ignore[attr-defined]
