"""The daily backup: begun when it is due, in a process of its own; its absence is told."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from core.models import Notice
from dnbmon_site.operations.backup import daily
from dnbmon_site.operations.backup.create import make_backup
from health.models import State
from tests.builders.checks import look_at

pytestmark = pytest.mark.django_db


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Path) -> list[list[str]]:
    commands: list[list[str]] = []
    monkeypatch.setattr("subprocess.Popen", lambda command, **_: commands.append(command))
    settings.BACKUP_FOLDER, settings.BACKUP_KEEP = str(tmp_path), 3
    return commands


def test_nothing_is_begun_without_a_folder(begun: list[Any], settings: Any) -> None:
    settings.BACKUP_FOLDER = ""
    assert "BACKUP_FOLDER is not set" in daily.back_up_if_due() and not begun


def test_the_first_is_begun_at_once_and_keeps_so_many(begun: list[list[str]], tmp_path: Path) -> None:
    daily.back_up_if_due()
    assert begun[0][-3:] == ["backup", str(tmp_path), "--keep=3"]


def test_the_next_is_begun_a_day_later(begun: list[Any], tmp_path: Path) -> None:
    make_backup(tmp_path, format="rows")
    assert "Not due: the latest backup is of" in daily.back_up_if_due() and not begun
    with time_machine.travel(timezone.now() + timedelta(hours=24), tick=False):
        daily.back_up_if_due()
    assert len(begun) == 1 and not Notice.objects.exists()


def test_two_days_without_one_are_told_once_a_day(begun: list[Any], tmp_path: Path) -> None:
    make_backup(tmp_path, format="rows")
    with time_machine.travel(timezone.now() + timedelta(days=3), tick=False):
        daily.back_up_if_due()
        daily.back_up_if_due()
    assert len(begun) == 2
    assert "to see the error" in Notice.objects.get().text


def test_health_knows_of_the_backup(tmp_path: Path) -> None:
    make_backup(tmp_path, format="rows")
    found = look_at("backup")
    assert (found.state, found.number) == (State.OK, 0)


def test_the_command_names_an_empty_database(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It looked at another database than the one that runs; migrating that one would not help."""
    monkeypatch.setattr(MigrationRecorder, "applied_migrations", lambda self: {})
    with pytest.raises(CommandError, match=r"^The database is empty\. Check DATABASE_URL"):
        call_command("backup", str(tmp_path / "copies"))
    assert not (tmp_path / "copies").exists()
