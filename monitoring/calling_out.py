"""One POST to an address that a person has typed in: never to our own network, never further by a redirect, and with a
limit on its whole time.

The address a name stands for is looked up once, judged, and connected to; so nobody can have it judged as one thing and
connected to as another. Proxies of the environment are not used: they would do the looking up where we cannot see it.
"""

from __future__ import annotations

import ipaddress
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from http.client import HTTPException
from typing import Any
from urllib.parse import urlsplit

import urllib3
from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.util.connection import create_connection

CONNECT_SECONDS = 5.0
WHOLE_SECONDS = 15.0
READ_BYTES = 2_000
# What a receiver may ask for at most.
LONGEST_WAIT = 86_400.0


class NotReached(Exception):
    """No answer came: the text says why."""


class PrivateAddress(NotReached):
    """The name stands for an address of our own network, of this machine, or of none."""


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    text: str
    retry_after: float | None = None


@dataclass(slots=True)
class Call:
    """The sockets of one call, so that somebody can shut them when its time is over."""

    sockets: list[socket.socket] = field(default_factory=list)
    is_over: bool = False

    def shut(self) -> None:
        self.is_over = True
        for one in self.sockets:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)


_current = threading.local()


def is_private(address: str) -> bool:
    """Whatever is not an ordinary address of the internet; an IPv4 address in IPv6 clothes counts as what it is."""
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        inner = found.ipv4_mapped or found.sixtofour or (found.teredo[1] if found.teredo else None)
        if inner is not None:
            return is_private(str(inner))
        if found in NAT64:
            return is_private(str(ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)))
    return not found.is_global or found.is_multicast


NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


def addresses_of(host: str, port: int) -> list[str]:
    """What the name stands for; raises PrivateAddress where one of them is of our own network."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise NotReached(gettext("the name of the host is not known")) from error
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    if not settings.WEBHOOKS_TO_PRIVATE_ADDRESSES and any(map(is_private, addresses)):
        raise PrivateAddress(gettext("refused: the address is private, and WEBHOOKS_TO_PRIVATE_ADDRESSES is off"))
    return addresses


def _connect(host: str, port: int) -> socket.socket:
    trouble: OSError | None = None
    for address in addresses_of(host, port):
        try:
            found = create_connection((address, port), CONNECT_SECONDS)
        except OSError as error:
            trouble = error
            continue
        call: Call = _current.call
        call.sockets.append(found)
        return found
    raise NotReached(gettext("nothing answers at that address")) from trouble


class _Plain(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        return _connect(self.host, self.port or 80)


class _Secure(HTTPSConnection):
    def _new_conn(self) -> socket.socket:
        return _connect(self.host, self.port or 443)


class _PlainPool(urllib3.HTTPConnectionPool):
    ConnectionCls = _Plain


class _SecurePool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _Secure


def post(url: str, body: bytes, headers: Mapping[str, str], *, seconds: float = WHOLE_SECONDS) -> Reply:
    """The answer, whatever it says; raises NotReached where none came in time."""
    with _limited(seconds) as call:
        try:
            reply = _post(url, body, headers, seconds)
        except NotReached:
            raise
        except (urllib3.exceptions.HTTPError, HTTPException, OSError, ValueError) as error:
            raise NotReached(_in_words(error, call, seconds)) from error
        if call.is_over:
            raise NotReached(_too_late(seconds))
        return reply


def _post(url: str, body: bytes, headers: Mapping[str, str], seconds: float) -> Reply:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise NotReached(gettext("the address is none of http:// or https://"))
    target = parts._replace(scheme="", netloc="", fragment="").geturl() or "/"
    with _pool(parts.scheme, parts.hostname, parts.port) as pool:
        answer = pool.urlopen(
            "POST",
            target,
            body=body,
            headers=dict(headers),
            retries=False,
            redirect=False,
            timeout=urllib3.Timeout(connect=CONNECT_SECONDS, read=seconds),
            preload_content=False,
        )
        text = answer.read(READ_BYTES, decode_content=False) or b""
        return Reply(answer.status, text.decode("utf-8", "replace"), wait_asked_for(answer.headers.get("Retry-After")))


def _pool(scheme: str, host: str, port: int | None) -> urllib3.HTTPConnectionPool:
    pool = _SecurePool if scheme == "https" else _PlainPool
    return pool(host, port, maxsize=1)


@contextmanager
def _limited(seconds: float) -> Iterator[Call]:
    """A socket's own time limit begins anew with each byte; this one does not."""
    call = _current.call = Call()
    timer = threading.Timer(seconds, call.shut)
    timer.daemon = True
    timer.start()
    try:
        yield call
    finally:
        timer.cancel()


def _in_words(error: Exception, call: Call, seconds: float) -> str:
    if call.is_over or isinstance(error, urllib3.exceptions.TimeoutError):
        return _too_late(seconds)
    if isinstance(error, urllib3.exceptions.SSLError):
        return gettext("no secure connection: the certificate is not valid for this address")
    return gettext("the connection broke, or the answer was no HTTP")


def _too_late(seconds: float) -> str:
    return gettext("no whole answer within %(seconds)s seconds") % {"seconds": f"{seconds:g}"}


def wait_asked_for(header: str | None) -> float | None:
    """Seconds from a Retry-After header, written as a number or as a time."""
    if not header:
        return None
    wait: Any = None
    if header.strip().isascii() and header.strip().isdigit():
        wait = float(header[:9])
    else:
        with suppress(ValueError, TypeError, OverflowError):
            wait = (parsedate_to_datetime(header) - timezone.now()).total_seconds()
    return None if wait is None else min(max(wait, 0.0), LONGEST_WAIT)
