"""A database of a version whose tables began otherwise is left as it is, and everybody says what to do."""

from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client

from dnbmon_site.operations.doctor import machine
from health.checks import machine as checks
from health.checks.migrations import EARLIER, is_of_earlier_version, migrations_waiting

pytestmark = pytest.mark.django_db


@pytest.fixture
def earlier() -> MigrationRecorder:
    """As it was recorded before every app began again with one migration."""
    recorder = MigrationRecorder(connection)
    for app, name in [("dnbmon_site", "0001_initial"), ("dnbmon_site", "0009_languages"), ("portfolio", "0019_lists")]:
        recorder.record_applied(app, name)
    for app in ("core", "accounts"):
        recorder.record_unapplied(app, "0001_initial")
    return recorder


def test_nothing_is_migrated(earlier: MigrationRecorder) -> None:
    before = earlier.applied_migrations().keys()
    with pytest.raises(CommandError, match="backup PATH --format rows.*restore PATH"):
        call_command("migrate", verbosity=0)
    assert MigrationRecorder(connection).applied_migrations().keys() == before


def test_a_demonstration_begins_anew(earlier: MigrationRecorder, settings: Any) -> None:
    settings.DEMO = True
    with pytest.raises(CommandError, match="Delete its folder"):
        call_command("migrate", verbosity=0)


def test_everybody_says_so(earlier: MigrationRecorder, client: Client) -> None:
    answer = client.get("/health/ready")
    assert (answer.status_code, answer.content.decode()) == (503, f"{EARLIER}\n")
    assert [(found.what in EARLIER, found.do in EARLIER) for found in machine.migrations()] == [(True, True)]
    assert "An earlier version created this database" in checks.database(migrations_waiting()).do
    for command in ("health", "worker"):
        with pytest.raises(CommandError, match="An earlier version created this database"):
            call_command(command)


def test_the_check_of_databases_says_so(earlier: MigrationRecorder) -> None:
    with pytest.raises(CommandError, match="An earlier version created this database"):
        call_command("check", databases=["default"])
    call_command("check")


def test_a_database_of_now_is_none() -> None:
    assert not is_of_earlier_version()
    call_command("migrate", verbosity=0)
