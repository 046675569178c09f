"""A sandbox over real HTTP, and registrations of which D&B's list has been taken over."""

from collections.abc import Iterator

import pytest

from direct_plus.sandbox import Sandbox, SandboxControl, start_sandbox
from portfolio.models import Contract, Registration
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
    return a_contract()


@pytest.fixture
def registration(contract: Contract, control: SandboxControl) -> Registration:
    """Discovered, and not adopted yet."""
    return a_registration(REFERENCE, contract=contract)


@pytest.fixture
def adopted(contract: Contract, control: SandboxControl) -> Registration:
    return a_registration(REFERENCE, contract=contract, adopted=True)
