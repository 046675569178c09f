"""A receiver of what channels send over HTTP, on this machine."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self) -> None:  # noqa: N802
        body = self.rfile.read(int(self.headers["Content-Length"]))
        server = cast("ReceivingServer", self.server)
        server.bodies.append(json.loads(body))
        self.send_response(server.status)
        self.end_headers()

    def log_message(self, *args: Any) -> None:
        pass


class ReceivingServer(ThreadingHTTPServer):
    status = 200

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Receiver)
        self.bodies: list[dict[str, Any]] = []

    @property
    def address(self) -> str:
        return f"json://ann:very-secret@127.0.0.1:{self.server_port}/hook-with-a-token"


@contextmanager
def a_receiver() -> Iterator[ReceivingServer]:
    server = ReceivingServer()
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
