"""Loaded by every interpreter of the program under attack: each connection it opens becomes a line of a file."""

import os
import sys
from typing import Any

PLACE = os.environ["ATTACK_CONNECTIONS"]


def record(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "socket.connect":
        line = f"{arguments[1]!r}\n".encode()
        # One write to a file opened for appending: lines of several processes stay whole.
        descriptor = os.open(PLACE, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        os.write(descriptor, line)
        os.close(descriptor)


sys.addaudithook(record)
