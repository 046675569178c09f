"""Messages go out by a worker's processes on SQLite while its other jobs write, and none of its jobs fails."""

import subprocess
import sys

from tests.support import ROOT


def test_no_job_fails_while_messages_go_out() -> None:
    command = [sys.executable, "-m", "benchmarks.sending", "--messages", "320", "--webhooks", "4", "--anyway"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
