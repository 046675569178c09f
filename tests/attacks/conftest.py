"""The program as it runs in production (settings, worker, gunicorn), to be attacked from outside.

It is started once for all attacks of a test process, behind a proxy that these tests play: they say what host they
ask for and that they came by HTTPS. Every connection that any of its processes opens is recorded.
"""

import os
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.attacks.production import HOST, WILD, Production
from tests.engines import SHARED, with_databases
from tests.process_table import alive, family
from tests.servers.neighbours import Neighbour, a_neighbour
from tests.support import free_port, managed, wait_until

STARTED = "Press Ctrl-C to stop."
RECORDING = Path(__file__).with_name("recording")


@pytest.fixture(scope="session")
def inner() -> Iterator[Neighbour]:
    """A service of our own network that nobody may reach, although settings lead to it."""
    with a_neighbour() as running:
        yield running


@pytest.fixture(scope="session")
def named(inner: Neighbour) -> Iterator[Neighbour]:
    """One that PRIVATE_HOSTS names, by the name localhost, and that sends everybody on to the other."""
    with a_neighbour(f"http://127.0.0.1:{inner.server_port}/stolen") as running:
        yield running


@pytest.fixture(scope="session")
def production(tmp_path_factory: pytest.TempPathFactory, inner: Neighbour, named: Neighbour) -> Iterator[Production]:
    databases = with_databases()
    name = f"dnbmon_attacked_{secrets.token_hex(6)}"
    folder = tmp_path_factory.mktemp("attacked")
    connections = folder / "connections.txt"
    env = {**production_env(databases.fresh(name), connections), **places(inner, named)}
    port = free_port()
    with managed("up", "--port", str(port), env=env, log=folder / "up.log") as running:
        wait_until(lambda: STARTED in running.said or running.process.poll() is not None, timeout=120, what="the start")
        assert STARTED in running.said, running.said
        try:
            attacked = Production(f"http://127.0.0.1:{port}", env, running, connections, named.server_port)
            yield attacked
            # Whatever was attempted: nothing was connected to that a person could choose.
            assert attacked.strangers() == set()
        finally:
            everybody = family(running.process.pid)
            running.stop(30)
            wait_until(lambda: not alive(everybody), timeout=20, what="the end of everybody")
    databases.drop(name)


def places(inner: Neighbour, named: Neighbour) -> dict[str, str]:
    """What settings lead to counts as little as what people type in, unless PRIVATE_HOSTS names it."""
    return {
        "PRIVATE_HOSTS": "localhost",
        "HEARTBEAT_URL": f"http://127.0.0.1:{inner.server_port}/beat",
        "OIDC_ISSUER": f"https://127.0.0.1:{inner.server_port}",
        "OIDC_CLIENT_ID": "dnbmon",
        "OIDC_CLIENT_SECRET": secrets.token_urlsafe(20),
        "OIDC_ROLES": "credit=Viewer",
    }


def production_env(database_url: str, connections: Path) -> dict[str, str]:
    return {
        **os.environ,
        "ENVIRONMENT": "production",
        "SECRET_KEY": secrets.token_urlsafe(60),
        # With all below a domain, where an attacker may have a page.
        "ALLOWED_HOSTS": f"{HOST},{WILD}",
        "DATABASE_URL": database_url,
        "EMAIL_URL": f"filemail:///{connections.with_name('mails')}",
        "BEHIND_PROXY": "yes",
        "SITE_URL": f"https://{HOST}",
        "PYTHONUNBUFFERED": "1",
        "PYTHONPATH": str(RECORDING),
        "ATTACK_CONNECTIONS": str(connections),
        "TMPDIR": os.environ[SHARED],
    }
