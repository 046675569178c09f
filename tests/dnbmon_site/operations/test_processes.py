"""The program as processes, on the engine under test: from an empty database to a job that a worker did."""

import shutil
import sys
from pathlib import Path

import pytest
import requests

from tests.support import free_port, manage, managed, program, wait_for_port, wait_until

LOOK = """
from django_q.models import OrmQ, Success
print(*Success.objects.values_list("func", flat=True), OrmQ.objects.count())
"""


def python(code: str, env: dict[str, str]) -> str:
    """Lines of Python inside the program, as `manage.py shell` runs them."""
    done = manage("shell", "--verbosity=0", "-c", code, env=env)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_each_process_database_is_fresh_and_migrated(process_env: dict[str, str]) -> None:
    assert manage("migrate", "--check", env=process_env).returncode == 0


def test_the_first_admin(process_env: dict[str, str]) -> None:
    env = process_env | {"DJANGO_SUPERUSER_PASSWORD": "secret words"}
    who = ("--username=ann", "--email=ann@example.com")
    assert manage("createsuperuser", "--noinput", *who, env=env).returncode == 0


def test_a_worker_does_a_queued_job(process_env: dict[str, str], tmp_path: Path) -> None:
    python("from django_q.tasks import async_task; async_task('monitoring.jobs.count_days')", process_env)
    with managed("qcluster", env=process_env, log=tmp_path / "worker.log") as worker:
        wait_until(lambda: python(LOOK, process_env) == "monitoring.jobs.count_days 0", what="the job to be done")
        assert worker.stop() == 0, worker.said


@pytest.mark.skipif(shutil.which("redis-server") is None, reason="no redis-server")
def test_a_worker_does_a_job_queued_in_redis(process_env: dict[str, str], tmp_path: Path) -> None:
    port = free_port()
    env = process_env | {"REDIS_URL": f"redis://127.0.0.1:{port}/0"}
    command = ("redis-server", "--port", str(port), "--save", "", "--dir", str(tmp_path))
    with program(*command, env=env, log=tmp_path / "redis.log"):
        wait_for_port(port)
        python("from django_q.tasks import async_task; async_task('monitoring.jobs.count_days')", env)
        with managed("qcluster", env=env, log=tmp_path / "worker.log"):
            wait_until(lambda: python(LOOK, env) == "monitoring.jobs.count_days 0", what="the job to be done")


def test_the_web_server_says_ready(process_env: dict[str, str], tmp_path: Path) -> None:
    port = free_port()
    command = (sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}", "--threads", "4", "dnbmon_site.wsgi")
    with program(*command, env=process_env, log=tmp_path / "web.log"):
        wait_for_port(port)
        assert requests.get(f"http://127.0.0.1:{port}/health/ready", timeout=10).text == "ready\n"
