"""A sandbox over real HTTP, and registrations of which D&B's list has been taken over."""

import pytest
from django.test import Client

from direct_plus.sandbox.control.client import SandboxControl
from direct_plus.sandbox.run import Sandbox
from portfolio.models import Contract, Registration
from tests.builders.contracts import a_contract
from tests.builders.people import a_person
from tests.builders.registrations import REFERENCE, a_registration


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


@pytest.fixture
def manager(client: Client) -> Client:
    client.force_login(a_person(role="Portfolio manager"))
    return client
