"""One HTTP exchange with a limit on its whole time, and whatever came of it.

A socket's own time limit starts again with every byte, so a server that drips could hold a caller for hours. Here the
exchange runs in a thread of its own; when the time is up, the caller goes on with the bytes that came, the socket is
shut down, and a request that has not gone out by then never will.

Proxies and certificate bundles of the environment are used, as company networks need them, except to this very machine.
`.netrc` is not: it would replace our own authorisation.
"""

import contextlib
import http.client
import ipaddress
import socket
import threading
import time
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests.structures import CaseInsensitiveDict
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from direct_plus.connection_failures import describe
from direct_plus.errors import parse_http_date
from direct_plus.payloads import parse_stamp, transaction_of

# A connection that rested longer may have died unseen in between, which would put a pull in doubt for nothing.
MAX_REST = 15.0
_CHUNK = 65536
_INFLATABLE = {"gzip": 31, "x-gzip": 31, "deflate": 15}


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, whole or not."""

    status: int  # 0: no status line came
    headers: Mapping[str, str]
    body: bytes = field(repr=False)  # what came, also when incomplete
    failure: str | None  # None: it came whole; else a sentence
    dnb_time: datetime | None  # D&B's clock
    started_at: datetime  # our clock
    ended_at: datetime
    sent: bool = True  # False: it is sure that the call never went out
    timed_out: bool = False


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    url: str
    authorization: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict)
    params: Mapping[str, str] | None = None
    json: Any = None
    data: Mapping[str, str] | None = field(default=None, repr=False)
    files: Mapping[str, Any] | None = field(default=None, repr=False)


class _GivenUp(OSError):
    """The caller has gone; nothing more is sent."""


class Transport:
    """Keeps connections open between exchanges. Follows nothing and repeats nothing."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url.rstrip("/")
        self._lock = threading.Lock()
        self._used_at = time.monotonic()
        self._http = _Session()
        self._http.trust_env = not is_this_machine(self.base_url)
        for scheme in ("http://", "https://"):
            self._http.mount(scheme, _WatchedAdapter(max_retries=urllib3.Retry(0, redirect=False, read=False)))

    def exchange(self, request: Request, timeout: float) -> Answer:
        self._drop_rested_connections()
        exchange = _Exchange(self._http, request, timeout)
        threading.Thread(target=exchange.run, name="direct-plus", daemon=True).start()
        try:
            exchange.done.wait(timeout)
        finally:
            exchange.give_up()
        self._used_at = time.monotonic()
        return exchange.answer()

    def close(self) -> None:
        self._http.close()

    def _drop_rested_connections(self) -> None:
        with self._lock:
            rested, self._used_at = time.monotonic() - self._used_at, time.monotonic()
            if rested > MAX_REST:
                self._http.close()


class _Session(requests.Session):
    """To make the next request ready, requests would read the body of a redirect, which would then be missing here."""

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        return None


class _Exchange:
    """The state that the caller and the exchange's thread share."""

    def __init__(self, http: requests.Session, request: Request, timeout: float) -> None:
        self.done = threading.Event()
        self._http = http
        self._request = request
        self._timeout = timeout
        self._lock = threading.Lock()
        self._given_up = False
        self._sockets: list[socket.socket] = []
        self._dialled = False
        self._sent = False
        self._started_at = datetime.now(UTC)
        self._status = 0
        self._headers: CaseInsensitiveDict[str] = CaseInsensitiveDict()
        self._body = bytearray()
        self._failure: str | None = None

    def run(self) -> None:
        _current.exchange = self
        failure: str | None = "the call was interrupted"
        try:
            failure = self._talk()
        except _GivenUp:
            failure = "cancelled"
        except (OSError, ValueError, urllib3.exceptions.HTTPError, http.client.HTTPException) as error:
            failure = describe(error)
        finally:
            with self._lock:
                self._failure = failure
                self.done.set()

    def give_up(self) -> None:
        """Unless it is over, nothing goes out after this and nothing more is taken in."""
        with self._lock:
            if self.done.is_set():
                return
            self._given_up = True
            for open_socket in self._sockets:
                _shut(open_socket)

    def answer(self) -> Answer:
        with self._lock:
            failure = "timed out" if self._given_up else self._failure
            timed_out = failure == "timed out"
            body, inflating = _inflate(bytes(self._body), self._headers.get("Content-Encoding", ""))
            return Answer(
                status=self._status,
                headers=self._headers,
                body=body,
                failure=f"timed out after {self._timeout:g} s" if timed_out else failure or inflating,
                dnb_time=_dnb_time(self._headers, body),
                started_at=self._started_at,
                ended_at=datetime.now(UTC),
                sent=self._sent or not self._dialled,
                timed_out=timed_out,
            )

    def dialling(self) -> None:
        with self._lock:
            self._dialled = True
            self._refuse_if_given_up()

    def sending(self, through: socket.socket | None) -> None:
        with self._lock:
            self._dialled = True
            self._refuse_if_given_up()
            if through is not None and through not in self._sockets:
                self._sockets.append(through)
            self._sent = True

    def _refuse_if_given_up(self) -> None:
        if self._given_up:
            raise _GivenUp

    def _talk(self) -> str | None:
        request = self._request
        with self._http.request(
            request.method,
            request.url,
            params=request.params,
            json=request.json,
            data=request.data,
            files=request.files,
            headers={"Accept": "application/json", "Accept-Encoding": "identity", **request.headers},
            auth=_authorise(request.authorization),
            timeout=self._timeout + 1,  # the caller's limit comes first
            allow_redirects=False,
            stream=True,
        ) as response:
            self._keep_head(response)
            self._keep_body(response.raw)
            return self._missing()

    def _keep_head(self, response: requests.Response) -> None:
        with self._lock:
            self._refuse_if_given_up()
            self._status = response.status_code
            self._headers = response.headers

    def _keep_body(self, raw: urllib3.HTTPResponse) -> None:
        # read1 hands over what has come; read would hold back a slow chunk, and lose it when the time is up.
        while piece := raw.read1(_CHUNK, decode_content=False):
            with self._lock:
                self._refuse_if_given_up()
                self._body += piece

    def _missing(self) -> str | None:
        announced = self._headers.get("Content-Length", "")
        if self._request.method == "HEAD" or "Transfer-Encoding" in self._headers or not announced.isdecimal():
            return None
        if len(self._body) >= int(announced):
            return None
        return f"incomplete: {len(self._body)} of {announced} bytes received"


class _Current(threading.local):
    exchange: _Exchange | None = None


_current = _Current()


class _WatchedConnection(HTTPConnection):
    def connect(self) -> None:
        _dialling()
        super().connect()

    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()
        _sending(self.sock)
        super().send(data)


class _WatchedSecureConnection(_WatchedConnection, HTTPSConnection): ...


class _WatchedPool(HTTPConnectionPool):
    ConnectionCls = _WatchedConnection


class _WatchedSecurePool(HTTPSConnectionPool):
    ConnectionCls = _WatchedSecureConnection


class _WatchedAdapter(HTTPAdapter):
    """Tells the exchange when a connection is opened and when the first byte goes out."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        _watch(self.poolmanager)

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> urllib3.ProxyManager:
        manager: urllib3.ProxyManager = super().proxy_manager_for(*args, **kwargs)
        if not str(args[0]).startswith("socks"):
            _watch(manager)
        return manager


def _watch(manager: urllib3.PoolManager) -> None:
    manager.pool_classes_by_scheme = {"http": _WatchedPool, "https": _WatchedSecurePool}


def _dialling() -> None:
    if _current.exchange is not None:
        _current.exchange.dialling()


def _sending(through: socket.socket | None) -> None:
    if _current.exchange is not None:
        _current.exchange.sending(through)


def _authorise(value: str) -> Callable[[requests.PreparedRequest], requests.PreparedRequest]:
    def put_header(request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = value
        return request

    return put_header


def _shut(open_socket: socket.socket) -> None:
    # SSLSocket's own shutdown drops the TLS state under the hands of the thread that reads.
    with contextlib.suppress(OSError):
        socket.socket.shutdown(open_socket, socket.SHUT_RDWR)


def _dnb_time(headers: Mapping[str, str], body: bytes) -> datetime | None:
    said = parse_stamp(transaction_of(body).timestamp) if body else None
    return said or parse_http_date(headers.get("Date", ""))


def _inflate(body: bytes, encoding: str) -> tuple[bytes, str | None]:
    """We ask for plain answers, but a gateway may compress them. What can be read of a torn one is kept."""
    window = _INFLATABLE.get(encoding.strip().lower())
    if window is None or not body:
        return body, None
    machine = zlib.decompressobj(window)
    try:
        plain = machine.decompress(body)
    except zlib.error:
        return body, "the compressed response cannot be read"
    return plain, None if machine.eof else "the compressed response is incomplete"


def is_this_machine(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
