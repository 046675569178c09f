"""Everything is well, unless a test makes it bad."""

import pytest

from portfolio.models import Entitlements
from tests.builders.contracts import a_contract
from tests.builders.heartbeats import a_beat
from tests.builders.probes import a_probe
from tests.builders.registrations import a_registration
from tests.builders.times import ago


@pytest.fixture
def well(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DNB_API_KEY", "key")
    monkeypatch.setenv("DNB_API_SECRET", "secret")
    monkeypatch.setenv("DNB_BASE_URL", "http://127.0.0.1:1")
    monkeypatch.setattr("monitoring.pull.preconditions.LEAST_FREE", 1)
    monkeypatch.setattr("health.checks.machine.LEAST_FREE", 1)
    monkeypatch.setattr("health.checks.machine.ROOM", 3)
    Entitlements.objects.create(contract=a_contract(), answer="{}")
    a_beat(seconds=5)
    a_probe()
    a_registration(last_pulled_at=ago(minutes=3), dnb_time=ago(minutes=3))
