"""HTTP to addresses outside: never further by a redirect, and connected to through `connections.py` only. A POST to an
address that a person has typed in has a limit on its whole time as well.

Proxies of the environment are not used: they would look the name up where we cannot see it.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from http.client import HTTPException
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3
from django.utils import timezone
from django.utils.translation import gettext
from urllib3.connection import HTTPConnection, HTTPSConnection

from core.outbound.connections import CONNECT_SECONDS, NotReached, connect

WHOLE_SECONDS = 15.0
READ_BYTES = 2_000
# What a receiver may ask for at most.
LONGEST_WAIT = 86_400.0


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


def _connect(host: str, port: int) -> socket.socket:
    found = connect(host, port)
    call: Call | None = getattr(_current, "call", None)
    if call:
        call.sockets.append(found)
    return found


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


class _Adapter(requests.adapters.HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _PlainPool, "https": _SecurePool}


def ask(method: str, url: str, **options: Any) -> requests.Response:
    """As requests would, to an address from the settings; raises its exceptions, or NotReached."""
    with requests.Session() as session:
        session.trust_env = False
        session.max_redirects = 0
        for scheme in ("http://", "https://"):
            session.mount(scheme, _Adapter())
        return session.request(method, url, **options)


def post(url: str, body: bytes, headers: Mapping[str, str], *, seconds: float = WHOLE_SECONDS) -> Reply:
    """The answer, whatever it says; raises NotReached where none came in time."""
    with _limited(seconds) as call:
        try:
            reply = _post(url, body, headers, seconds)
        except NotReached:
            raise
        except (urllib3.exceptions.HTTPError, HTTPException, OSError, ValueError) as error:
            raise NotReached(_reason(error, call, seconds)) from error
        if call.is_over:
            raise NotReached(_too_late(seconds))
        return reply


def _post(url: str, body: bytes, headers: Mapping[str, str], seconds: float) -> Reply:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise NotReached(gettext("the address must start with http:// or https://"))
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
        return Reply(answer.status, text.decode("utf-8", "replace"), retry_after(answer.headers.get("Retry-After")))


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
        del _current.call


def _reason(error: Exception, call: Call, seconds: float) -> str:
    if call.is_over or isinstance(error, urllib3.exceptions.TimeoutError):
        return _too_late(seconds)
    if isinstance(error, urllib3.exceptions.SSLError):
        return gettext("no secure connection: the certificate is not valid for this address")
    return gettext("the connection was interrupted, or the response was not HTTP")


def _too_late(seconds: float) -> str:
    return gettext("no complete response within %(seconds)s seconds") % {"seconds": f"{seconds:g}"}


def retry_after(header: str | None) -> float | None:
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
