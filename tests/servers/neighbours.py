"""Services of our own network, on this machine: they note who asks them, and may send everybody on to another."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Neighbour(ThreadingHTTPServer):
    """Notes the first line of whatever reaches it; `leads_to` is where it sends whoever asks."""

    def __init__(self, leads_to: str = "") -> None:
        super().__init__(("127.0.0.1", 0), _Asked)
        self.asked: list[str] = []
        self.leads_to = leads_to


class _Asked(BaseHTTPRequestHandler):
    def handle(self) -> None:
        assert isinstance(self.server, Neighbour)
        self.server.asked.append(self.rfile.readline().decode(errors="replace"))
        if self.server.leads_to:
            head = f"HTTP/1.1 307 Elsewhere\r\nLocation: {self.server.leads_to}\r\nContent-Length: 0\r\n\r\n"
            self.wfile.write(head.encode())


@contextmanager
def a_neighbour(leads_to: str = "") -> Iterator[Neighbour]:
    server = Neighbour(leads_to)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
