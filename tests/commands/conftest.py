"""Commands against a sandbox over real HTTP, run in this process."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command

from direct_plus.sandbox import Sandbox, SandboxControl, start_sandbox
from portfolio.models import Contract
from tests.builders import a_contract

REFERENCE = "ACME_LOD_01"

Run = Callable[..., str]


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    with start_sandbox(switches={"calls_per_second": 0}) as running:
        monkeypatch.setenv("DNB_BASE_URL", running.url)
        monkeypatch.setenv("DNB_API_KEY", "sandbox-key")
        monkeypatch.setenv("DNB_API_SECRET", "sandbox-secret")
        monkeypatch.setenv("DNB_CALLS_PER_SECOND", "1000")
        yield running


@pytest.fixture
def control(sandbox: Sandbox) -> SandboxControl:
    """A D&B that has one registration."""
    sandbox.control.add_registration(REFERENCE)
    return sandbox.control


@pytest.fixture
def contract(db: None) -> Contract:
    return a_contract(settle=timedelta(minutes=15))


@pytest.fixture
def run() -> Run:
    def run(name: str, *arguments: Any, **options: Any) -> str:
        out = StringIO()
        call_command(name, *arguments, stdout=out, **options)
        return out.getvalue()

    return run
