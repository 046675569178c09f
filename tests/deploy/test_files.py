"""What cannot be started here is at least read: units, image, services and proxy say what they must."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from configparser import ConfigParser
from pathlib import Path
from typing import Any

import pytest
import yaml

from dnbmon_site import serving
from tests.support import ROOT

DEPLOY = ROOT / "deploy"
UNITS = sorted(DEPLOY.glob("*.service"))
HARDENED = {
    "NoNewPrivileges": "yes", "ProtectSystem": "strict", "ProtectHome": "yes", "PrivateTmp": "yes", "User": "dnbmon",
    "CapabilityBoundingSet": "", "KillMode": "mixed", "Restart": "always", "TimeoutStopSec": "20",
    "ReadWritePaths": "/opt/dnbmon/var", "EnvironmentFile": "/etc/dnbmon/production.env",
}  # fmt: skip


def unit(path: Path) -> ConfigParser:
    parser = ConfigParser(interpolation=None, strict=True)
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read(path)
    return parser


def services() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    return found


# systemd


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_units_are_hardened_and_come_back(path: Path) -> None:
    found = dict(unit(path)["Service"])
    assert {name: found.get(name) for name in HARDENED} == HARDENED


def test_the_target_wants_each_unit() -> None:
    wanted = unit(DEPLOY / "dnbmon.target")["Unit"]["Wants"].split()
    assert wanted == [path.name for path in UNITS]
    assert all(unit(path)["Unit"]["PartOf"] == "dnbmon.target" for path in UNITS)


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not here")
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
    images = [
        *re.findall(r"^FROM (\S+)", text, re.MULTILINE),
        *(one["image"] for one in services()["services"].values()),
    ]
    assert not [name for name in images if "/" in name], "no address of a registry"


def test_the_image_holds_all_of_the_program_and_nothing_more() -> None:
    copied = set(re.findall(r"^COPY (\w+) \1$", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE))
    kept = {line[1:] for line in (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines() if line.startswith("!")}
    # The docs too: health shows its handbook from them.
    assert copied == {"templates", "docs", "locale", "direct_plus", "portfolio", "monitoring", "health", "dnbmon_site"}
    assert kept == copied | {"manage.py", "requirements.lock"}


def test_services_are_complete_and_unprivileged() -> None:
    found = services()
    for name in ("migrate", "web", "worker"):
        one = found["services"][name]
        assert one["read_only"] is True and one["cap_drop"] == ["ALL"] and one["image"] == "dnbmon"
        assert set(one["secrets"]) <= set(found["secrets"])
        named = {value.rsplit("/", 1)[-1] for key, value in one["environment"].items() if key.endswith("_FILE")}
        assert named == set(one["secrets"]), "each secret is a file, and each file is given"
    for one in found["services"].values():
        assert set(one.get("depends_on", {})) <= set(found["services"])
        for volume in one.get("volumes", []):
            source = volume.split(":")[0]
            assert source.startswith("./") or source in found["volumes"]


def test_only_one_database_is_started() -> None:
    profiles = {name: one["profiles"] for name, one in services()["services"].items() if "profiles" in one}
    assert profiles == {"postgres": ["postgres"], "mongodb": ["mongodb"]}
    assert "rs0" in services()["services"]["mongodb"]["command"], "transactions need a replica set"


def test_no_secret_stands_in_a_file() -> None:
    for path in DEPLOY.iterdir():
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


def test_the_proxy_lets_the_largest_list_through(settings: Any) -> None:
    allowed = re.search(r"^    client_max_body_size (\d+)m;", (DEPLOY / "nginx.conf").read_text(), re.MULTILINE)
    assert allowed and int(allowed[1]) > settings.IMPORT_LIMIT_MB


def test_the_proxy_closes_connections_before_the_program_does() -> None:
    """Otherwise a request may meet one that is just being closed, and a form sent then is answered with 502."""
    kept = re.search(r"^    keepalive_timeout (\d+)s;", (DEPLOY / "nginx.conf").read_text(), re.MULTILINE)
    assert kept and int(kept[1]) < serving.keepalive


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
