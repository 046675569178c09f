"""Children of ours: none is left behind, whatever they do about being asked."""

import os
import signal
import sys
import time
from collections.abc import Iterator

import pytest

from dnbmon_site.operations.processes.tree import Failed, Stopped, Tree
from dnbmon_site.worker.child_process import PARENT, STOP_SIGNALS, Child, Told, is_orphan, stop
from tests.process_table import alive, family
from tests.support import wait_until

WELL_BEHAVED = "import time; time.sleep(60)"
DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"
WITH_A_CHILD = (
    "import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
    "time.sleep(60)"
)


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    """The test session's own, whatever a test has set."""
    before = {number: signal.getsignal(number) for number in STOP_SIGNALS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def python(program: str) -> list[str]:
    return [sys.executable, "-c", program]


def a_child(program: str = WELL_BEHAVED) -> Child:
    return Child("one", python(program))


def test_stop_asks_first() -> None:
    child = a_child()
    stop([child], within=5)
    assert child.exit_code == -signal.SIGTERM


def test_who_does_not_listen_is_ended_in_time() -> None:
    child = a_child(DEAF)
    time.sleep(0.5)
    began = time.monotonic()
    stop([child], within=0.3)
    assert child.exit_code == -signal.SIGKILL
    assert time.monotonic() - began < 2


def test_nobody_of_the_group_is_left() -> None:
    child = a_child(WITH_A_CHILD)
    wait_until(lambda: len(family(child.process.pid)) == 2)
    everybody = family(child.process.pid)
    stop([child], within=5)
    wait_until(lambda: not alive(everybody), timeout=5)


def test_a_signal_to_our_group_does_not_reach_children() -> None:
    child = a_child()
    assert os.getpgid(child.process.pid) != os.getpgrp()
    child.kill()


def test_one_that_ran_before_this_program_is_stopped_by_its_id() -> None:
    started = a_child(WITH_A_CHILD)
    wait_until(lambda: len(family(started.process.pid)) == 2)
    everybody = family(started.process.pid)
    child = Child("one", started.command, pid=started.process.pid)
    assert child.exit_code is None
    stop([child], within=5)
    assert child.exit_code == -signal.SIGTERM
    wait_until(lambda: not alive(everybody), timeout=5)


def test_stopping_twice_does_no_harm() -> None:
    child = a_child("pass")
    stop([child], within=5)
    stop([child], within=5)


@pytest.mark.parametrize("number", STOP_SIGNALS)
def test_is_told_by_signals(number: signal.Signals) -> None:
    # Whoever started the tests may have them ignore it.
    signal.signal(number, signal.SIG_DFL)
    told = Told()
    assert not told.wait(0)
    os.kill(os.getpid(), number)
    began = time.monotonic()
    assert told.wait(5)
    assert time.monotonic() - began < 3


def test_nohup_is_respected() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    told = Told()
    os.kill(os.getpid(), signal.SIGHUP)
    assert not told.wait(0)


def test_knows_that_its_parent_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not is_orphan()
    monkeypatch.setenv(PARENT, str(os.getppid()))
    assert not is_orphan()
    monkeypatch.setenv(PARENT, str(os.getpid()))
    assert is_orphan()


def a_tree(said: list[str]) -> Tree:
    return Tree(said.append)


def test_a_tree_ends_its_children_whatever_happens() -> None:
    with pytest.raises(RuntimeError), a_tree([]) as tree:
        child = tree.start("one", *python(WELL_BEHAVED), env=os.environ)
        ground = tree.start("two", *python(WELL_BEHAVED), env=os.environ, is_ground=True)
        raise RuntimeError
    assert child.exit_code is not None
    assert ground.exit_code is not None


def test_a_step_returns_what_it_printed() -> None:
    with a_tree([]) as tree:
        assert tree.run("It", *python("print('hello')"), env=os.environ) == "hello\n"
        with pytest.raises(Failed, match=r"It failed \(exit code 3\)"):
            tree.run("It", *python("raise SystemExit(3)"), env=os.environ)


def test_a_step_is_ended_when_we_are_told_to_stop() -> None:
    with a_tree([]) as tree:
        tree.told.to_stop = True
        with pytest.raises(Stopped):
            tree.run("It", *python(WELL_BEHAVED), env=os.environ)


def test_who_never_answers_is_named() -> None:
    with a_tree([]) as tree:
        child = tree.start("The web server", *python(WELL_BEHAVED), env=os.environ)
        with pytest.raises(Failed, match="The web server has not responded"):
            tree.wait_until(lambda: False, child, within=0.2)


def test_who_ends_at_its_start_is_named() -> None:
    with a_tree([]) as tree:
        child = tree.start("The worker", *python("raise SystemExit(2)"), env=os.environ)
        with pytest.raises(Failed, match=r"The worker stopped during startup \(exit code 2\)"):
            tree.wait_until(lambda: False, child, within=10)


def test_who_ends_is_started_again_but_not_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr("dnbmon_site.operations.processes.tree.PAUSE", 0.05)
    with a_tree(said) as tree:
        tree.start("The worker", *python("raise SystemExit(2)"), env=os.environ)
        with pytest.raises(Failed, match="stopped 4 times within a minute"):
            tree.watch()
    assert said == ["The worker stopped unexpectedly (exit code 2) and is restarting."] * 3
