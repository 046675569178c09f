"""Progress suits a terminal as well as a log."""

import os
import pty
import subprocess
import sys
from io import StringIO

import pytest
from django.core.management.base import OutputWrapper

from portfolio import plain_commands
from portfolio.plain_commands import progress
from tests.support import ROOT

ON_A_TERMINAL = """
import sys
from django.core.management.base import OutputWrapper
from portfolio.plain_commands import progress
with progress(OutputWrapper(sys.stdout), "Reading [1] …") as shown:
    shown.now("half [bold] done")
    shown.line("ACME: [7] read, " + "and so on " * 20)
"""


def test_a_log_gets_lines_and_not_each_step(monkeypatch: pytest.MonkeyPatch) -> None:
    out = StringIO()
    with progress(OutputWrapper(out), "Reading …") as shown:
        shown.now("1 of 3")
        shown.line("one line")
        monkeypatch.setattr(plain_commands, "SECONDS_BETWEEN_LINES", 0)
        shown.now("3 of 3")
    assert out.getvalue() == "one line\n3 of 3\n"


def test_a_terminal_gets_a_line_that_renews_itself() -> None:
    said = on_a_terminal(ON_A_TERMINAL)
    assert "half [bold] done" in said
    # Whole, in one piece, and with brackets that mean nothing but themselves.
    assert "ACME: [7] read, " + "and so on " * 20 in said


def on_a_terminal(program: str) -> str:
    ours, theirs = pty.openpty()
    env = {**os.environ, "TERM": "xterm", "DJANGO_SETTINGS_MODULE": "dnbmon_site.settings"}
    setup = "import django; django.setup()\n"
    subprocess.run([sys.executable, "-c", setup + program], stdout=theirs, env=env, cwd=ROOT, check=True, timeout=60)
    os.close(theirs)
    said = b""
    try:
        while more := os.read(ours, 65536):
            said += more
    except OSError:
        # How Linux says that nobody writes any more.
        pass
    os.close(ours)
    return said.decode()
