"""A program that has everything loaded and forks a process for each order it reads, so that one starts in no time.

A line is an order: {"deed": …, "arguments": {…}, "result": file}; the answer is the process's id. {"look": id} tells
how a process ended, or null while it runs.
"""

import json
import os
import signal
import sys
import traceback
from pathlib import Path
from typing import Any

import django


def main(timeout: str, margin: str) -> None:
    django.setup()
    from tests.acceptance import deeds

    deeds.shorten(timeout=float(timeout), margin=float(margin))
    deeds.preload()
    ended: dict[int, int] = {}
    for line in sys.stdin:
        order = json.loads(line)
        answer = _look(order["look"], ended) if "look" in order else _start(order)
        print(json.dumps(answer), flush=True)


def _start(order: dict[str, Any]) -> int:
    process = os.fork()
    if process == 0:
        os._exit(_obey(order))
    return process


def _obey(order: dict[str, Any]) -> int:
    from tests.acceptance.deeds import DEEDS

    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        result = DEEDS[order["deed"]](**order["arguments"])
        unfinished = Path(order["result"] + ".part")
        unfinished.write_text(json.dumps(result))
        unfinished.rename(order["result"])
    except BaseException:  # noqa: BLE001
        # Nothing may climb out of a forked child: above it stands a copy of the whole test run.
        traceback.print_exc()
        return 1
    return 0


def _look(process: int, ended: dict[int, int]) -> int | None:
    """The exit code, negative for a signal."""
    if process not in ended:
        found, status = os.waitpid(process, os.WNOHANG)
        if found:
            ended[process] = os.waitstatus_to_exitcode(status)
    return ended.get(process)


if __name__ == "__main__":
    main(*sys.argv[1:])
