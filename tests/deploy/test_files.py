"""What cannot be started here is at least read: units, image, services and proxy say what they must."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import redis
import yaml
from django.conf import settings

from dnbmon_site import gunicorn_conf
from tests.builders.deploy_files import DEPLOY, unit
from tests.support import PROGRAM, ROOT, free_port, manage, program, wait_for_port

UNITS = sorted(DEPLOY.glob("*.service"))
HARDENED = {
    "NoNewPrivileges": "yes", "ProtectSystem": "strict", "ProtectHome": "yes", "PrivateTmp": "yes", "User": "dnbmon",
    "CapabilityBoundingSet": "", "KillMode": "mixed", "Restart": "always", "TimeoutStopSec": "20",
    "TasksMax": "256", "OOMPolicy": "continue", "IPAddressDeny": "link-local multicast", "SocketBindDeny": "any",
    "ReadWritePaths": "/opt/dnbmon/var", "EnvironmentFile": "/etc/dnbmon/production.env",
}  # fmt: skip


def services() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    return found


# systemd


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_units_are_hardened_and_come_back(path: Path) -> None:
    found = dict(unit(path)["Service"])
    assert {name: found.get(name) for name in HARDENED} == HARDENED


def test_units_have_limits_that_fit_what_runs_in_them() -> None:
    """The worker's processes are each ended above `max_rss` once a job is done; the web has a port of its own."""
    web, worker = (dict(unit(path)["Service"]) for path in UNITS)
    assert (web["SocketBindAllow"], web["MemoryMax"]) == ("ipv4:tcp:8000", "1536M")
    assert "--bind 127.0.0.1:8000" in web["ExecStart"] and "SocketBindAllow" not in worker
    grown = settings.Q_CLUSTER["max_rss"] * 1024
    assert int(worker["MemoryMax"].removesuffix("G")) * 2**30 > 4 * grown


def test_the_target_wants_each_unit() -> None:
    requested = unit(DEPLOY / "dnbmon.target")["Unit"]["Wants"].split()
    assert requested == [path.name for path in UNITS]
    assert all(unit(path)["Unit"]["PartOf"] == "dnbmon.target" for path in UNITS)


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not here")
@pytest.mark.skipif(not os.access("/tmp", os.W_OK), reason="systemd-analyze works in /tmp, whatever TMPDIR says")
def test_systemd_understands_the_units(tmp_path: Path) -> None:
    """With programs that are there: it looks for those the units name."""
    for path in [*UNITS, DEPLOY / "dnbmon.target"]:
        text = path.read_text().replace("/opt/dnbmon/.venv/bin/python", sys.executable)
        (tmp_path / path.name).write_text(text)
    done = subprocess.run(
        ["systemd-analyze", "verify", *map(str, sorted(tmp_path.iterdir()))], capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")


# Docker


def test_the_image_is_sound() -> None:
    linter = Path(sys.executable).with_name("hadolint")
    if not linter.exists():
        pytest.skip("hadolint is not here")
    done = subprocess.run([linter, DEPLOY / "Dockerfile"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")


def test_the_image_runs_unprivileged_from_locked_packages() -> None:
    text = (DEPLOY / "Dockerfile").read_text()
    assert re.findall(r"^USER (.*)$", text, re.MULTILINE) == ["10001:10001"]
    assert "--require-hashes" in text and "http://" not in text.replace("http://127.0.0.1", "")
    assert set(re.findall(r"^FROM (\S+)", text, re.MULTILINE)) == {"${PYTHON}"}
    assert re.search(r"^ARG PYTHON$", text, re.MULTILINE), "which Python is said by its digest, from outside"


def test_the_image_holds_all_of_the_program_and_nothing_more() -> None:
    copied = set(re.findall(r"^COPY (\w+) \1$", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE))
    kept = {line[1:] for line in (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines() if line.startswith("!")}
    # The docs too: health shows its handbook from them.
    assert copied == {"templates", "docs", "locale", *PROGRAM}
    assert kept == copied | {"manage.py", "pyproject.toml", "requirements.lock"}
    assert "COPY manage.py pyproject.toml ./" in (DEPLOY / "Dockerfile").read_text()


def test_services_are_complete_and_unprivileged() -> None:
    found = services()
    for name in ("migrate", "web", "worker"):
        one = found["services"][name]
        assert one["read_only"] is True and one["cap_drop"] == ["ALL"] and one["image"] == "dnbmon"
        assert set(one["secrets"]) <= set(found["secrets"])
        named = {str(value).rsplit("/", 1)[-1] for key, value in one["environment"].items() if key.endswith("_FILE")}
        assert named == set(one["secrets"]), "each secret is a file, and each file is given"
    for one in found["services"].values():
        assert set(one.get("depends_on", {})) <= set(found["services"])
        for volume in one.get("volumes", []):
            source = volume.split(":")[0]
            assert source.startswith("./") or source in found["volumes"]


# What docs/operate/deployment.md says that the files hold.
IN_SECRETS = {
    "secret_key": "0123456789-abcdefghijklmnopqrstuvwxyz-0123456789-abc",
    "database_url": "postgres://dnbmon:Letters9@postgres/dnbmon",
    "database_password": "Letters9",
    "redis_url": "redis://:Letters8@redis:6379/0",
    "redis_password": "Letters8",
    "email_url": "smtp+tls://dnbmon:Letters7@mail.example.com:587",
    "dnb_api_key": "key",
    "dnb_api_secret": "secret",
}


def secrets_in(folder: Path, service: str) -> Path:
    """What the service is given, and no more."""
    for name in services()["services"][service]["secrets"]:
        (folder / name).write_text(f"{IN_SECRETS[name]}\n")
    return folder


def composed(name: str, folder: Path) -> dict[str, str]:
    """What a service starts with: the template of settings, then what compose.yaml itself says."""
    lines = (ROOT / "docs" / "environments" / "production.env").read_text().splitlines()
    template = dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
    found = {**template, **services()["services"][name]["environment"]}
    found = {key: str(value).replace("/run/secrets", str(folder)) for key, value in found.items()}
    return {"PATH": os.environ["PATH"], "ENV_FILE": os.devnull, **found}


@pytest.mark.parametrize("name", ["migrate", "web", "worker"])
def test_what_is_composed_passes_productions_own_checks(name: str, tmp_path: Path) -> None:
    env = composed(name, secrets_in(tmp_path, name))
    assert env["ENVIRONMENT"] == "production"
    done = manage("check", "--deploy", "--fail-level=WARNING", env=env)
    assert done.returncode == 0, done.stderr


def test_each_service_reaches_only_what_it_needs() -> None:
    found = services()
    reached = {name: set(one["networks"]) for name, one in found["services"].items()}
    assert reached == {
        "migrate": {"queue", "database"},
        "web": {"pages", "queue", "database"},
        "worker": {"outside", "queue", "database"},
        "proxy": {"pages"},
        "redis": {"queue"},
        "postgres": {"database"},
        "mongodb": {"database"},
    }
    assert [name for name, one in found["networks"].items() if one and one["internal"]] == ["queue", "database"]
    assert [name for name, one in found["services"].items() if "ports" in one] == ["proxy"]


def test_nobody_writes_to_a_database_without_a_password() -> None:
    found = services()["services"]
    assert found["postgres"]["secrets"] == found["mongodb"]["secrets"] == ["database_password"]
    assert "--keyFile" in found["mongodb"]["command"][2], "which turns authentication on"
    assert found["redis"]["secrets"] == ["redis_password"]


@pytest.mark.skipif(not shutil.which("redis-server"), reason="redis-server is not here")
def test_redis_starts_with_its_password_and_answers_nobody_without(tmp_path: Path) -> None:
    """The service's own command line, in another folder and at another port."""
    shell, flag, line = services()["services"]["redis"]["command"]
    line = (
        line.replace("$$", "$")
        .replace("/run/secrets", str(secrets_in(tmp_path, "redis")))
        .replace("/tmp/redis", f"{tmp_path}/redis")
    )
    port = free_port()
    line += f" --port {port} --bind 127.0.0.1 --dir {tmp_path}"
    with program(shell, flag, line, env={"PATH": os.environ["PATH"]}, log=tmp_path / "log") as running:
        wait_for_port(port)
        with pytest.raises(redis.AuthenticationError):
            redis.Redis(port=port).ping()
        known = redis.Redis.from_url(IN_SECRETS["redis_url"].replace("redis:6379", f"127.0.0.1:{port}"))
        assert known.ping() and known.config_get("appendonly") == {"appendonly": "yes"}
        assert "Letters8" not in Path(f"/proc/{running.process.pid}/cmdline").read_text()
        assert running.stop() == 0, "redis itself gets the signal"


IMAGE = re.compile(r"^\$\{(\w+_IMAGE):\?.*pin_images")


def test_images_are_named_by_digests_that_somebody_fetched(tmp_path: Path) -> None:
    """No digest stands in a file here: a script writes those of what it fetched."""
    docker = tmp_path / "bin" / "docker"
    docker.parent.mkdir()
    digest = "a" * 64
    docker.write_text(f'#!/bin/sh\n[ "$1" = pull ] || echo "registry.example.com/${{5%%:*}}@sha256:{digest}"\n')
    docker.chmod(0o755)
    script = shutil.copy(DEPLOY / "pin_images", tmp_path / "pin_images")
    env = {"PATH": f"{docker.parent}:{os.environ['PATH']}"}
    assert subprocess.run([script], env=env, capture_output=True).returncode == 1
    done = subprocess.run([script, "postgres"], env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    pinned = dict(
        line.split("=", 1) for line in (tmp_path / ".env").read_text().splitlines() if not line.startswith("#")
    )
    assert pinned["DATABASE_IMAGE"] == f"registry.example.com/postgres@sha256:{digest}"
    found = services()
    images = {one["image"] for name, one in found["services"].items() if name not in ("migrate", "web", "worker")}
    images.add(found["x-program"]["build"]["args"]["PYTHON"])
    matches = [IMAGE.match(image) for image in images]
    assert all(matches) and {one[1] for one in matches if one} == set(pinned)


def test_an_image_without_a_digest_is_not_written_down(tmp_path: Path) -> None:
    docker = tmp_path / "bin" / "docker"
    docker.parent.mkdir()
    docker.write_text("#!/bin/sh\nexit 0\n")
    docker.chmod(0o755)
    script = shutil.copy(DEPLOY / "pin_images", tmp_path / "pin_images")
    done = subprocess.run(
        [script, "mongodb"], env={"PATH": f"{docker.parent}:{os.environ['PATH']}"}, capture_output=True
    )
    assert done.returncode != 0 and b"has no digest" in done.stderr and not (tmp_path / ".env").exists()


def test_only_one_database_is_started() -> None:
    profiles = {name: one["profiles"] for name, one in services()["services"].items() if "profiles" in one}
    assert profiles == {"postgres": ["postgres"], "mongodb": ["mongodb"]}
    assert "--replSet rs0" in services()["services"]["mongodb"]["command"][2], "transactions need a replica set"


def test_no_secret_stands_in_a_file() -> None:
    for path in filter(Path.is_file, DEPLOY.iterdir()):
        text = path.read_text()
        assert not re.search(r"(PASSWORD|SECRET|API_KEY|SECRET_KEY)\s*[:=]\s*\S", re.sub(r"\w+_FILE\b.*", "", text)), (
            path
        )


# The proxy


def test_the_proxy_overwrites_what_the_program_believes() -> None:
    text = (DEPLOY / "nginx.conf").read_text()
    assert "proxy_set_header X-Forwarded-Proto $scheme;" in text
    assert "proxy_set_header X-Forwarded-For $remote_addr;" in text
    assert text.count("{") == text.count("}")
    statements = [line.strip() for line in text.splitlines() if line.strip() and not line.strip().startswith("#")]
    assert all(line[-1] in ";{}" for line in statements)


def test_the_proxy_is_written_for_the_nginx_of_debian_too() -> None:
    """1.22 knows “http2” at a port only, and starts nothing with a directive that it does not know."""
    statements = {line.strip() for line in (DEPLOY / "nginx.conf").read_text().splitlines()}
    assert "http2 on;" not in statements and "listen 443 ssl http2;" in statements


def test_the_proxy_lets_the_largest_list_through(settings: Any) -> None:
    allowed = re.search(r"^    client_max_body_size (\d+)m;", (DEPLOY / "nginx.conf").read_text(), re.MULTILINE)
    assert allowed and int(allowed[1]) > settings.IMPORT_LIMIT_MB


def test_the_proxy_closes_connections_before_the_program_does() -> None:
    """Otherwise a request may meet one that is just being closed, and a form sent then is answered with 502."""
    kept = re.search(r"^    keepalive_timeout (\d+)s;", (DEPLOY / "nginx.conf").read_text(), re.MULTILINE)
    assert kept and int(kept[1]) < gunicorn_conf.keepalive


# The audit of packages


HOLES = {"dependencies": [{"name": "x", "version": "1", "vulns": [{"id": "CVE-1", "fix_versions": ["2"]}]}]}


@pytest.mark.parametrize(
    ("tool", "code", "said"),
    [
        ("echo 'no route to host' >&2; exit 1", 0, "not made"),
        ("echo '{\"dependencies\": []}'", 0, "no known holes"),
        (f"echo '{json.dumps(HOLES)}'; exit 1", 1, "x 1: CVE-1, mended in 2"),
    ],
)
def test_the_audit_fails_for_holes_and_not_for_a_missing_network(
    tool: str, code: int, said: str, tmp_path: Path
) -> None:
    fake, own = tmp_path / "pip-audit", tmp_path / "own"
    own.mkdir()
    fake.write_text(f'#!/bin/sh\n[ -n "$(ls "{own}")" ] || exit 9\n{tool}\n')
    fake.chmod(0o755)
    env = {**os.environ, "PIP_AUDIT": str(fake), "PYTHON_HERE": sys.executable, "TMPDIR": str(own)}
    done = subprocess.run([ROOT / ".ci" / "audit"], capture_output=True, text=True, env=env)
    assert done.returncode == code and said in done.stdout
    assert code or len(done.stdout.splitlines()) == 1
    assert list(own.iterdir()) == [], "its words lie where TMPDIR says, and only while it runs"
