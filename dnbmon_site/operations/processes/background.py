"""`up --background`: the same program in a session of its own; its first output is shown, then the command returns."""

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
    """Return when it runs. Its first output, passwords among it, is shown and then not kept."""
    log = settings.VAR_DIR / f"up-{port}.log"
    command = [sys.executable, *(word for word in sys.argv if word != "--background")]
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "ab") as file:
        program = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=file, stderr=file, start_new_session=True)
        while RUNS not in (shown := log.read_text(errors="replace")):
            if program.poll() is not None:
                raise Failed(f"{log.read_text(errors='replace').strip()}\nD&B Monitoring did not start.")
            time.sleep(LOOK_EVERY)
        file.truncate(0)
    report(shown.replace(RUNS, f"D&B Monitoring runs in the background and logs to {log}. To stop it: manage.py stop"))
