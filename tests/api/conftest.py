"""A program with a key, as integrators write one."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from dnbmon_site.accounts.models import ApiKey
from tests.builders.programs import Program


@pytest.fixture
def a_program(db: None) -> Callable[..., Program]:
    def made(**key: Any) -> Program:
        return Program.with_key(**key)

    return made


@pytest.fixture
def stranger() -> Program:
    return Program(Client())


@pytest.fixture
def key(db: None) -> tuple[ApiKey, str]:
    return ApiKey.issue(name="data warehouse", scopes="read")


DESCRIPTION: dict[str, Any] = {}


@pytest.fixture
def schema(program: Program) -> Any:
    """Made once: it takes a second."""
    if not DESCRIPTION:
        headers = {**program.headers, "Accept": "application/vnd.oai.openapi+json"}
        DESCRIPTION.update(json.loads(program.client.get("/api/schema/", headers=headers).content))
    return DESCRIPTION
