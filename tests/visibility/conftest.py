"""Two units, and who looks from the first one: a person with every permission, and a key with every scope."""

from typing import Any

import pytest
from django.test import Client

from tests.builders.programs import Program
from tests.builders.units import a_unit
from tests.visibility.marks import MARK
from tests.visibility.members import a_key_of, a_person_of
from tests.visibility.world import World, a_world, registrations


@pytest.fixture
def world(db: None, settings: Any, tmp_path: Any) -> World:
    settings.EXPORT_FOLDER = str(tmp_path / "exports")
    own, other = registrations()
    return a_world(a_unit("Aardvanes", own), a_unit(f"{MARK} unit", other), own, other)


@pytest.fixture
def person(world: World) -> Client:
    client = Client()
    client.force_login(a_person_of(world.unit))
    return client


@pytest.fixture
def key(world: World) -> Program:
    return a_key_of(world.unit)
