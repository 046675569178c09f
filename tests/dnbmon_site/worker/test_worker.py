"""The worker as a process: jobs run end to end, and neither a wedge nor a signal leaves anything behind."""

import os
import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.process_table import alive, children, family
from tests.support import Running, manage, managed, wait_until

STOPS_WITHIN = 12
DONE = "Processed 'health.jobs.beat'"
AGAIN = "the cluster of jobs is started again"


@pytest.fixture
def worker(process_env: dict[str, str], tmp_path: Path) -> Iterator[Running]:
    env = {**process_env, "DNB_BEAT_SECONDS": "2", "LOG_LEVEL": "INFO"}
    with managed("worker", env=env, log=tmp_path / "worker.log") as running:
        everybody: set[int] = set()
        try:
            wait_until(
                lambda: DONE in running.said or running.process.poll() is not None, timeout=40, what="the first job"
            )
            assert running.process.poll() is None, running.said
            everybody = family(running.process.pid)
            yield running
        finally:
            # The cluster is in a session of its own, which ends by itself when its watchdog is gone.
            running.kill_all()
            wait_until(lambda: not alive(everybody), timeout=20, what="the end of the cluster")


def cluster(worker: Running) -> int:
    (pid,) = children(worker.process.pid)
    return pid


def workers(worker: Running) -> list[int]:
    """The processes that wait for tasks; the cluster says each one's number when it is ready."""
    ready = {int(pid) for pid in re.findall(r"ready for work at (\d+)", worker.said)}
    return sorted(ready & family(worker.process.pid))


def ends_in_time(worker: Running, everybody: set[int]) -> None:
    began = time.monotonic()
    worker.process.wait(STOPS_WITHIN)
    wait_until(lambda: not alive(everybody), timeout=5, what="the end of everybody")
    assert time.monotonic() - began < STOPS_WITHIN


@pytest.mark.slow
def test_sigterm_ends_everybody(worker: Running) -> None:
    everybody = family(worker.process.pid)
    assert len(everybody) >= 6
    worker.process.terminate()
    ends_in_time(worker, everybody)
    assert worker.process.returncode == 0
    assert "Traceback" not in worker.said


@pytest.mark.slow
def test_a_ctrl_c_ends_everybody(worker: Running) -> None:
    """The terminal sends it to the whole group."""
    everybody = family(worker.process.pid)
    os.killpg(worker.process.pid, signal.SIGINT)
    ends_in_time(worker, everybody)
    assert worker.process.returncode == 0
    assert "Traceback" not in worker.said


@pytest.mark.slow
def test_a_wedged_cluster_is_started_again(worker: Running) -> None:
    """Killed in its read of the queue, a worker takes the lock with it, and no other can read any more."""
    for pid in workers(worker):
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: AGAIN in worker.said, timeout=40, what="the watchdog")
    assert "no job has run" in worker.said
    before = worker.said.count(DONE)
    wait_until(lambda: worker.said.count(DONE) > before, timeout=40, what="a job after the restart")


@pytest.mark.slow
def test_a_hanging_writer_of_results_is_seen(worker: Running) -> None:
    """Killed while it waits for a result, it takes the lock with it: jobs run, nobody knows how they ended."""
    time.sleep(1)
    os.kill(int(re.findall(r"monitoring at (\d+)", worker.said)[-1]), signal.SIGKILL)
    wait_until(lambda: AGAIN in worker.said, timeout=60, what="the watchdog")
    before = worker.said.count(DONE)
    wait_until(lambda: worker.said.count(DONE) > before, timeout=40, what="a job after the restart")


@pytest.mark.slow
def test_a_cluster_that_ends_is_started_again(worker: Running) -> None:
    first = cluster(worker)
    everybody = family(first)
    os.kill(first, signal.SIGKILL)
    wait_until(lambda: AGAIN in worker.said, timeout=20, what="the watchdog")
    wait_until(lambda: not alive(everybody), timeout=5, what="the end of the first cluster")
    before = worker.said.count(DONE)
    wait_until(lambda: worker.said.count(DONE) > before, timeout=40, what="a job after the restart")


@pytest.mark.slow
def test_a_cluster_without_its_watchdog_ends(worker: Running) -> None:
    everybody = family(worker.process.pid)
    worker.process.kill()
    worker.process.wait()
    wait_until(lambda: not alive(everybody), timeout=20, what="the end of the cluster")


@pytest.mark.every_engine
@pytest.mark.slow
def test_a_scheduled_job_runs_end_to_end(worker: Running) -> None:
    """What is due at the start is not kept waiting; the schedules follow within a minute."""
    wait_until(lambda: "Processed 'monitoring.jobs.pull_due'" in worker.said, timeout=30)
    wait_until(lambda: "from schedule [Check health]" in worker.said, timeout=90, what="the scheduler")
    wait_until(lambda: "Processed 'monitoring.jobs.count_days'" in worker.said, timeout=30, what="a scheduled job")


def test_says_that_migrations_wait(process_env: dict[str, str], tmp_path: Path) -> None:
    env = {**process_env, "DATABASE_URL": f"sqlite:///{tmp_path}/empty.sqlite3"}
    done = manage("worker", env=env)
    assert done.returncode == 1
    assert "manage.py migrate" in done.stderr
    assert "Traceback" not in done.stderr
