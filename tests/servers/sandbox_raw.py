"""A pull over a bare socket, to see every byte and how the connection ends."""

import socket
from dataclasses import dataclass

from tests.servers.sandbox_client import REFERENCE, REGISTRATIONS, Client


@dataclass(frozen=True)
class Heard:
    head: str
    body: bytes
    broken: bool

    @property
    def length(self) -> int | None:
        lines = [line for line in self.head.split("\r\n") if line.startswith("Content-Length: ")]
        return int(lines[0].split()[1]) if lines else None


def raw_pull(client: Client, count: int = 10) -> Heard:
    """Reads until the connection ends, so it needs an answer that ends it or a `Connection: close`."""
    host, port = client.url.removeprefix("http://").split(":")
    request = (
        f"GET {REGISTRATIONS}/{REFERENCE}/notifications?maxNotifications={count} HTTP/1.1\r\nHost: {host}\r\n"
        f"Authorization: {client.http.headers['Authorization']!s}\r\nConnection: close\r\n\r\n"
    )
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(request.encode())
        data, broken = _all(connection)
    head, _, body = data.partition(b"\r\n\r\n")
    return Heard(head.decode(), body, broken)


def _all(connection: socket.socket) -> tuple[bytes, bool]:
    data = b""
    try:
        while piece := connection.recv(65_536):
            data += piece
    except ConnectionResetError:
        return data, True
    return data, False
