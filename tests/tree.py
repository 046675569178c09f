"""Nothing that a test session started outlives it, however it ends.

All of it carries the session's mark in its environment, whatever process group it is in and whoever adopted it. A
process beside the session waits for its end, also by SIGKILL, and then ends what still carries the mark.
"""

import os
import signal
import subprocess
import sys
import time
import uuid
from contextlib import suppress
from pathlib import Path

MARK = "TEST_SESSION_MARK"
ROOT = Path(__file__).resolve().parent.parent
GRACE = 15.0


def watch_over_session() -> None:
    """Once a session: what this process starts carries the mark as well, pytest under `tests.everywhere` for one."""
    if MARK in os.environ:
        return
    command = [sys.executable, "-m", "tests.tree", str(os.getpid()), mark := uuid.uuid4().hex]
    subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, start_new_session=True)
    os.environ[MARK] = mark


def marked(mark: str) -> set[int]:
    """Those with the mark in the environment they were started with; the dead that nobody has noticed have none."""
    lines = subprocess.run(["ps", "axeww", "-o", "pid=,args="], capture_output=True, text=True, check=True).stdout
    return {int(line.split(None, 1)[0]) for line in lines.splitlines() if f" {MARK}={mark}" in line}


def end_all(mark: str) -> None:
    """Ask, and do not wait for ever."""
    deadline, asked = time.monotonic() + GRACE, set[int]()
    while found := marked(mark):
        is_over = time.monotonic() > deadline
        _send(found if is_over else found - asked, signal.SIGKILL if is_over else signal.SIGTERM)
        asked |= found
        time.sleep(0.2)


def _send(pids: set[int], number: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def main(session: int, mark: str) -> None:
    while os.getppid() == session:
        time.sleep(0.2)
    end_all(mark)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
