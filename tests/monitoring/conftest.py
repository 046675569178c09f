"""A sandbox over real HTTP, and a registration that is pulled from it."""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from direct_plus.sandbox import Sandbox, SandboxControl, start_sandbox
from monitoring.jobs import keep
from monitoring.pulling import PullResult, pull
from portfolio.models import Contract, Registration
from tests.api.programs import Program
from tests.builders import a_contract, a_registration

REFERENCE = "ACME_LOD_01"


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    with start_sandbox(switches={"calls_per_second": 0}) as running:
        monkeypatch.setenv("DNB_BASE_URL", running.url)
        monkeypatch.setenv("DNB_API_KEY", "sandbox-key")
        monkeypatch.setenv("DNB_API_SECRET", "sandbox-secret")
        # The pace of calls is tested by itself.
        monkeypatch.setenv("DNB_CALLS_PER_SECOND", "1000")
        yield running


@pytest.fixture
def control(sandbox: Sandbox) -> SandboxControl:
    sandbox.control.add_registration(REFERENCE)
    return sandbox.control


@pytest.fixture
def contract(db: None, sandbox: Sandbox) -> Contract:
    return a_contract(settle=timedelta(0))


@pytest.fixture
def registration(contract: Contract, control: SandboxControl) -> Registration:
    return a_registration(REFERENCE, contract=contract)


def emit(control: SandboxControl, items: Iterable[Any], reference: str = REFERENCE) -> None:
    """Queue these at D&B, which stamps them when they are pulled."""
    control.emit(reference, [_unstamped(item) for item in items])


def _unstamped(item: Any) -> Any:
    if not isinstance(item, dict):
        return item
    return {name: value for name, value in item.items() if name != "deliveryTimeStamp"}


def pull_now(registration: Registration) -> PullResult:
    return pull(registration, keep=keep)


@pytest.fixture
def program(db: None) -> Program:
    return Program.with_key(scopes="read")
