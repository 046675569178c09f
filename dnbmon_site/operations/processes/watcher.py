"""What `up` becomes when all runs: the same process and the same children, without all that starting them needed.

A process that only waits would otherwise hold the whole of Django. Signals that come in between wait until they can be
answered; if nothing comes of it, the children see that their parent is gone, and end.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import tempfile
from collections.abc import Iterable

from dnbmon_site.operations.processes.tree import Failed, Stopped, Tree
from dnbmon_site.worker.child_process import STOP_SIGNALS, Child

OPTION = "--watching"


def become_watcher(tree: Tree, locks: Iterable[int]) -> None:
    """The descriptors of `locks` stay open, and locked."""
    signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    tree.wait(0)
    with tempfile.TemporaryFile("w+") as file:
        json.dump([[_described(child) for child in children] for children in (tree.ground, tree.children)], file)
        file.flush()
        file.seek(0)
        for descriptor in (*locks, file.fileno()):
            os.set_inheritable(descriptor, True)
        os.execv(sys.executable, [sys.executable, *sys.argv, OPTION, str(file.fileno())])


def _described(child: Child) -> tuple[str, list[str], dict[str, str], int]:
    return child.name, list(child.command), dict(child.env), child.process.pid


def watch(descriptor: int) -> None:
    """In the new program: until somebody asks us to stop."""
    with os.fdopen(descriptor) as file:
        ground, children = ([Child(*described) for described in group] for group in json.load(file))
    try:
        with Tree(report) as tree:
            tree.ground, tree.children = ground, children
            signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)
            tree.watch()
    except Stopped:
        report("Stopped.")
    except Failed as error:
        sys.exit(f"CommandError: {error}")


def report(line: str) -> None:
    print(line, flush=True)
