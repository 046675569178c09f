"""Commands against a sandbox over real HTTP, run in this process."""

from datetime import timedelta

import pytest

from portfolio.models import Contract
from tests.builders.commands import Run, run_command
from tests.builders.contracts import a_contract


@pytest.fixture
def contract(db: None) -> Contract:
    return a_contract(recovery_delay=timedelta(minutes=15))


@pytest.fixture
def run() -> Run:
    return run_command
