"""Everything is well, unless a test makes it bad."""

import pytest

from tests.builders import a_contract, a_registration
from tests.health.looks import a_beat, a_probe, ago


@pytest.fixture
def well(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DNB_API_KEY", "key")
    monkeypatch.setenv("DNB_API_SECRET", "secret")
    monkeypatch.setenv("DNB_BASE_URL", "http://127.0.0.1:1")
    monkeypatch.setattr("monitoring.permitting.LEAST_FREE", 1)
    monkeypatch.setattr("health.checks_of_machine.LEAST_FREE", 1)
    monkeypatch.setattr("health.checks_of_machine.ROOM", 3)
    a_contract()
    a_beat(seconds=5)
    a_probe()
    a_registration(last_pulled_at=ago(minutes=3), heard_at=ago(minutes=3))
