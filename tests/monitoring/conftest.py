"""A sandbox over real HTTP, and a registration that is pulled from it."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.test import Client

from direct_plus.sandbox.control.client import SandboxControl
from direct_plus.sandbox.run import Sandbox
from portfolio.models import Contract, Registration
from tests.builders.contracts import a_contract
from tests.builders.registrations import REFERENCE, a_registration
from tests.servers.mail_servers import Mailbox, a_mail_server
from tests.servers.webhook_receivers import Receiver, receiving


@pytest.fixture
def contract(db: None, sandbox: Sandbox) -> Contract:
    return a_contract(recovery_delay=timedelta(0))


@pytest.fixture
def registration(contract: Contract, control: SandboxControl) -> Registration:
    return a_registration(REFERENCE, contract=contract)


@pytest.fixture
def ann(admin: Client) -> Client:
    """The administrator, where others work beside her."""
    return admin


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with a_mail_server() as box:
        yield box


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as running:
        yield running
