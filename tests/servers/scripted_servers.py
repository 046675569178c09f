"""Tiny real servers on 127.0.0.1 that answer with exactly the bytes a test gives, as slowly as it wants."""

import contextlib
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

Script = Callable[[socket.socket], None]


@dataclass
class Server:
    """Plays one script a request, in turn; the last one stays."""

    scripts: list[Script]
    tls: ssl.SSLContext | None = None
    requests: list[bytes] = field(default_factory=list)
    connections: int = 0
    stopped: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"{'https' if self.tls else 'http'}://127.0.0.1:{self._listening.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def stop(self) -> None:
        self.stopped.set()
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                self.connections += 1
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError):
            client = self.tls.wrap_socket(client, server_side=True) if self.tls else client
            while not self.stopped.is_set() and (request := read_request(client)):
                self.requests.append(request)
                script = self.scripts.pop(0) if len(self.scripts) > 1 else self.scripts[0]
                script(client)
                if getattr(script, "closes", False):
                    client.close()
                    return


@contextlib.contextmanager
def serving(*scripts: Script, tls: ssl.SSLContext | None = None) -> Iterator[Server]:
    server = Server(list(scripts), tls)
    try:
        yield server
    finally:
        server.stop()


def read_request(client: socket.socket) -> bytes:
    received = b""
    while b"\r\n\r\n" not in received:
        piece = client.recv(65536)
        if not piece:
            return b""
        received += piece
    head, _, body = received.partition(b"\r\n\r\n")
    length = next((int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0)
    while len(body) < length:
        body += client.recv(65536)
    return head + b"\r\n\r\n" + body


def answering(body: bytes, status: str = "200 OK", headers: tuple[str, ...] = (), length: int | None = None) -> Script:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body) if length is None else length}", *headers]
    sent = "\r\n".join(lines).encode() + b"\r\n\r\n" + body

    def script(client: socket.socket) -> None:
        client.sendall(sent)

    return closing(script) if length is not None else script


def sending(sent: bytes) -> Script:
    """Exactly these bytes, then the end of the connection."""
    return closing(lambda client: client.sendall(sent))


def dripping(at_once: bytes, slowly: bytes, pause: float = 0.05) -> Script:
    def script(client: socket.socket) -> None:
        client.sendall(at_once)
        for byte in slowly:
            time.sleep(pause)
            client.sendall(bytes([byte]))

    return closing(script)


def resetting(sent: bytes = b"") -> Script:
    def script(client: socket.socket) -> None:
        client.sendall(sent)
        time.sleep(0.05)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    return closing(script)


def silent(seconds: float) -> Script:
    return closing(lambda client: time.sleep(seconds))


def closing(script: Script) -> Script:
    def closing_script(client: socket.socket) -> None:
        script(client)

    closing_script.closes = True  # type: ignore[attr-defined]
    return closing_script
