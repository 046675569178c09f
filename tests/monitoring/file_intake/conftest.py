"""A folder that is watched, and what the job does with it."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from monitoring.file_intake import arrivals, servers
from monitoring.jobs import import_delivered_files

Take = Callable[[], int]


@pytest.fixture
def folder(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Files in it are complete at once."""
    settings.FILE_INTAKE_FOLDER = tmp_path / "incoming"
    settings.FILE_INTAKE_FOLDER.mkdir()
    for module, name in ((arrivals, "QUIET"), (arrivals, "QUIET_WHEN_INCOMPLETE"), (servers, "QUIET")):
        monkeypatch.setattr(module, name, timedelta())
    return tmp_path / "incoming"


@pytest.fixture
def take(folder: Path) -> Take:
    """The job."""
    return import_delivered_files
