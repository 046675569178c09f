"""The one place through which the program connects to addresses outside: webhooks, channels, file servers, the
heartbeat and the sign-in service. Only the D&B client, the database, Redis and the mail server of EMAIL_URL, which
nobody types into a page, connect by themselves.

The address a name stands for is looked up once, judged, and connected to; so nobody can have it judged as one thing and
connected to as another.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable

from django.conf import settings
from django.utils.translation import gettext
from urllib3.util.connection import create_connection

CONNECT_SECONDS = 5.0
EVERYWHERE = "*"

# IPv4 networks that Python's own list of special ones leaves out, and where a machine at Azure asks for its settings.
RELAYS = tuple(map(ipaddress.IPv4Network, ("192.88.99.0/24", "192.0.0.0/24", "168.63.129.16/32")))
# All that is given out on the internet, and what of it stands for something else: IETF protocols with Teredo,
# documentation, and 6to4.
GIVEN_OUT = ipaddress.IPv6Network("2000::/3")
SPECIAL = tuple(map(ipaddress.IPv6Network, ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")))
# Networks without IPv4 reach it through these: the last four bytes are the address that is really reached.
TRANSLATED = ipaddress.IPv6Network("64:ff9b::/96")
# An interface that carries an IPv4 address (ISATAP).
CARRIERS = (0x0000_5EFE, 0x0200_5EFE)


class NotReached(Exception):
    """No answer came: the text says why."""


class PrivateAddress(NotReached):
    """The name stands for an address of our own network, of this machine, or of none."""


def is_private(address: str) -> bool:
    """Whatever is not an ordinary address of the internet; an IPv4 address in IPv6 clothes counts as what it is."""
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv4Address):
        return not found.is_global or found.is_multicast or any(found in network for network in RELAYS)
    if found.ipv4_mapped is not None:
        return is_private(str(found.ipv4_mapped))
    if found in TRANSLATED:
        return is_private(str(ipaddress.IPv4Address(int(found) & 0xFFFF_FFFF)))
    is_carrier = (int(found) >> 32) & 0xFFFF_FFFF in CARRIERS
    return found not in GIVEN_OUT or any(found in network for network in SPECIAL) or is_carrier


def is_allowed(host: str, address: str) -> bool:
    """An address of the internet, or one that PRIVATE_HOSTS lets us reach: by its name, or by its network."""
    if not is_private(address):
        return True
    name = host.casefold().rstrip(".")
    return any(entry in (EVERYWHERE, name) or _is_within(address, entry) for entry in _private_hosts())


def _private_hosts() -> Iterable[str]:
    return (entry.strip().casefold().rstrip(".") for entry in settings.PRIVATE_HOSTS if entry.strip())


def _is_within(address: str, network: str) -> bool:
    try:
        return ipaddress.ip_address(address.partition("%")[0]) in ipaddress.ip_network(network, strict=False)
    except ValueError:
        return False


def addresses_of(host: str, port: int) -> list[str]:
    """What the name stands for; raises PrivateAddress where one of them may not be reached."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise NotReached(gettext("the host name is unknown")) from error
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    if not all(is_allowed(host, address) for address in addresses):
        raise PrivateAddress(
            gettext("refused: the address is private and PRIVATE_HOSTS does not include %(host)s") % {"host": host}
        )
    return addresses


def connect(host: str, port: int, seconds: float = CONNECT_SECONDS) -> socket.socket:
    """Connected to one of the host's addresses; raises NotReached."""
    trouble: OSError | None = None
    for address in addresses_of(host, port):
        try:
            return create_connection((address, port), seconds)
        except OSError as error:
            trouble = error
    raise NotReached(gettext("no server answers at that address")) from trouble
