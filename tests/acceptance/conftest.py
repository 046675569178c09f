"""A sandbox, a database of the engine under test, and processes that pull from the one into the other."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from direct_plus.sandbox.control.client import SandboxControl
from direct_plus.sandbox.run import Sandbox, start_sandbox
from tests.acceptance.processes import nursery
from tests.acceptance.world import House, credentials
from tests.servers.webhook_receivers import Receiver, receiving


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with start_sandbox(switches={"calls_per_second": 0}) as running:
        yield running


@pytest.fixture
def control(sandbox: Sandbox) -> SandboxControl:
    return sandbox.control


@pytest.fixture
def open_house(sandbox: Sandbox, process_env: dict[str, str], tmp_path: Path) -> Iterator[Callable[..., House]]:
    """Processes with a call's limit and a lease's margin of so many seconds, and a registration they may pull."""
    with ExitStack() as stack:

        def opened(timeout: float = 0.8, margin: float = 0.1, calls: float = 1000, **fields: Any) -> House:
            env = process_env | credentials(sandbox.url, calls)
            house = House(sandbox.control, stack.enter_context(nursery(env, tmp_path, timeout=timeout, margin=margin)))
            house.set_up(**fields)
            return house

        yield opened


@pytest.fixture
def house(open_house: Callable[..., House]) -> House:
    return open_house()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as running:
        yield running
