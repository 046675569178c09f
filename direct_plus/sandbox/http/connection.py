"""The connection to a client: bytes out, a look whether the client is still there, and ways to end badly."""

import contextlib
import socket
import struct
from threading import Event
from time import monotonic


class Wire:
    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self.usable = True

    def gone(self) -> bool:
        """Whether the client closed its side. It sends nothing more before it has its answer."""
        if not self.usable:
            return True
        try:
            return self._socket.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
        except BlockingIOError:
            return False
        except OSError:
            return True

    def send(self, data: bytes) -> bool:
        try:
            self._socket.sendall(data)
        except OSError:
            self.usable = False
        return self.usable

    def end(self, *, reset: bool = False) -> None:
        """Close; with `reset` the client sees the connection break, not end."""
        self.usable = False
        with contextlib.suppress(OSError):
            if reset:
                self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self._socket.close()
            else:
                self._socket.shutdown(socket.SHUT_RDWR)

    def wait(self, seconds: float, stopping: Event) -> bool:
        """Whether the client stayed for so long."""
        until = monotonic() + seconds
        while not self.gone():
            left = until - monotonic()
            if left <= 0 or stopping.wait(min(left, 0.02)):
                return True
        return False
