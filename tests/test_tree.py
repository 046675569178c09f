"""What a session of tests started ends with it, also when the session is killed."""

import os
import signal
import subprocess
import sys

from tests.process_table import alive
from tests.support import wait_until
from tests.tree import MARK, ROOT

SESSION = """
import subprocess, sys, time
from tests.tree import watch_over_session
watch_over_session()
wait = [sys.executable, "-c", "import time; time.sleep(600)"]
listens = subprocess.Popen(wait, start_new_session=True)
shell = ["sh", "-c", '"$@" >/dev/null 2>&1 & echo $!', "sh", *wait]
orphan = subprocess.run(shell, capture_output=True, text=True).stdout
print(listens.pid, orphan, flush=True)
time.sleep(600)
"""


def test_who_was_started_by_a_killed_session_ends() -> None:
    env = {name: value for name, value in os.environ.items() if name != MARK}
    session = subprocess.Popen([sys.executable, "-c", SESSION], cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True)
    assert session.stdout is not None
    started = {int(pid) for pid in session.stdout.readline().split()}
    assert len(started) == 2 and alive(started) == started
    os.kill(session.pid, signal.SIGKILL)
    session.communicate()
    wait_until(lambda: not alive(started), what="the end of all that it started")
