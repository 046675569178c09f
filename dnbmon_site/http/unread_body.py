"""What a request brings and nobody reads, a large list with a key that is not valid, is taken off the line before the
answer: the server closes a connection that has bytes left, and the proxy in front then says 502 in place of the
answer, which says what is wrong."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol

MIB = 1024 * 1024
CHUNK = 64 * 1024


class WSGI(Protocol):
    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]: ...


def taking_all(application: WSGI, largest: int) -> WSGI:
    """`largest`: what the proxy lets through; of whatever is larger, no more is taken."""

    def take(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        answer = application(environ, start_response)
        drain(environ["wsgi.input"], largest)
        return answer

    return take


def drain(body: Any, most: int) -> None:
    try:
        while most > 0 and (read := body.read(min(CHUNK, most))):
            most -= len(read)
    except OSError:
        # Whoever sends it has gone, or sends no more: the answer goes its way all the same.
        return
