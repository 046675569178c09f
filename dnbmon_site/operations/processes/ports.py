"""Where a server can listen, and what to say when it cannot."""

from __future__ import annotations

import errno
import os
import socket

from dnbmon_site.operations.processes.tree import Failed


def is_everywhere(host: str) -> bool:
    return host in ("0.0.0.0", "::", "")


def check_port(host: str, port: int) -> None:
    trouble = why_not_to_listen(host, port)
    if trouble == errno.EADDRINUSE:
        other = f"--port {next_free(host, port)}"
        raise Failed(f'Port {port} is in use by another program. Use “{other}” (with make: ARGS="{other}").')
    if trouble:
        raise Failed(f"{host}:{port} cannot be used: {os.strerror(trouble)}. Choose another --host or --port.")


def why_not_to_listen(host: str, port: int) -> int:
    """The operating system's reason, or 0."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        # As the server does: connections that ended a moment ago are no hindrance.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            return error.errno or errno.EINVAL
    return 0


def next_free(host: str, port: int) -> int:
    return next((other for other in range(port + 1, port + 100) if not why_not_to_listen(host, other)), 0)
