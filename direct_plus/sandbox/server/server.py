"""The HTTP server: threads, connections that stay open, 127.0.0.1 only."""

import socket
import sqlite3
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from direct_plus.sandbox.control import api
from direct_plus.sandbox.http.connection import Wire
from direct_plus.sandbox.http.request import Call
from direct_plus.sandbox.http.responses import Answer
from direct_plus.sandbox.server import handler
from direct_plus.sandbox.state.world import World

LARGEST = 256 * 1024 * 1024


class Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 256

    def __init__(self, world: World, port: int) -> None:
        self.world = world
        self._lock = Lock()
        self._open: set[socket.socket] = set()
        super().__init__(("127.0.0.1", port), Handler)

    def server_bind(self) -> None:
        """Without the base class's look-up of the host's name, which can take seconds."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = "127.0.0.1", self.server_address[1]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def cut_connections(self) -> None:
        with self._lock:
            for connection in self._open:
                Wire(connection).end()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is an everyday matter; anything else is a fault of ours and is shown."""
        if not self.world.stopping.is_set():
            super().handle_error(request, client_address)


class Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except (ConnectionError, sqlite3.ProgrammingError, ValueError):
            self.close_connection = True
            if not (self.server.world.stopping.is_set() or self._cut()):
                raise

    def _cut(self) -> bool:
        """Whether the connection is one that we or the client ended."""
        return self.connection.fileno() < 0 or Wire(self.connection).gone()

    def do_GET(self) -> None:
        body = self._body()
        if body is None:
            return
        url = urlsplit(self.path)
        if url.path.startswith("/sandbox"):
            self._control(url.path, body)
        else:
            self._direct_plus(url.path, url.query, body)

    do_POST = do_PATCH = do_DELETE = do_PUT = do_GET

    def _body(self) -> bytes | None:
        length = self.headers.get("Content-Length", "0")
        if not length.isdigit() or int(length) > LARGEST or "Transfer-Encoding" in self.headers:
            self.send_error(413 if length.isdigit() else 400)
            self.close_connection = True
            return None
        return self.rfile.read(int(length))

    def _direct_plus(self, path: str, query: str, body: bytes) -> None:
        world = self.server.world
        params = dict(parse_qsl(query, keep_blank_values=True))
        call = Call(Wire(self.connection), self.command, path, params, self.headers, body, world.clock.now(), world.era)
        keep = not self.close_connection
        self.close_connection = not handler.serve(world, call, keep=keep) or not keep

    def _control(self, path: str, body: bytes) -> None:
        host = self.headers.get("Host", "").partition(":")[0]
        answer = api.answer(self.server.world, self.command, host, path, body)
        self._plainly(answer)
        if path == "/sandbox/stop" and answer.status == 200:
            self.server.world.stopping.set()

    def _plainly(self, answer: Answer) -> None:
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    def log_message(self, format: str, *args: Any) -> None:
        """The call log tells more."""
