"""`up --background`: the same program in a session of its own; who started it reads how that went, and goes."""

from __future__ import annotations

import os
import subprocess
import sys
import time

from django.conf import settings

from dnbmon_site.operations.processes.banner import RUNS
from dnbmon_site.operations.processes.tree import Failed, Report

LOOK_EVERY = 0.2


def start_in_background(port: int, report: Report) -> None:
    """Come back when it runs. What it said at its start, passwords among it, is shown and then not kept."""
    log = settings.VAR_DIR / f"up-{port}.log"
    command = [sys.executable, *(word for word in sys.argv if word != "--background")]
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "ab") as file:
        program = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=file, stderr=file, start_new_session=True)
        while RUNS not in (said := log.read_text(errors="replace")):
            if program.poll() is not None:
                raise Failed(
                    f"{log.read_text(errors='replace').strip()}\nIt stopped during startup; the lines above show why."
                )
            time.sleep(LOOK_EVERY)
        file.truncate(0)
    report(said.replace(RUNS, f"Running in the background. Log: {log}. To stop it, run “make stop”."))
