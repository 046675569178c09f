from collections.abc import Iterator

import pytest

from direct_plus.sandbox.control.client import SandboxControl
from direct_plus.sandbox.run import Sandbox, start_sandbox
from tests.servers.sandbox_client import REFERENCE, Client


@pytest.fixture(scope="session")
def shared_sandbox() -> Iterator[Sandbox]:
    with start_sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(shared_sandbox: Sandbox) -> Sandbox:
    """A new world with one registration and no limit on calls."""
    control = shared_sandbox.control
    control.reset()
    control.set_credentials("sandbox-key", "sandbox-secret")
    control.switch("calls_per_second", 0)
    control.add_registration(REFERENCE)
    return shared_sandbox


@pytest.fixture
def control(sandbox: Sandbox) -> SandboxControl:
    return sandbox.control


@pytest.fixture
def client(sandbox: Sandbox) -> Client:
    return Client(sandbox)
