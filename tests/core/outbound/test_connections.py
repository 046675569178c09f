"""The one place for connections outside: which addresses are our own, which of those are allowed, who goes there."""

import ast
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings

from core.outbound import connections
from core.outbound.connections import PrivateAddress, is_allowed, is_private
from tests.support import PROGRAM

ROOT = Path(django_settings.BASE_DIR)
# What can open a connection, and who may use it: the guarded place, those who are given guarded ones, and the named
# exceptions (the D&B client and what asks about it, Redis, the mail server, the program's own web server).
OPENERS = {"requests", "urllib3", "urllib.request", "http.client", "smtplib", "ftplib", "socket", "paramiko", "redis"}
ALLOWED = {
    "core/outbound/connections.py": {"socket", "urllib3"},
    "core/outbound/http.py": {"requests", "urllib3", "http.client", "socket"},
    "monitoring/exports/sftp.py": {"paramiko", "socket"},
    # For the type of the guarded connection.
    "monitoring/file_intake/servers.py": {"paramiko"},
    # For the errors of what the guarded place was asked.
    "health/incidents/heartbeat_url.py": {"requests"},
    "dnbmon_site/accounts/oidc.py": {"requests"},
    # The named exceptions.
    # For the errors of the client's own connections.
    "direct_plus/connection_failures.py": {"requests", "urllib3", "http.client"},
    "direct_plus/session.py": {"requests"},
    "direct_plus/transport.py": {"requests", "urllib3", "http.client", "socket"},
    "dnbmon_site/operations/doctor/dnb.py": {"requests"},
    "core/jobs.py": {"redis"},
    "dnbmon_site/operations/doctor/machine.py": {"redis"},
    "monitoring/outbox/channels.py": {"smtplib"},
    "dnbmon_site/operations/processes/start.py": {"urllib.request"},
    # It reads an address as the client that connects does.
    "portfolio/dnb_client.py": {"urllib3"},
    # These only listen, or look whether somebody does on this machine.
    "dnbmon_site/operations/processes/ports.py": {"socket"},
    "dnbmon_site/management/commands/up.py": {"socket"},
}


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0", "100.64.0.1", "224.0.0.1",
        "255.255.255.255", "192.0.0.9", "192.88.99.1", "168.63.129.16", "198.18.0.1",
        "::1", "::", "fe80::1%eth0", "fc00::1", "fec0::1", "ff02::1", "100::1", "5f00::1", "2001:db8::1", "3fff::1",
    ],
)  # fmt: skip
def test_addresses_of_our_own_network(address: str) -> None:
    assert is_private(address)


@pytest.mark.parametrize(
    "address",
    [
        "::ffff:10.0.0.1", "::10.0.0.1", "::8.8.8.8", "64:ff9b::a00:1", "64:ff9b:1::a00:1", "64:ff9b:1::808:808",
        "2002:a00:1::", "2002:808:808::", "2001:0:a00:1::", "2001:470::5efe:10.0.0.1", "2001:470::200:5efe:10.0.0.1",
    ],
)  # fmt: skip
def test_addresses_that_carry_one_of_our_own_or_may_do_so(address: str) -> None:
    assert is_private(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_addresses_of_the_internet(address: str) -> None:
    assert not is_private(address)


@pytest.mark.parametrize(
    ("named", "host", "address", "allowed"),
    [
        ([], "sso.example.com", "10.1.2.3", False),
        (["sso.example.com"], "SSO.example.com.", "10.1.2.3", True),
        (["sso.example.com"], "other.example.com", "10.1.2.3", False),
        (["10.1.0.0/16"], "any.example.com", "10.1.2.3", True),
        (["10.1.0.0/16"], "any.example.com", "10.2.2.3", False),
        (["10.1.2.3"], "10.1.2.3", "10.1.2.3", True),
        (["*"], "any.example.com", "127.0.0.1", True),
        ([], "any.example.com", "8.8.8.8", True),
    ],
)
def test_our_own_hosts_are_reached_when_a_setting_names_them(
    settings: Any, named: list[str], host: str, address: str, allowed: bool
) -> None:
    settings.PRIVATE_HOSTS = named
    assert is_allowed(host, address) == allowed


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "127.1", "0x7f000001", "017700000001", "2130706433", "0", "0.0.0.0", "::1"]
)
def test_every_spelling_is_judged_by_what_would_be_connected_to(settings: Any, host: str) -> None:
    settings.PRIVATE_HOSTS = []
    with pytest.raises(PrivateAddress):
        connections.connect(host, 80)


def test_nothing_else_in_the_program_opens_connections() -> None:
    """Whoever adds a way out takes it through the guarded place, or names it here as an exception."""
    found = {
        str(path.relative_to(ROOT)): imported
        for app in PROGRAM
        for path in (ROOT / app).rglob("*.py")
        if "sandbox" not in path.parts and (imported := _openers(path))
    }
    assert found == ALLOWED


def _openers(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return {opener for opener in OPENERS if any(name == opener or name.startswith(f"{opener}.") for name in names)}
