"""Secrets in files and what operators change in rows hold at once, without a restart."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.test import Client

from core.models import AuditEntry
from direct_plus.sandbox.control.client import SandboxControl
from direct_plus.sandbox.run import Sandbox
from dnbmon_site.accounts.models import User
from portfolio.dnb_client import SharedThrottle, client_for
from portfolio.models import Contract
from tests.builders.contracts import a_contract

pytestmark = pytest.mark.django_db


@pytest.fixture
def contract(db: None, sandbox: Sandbox) -> Contract:
    return a_contract()


def test_a_rotated_key_is_used_with_the_next_token(
    contract: Contract, control: SandboxControl, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, secret = tmp_path / "key", tmp_path / "secret"
    for name, path, value in (("DNB_API_KEY", key, "sandbox-key"), ("DNB_API_SECRET", secret, "sandbox-secret")):
        monkeypatch.delenv(name)
        monkeypatch.setenv(f"{name}_FILE", str(path))
        path.write_text(value)
    client = client_for(contract)
    assert client.registrations()
    control.set_credentials("new-key", "new-secret")
    control.expire_tokens()
    key.write_text("new-key")
    secret.write_text("new-secret")
    assert client.registrations(), "the same client, that has known the old key"


def test_another_pace_holds_from_the_next_call_on(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DNB_CALLS_PER_SECOND", raising=False)
    throttle = SharedThrottle(a_contract(calls_per_second=5))
    assert throttle.spacing == 210
    Contract.objects.update(calls_per_second=1)
    assert throttle.spacing == 1050


def test_the_form_says_that_the_environment_goes_before(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    a_contract()
    client.force_login(User.objects.create_superuser("ann"))
    for pace, is_said in (("", False), ("2", True)):
        monkeypatch.setenv("DNB_CALLS_PER_SECOND", pace)
        page = client.get("/portfolio/contract/default/change/").content.decode()
        assert ("DNB_CALLS_PER_SECOND in the environment is set to 2" in page) == is_said


def test_what_an_operator_changes_is_audited_and_shows_its_default(client: Client) -> None:
    a_contract(recovery_delay=timedelta(minutes=15))
    client.force_login(User.objects.create_superuser("ann"))
    page = client.get("/portfolio/contract/default/change/").content.decode()
    assert "Default: 15 minutes." in page and "Default: 100." in page and "keep D&amp;B" in page.replace("Keep", "keep")
    fields = {"prefix": "DNB", "calls_per_second": 5, "cap": 7, "removal_share": 10, "batch_threshold": 50}
    client.post(
        "/portfolio/contract/default/change/",
        {**fields, "overlap": "00:05:00", "recovery_delay": "00:15:00", "keep_bytes": 90, "keep_history": 60},
    )
    assert not AuditEntry.objects.exists(), "history may not be kept for less than what it is read from"
    client.post(
        "/portfolio/contract/default/change/",
        {**fields, "overlap": "00:05:00", "recovery_delay": "00:15:00", "keep_bytes": 60, "keep_history": 90},
    )
    entry = AuditEntry.objects.get()
    assert '"cap": 100' in entry.before and '"cap": 7' in entry.after and entry.actor == "ann"
