"""Settings from the environment, and what production refuses."""

import os
import stat
from pathlib import Path

import pytest

from dnbmon_site.environment import kept_secret, read_environment, trusted_origins
from dnbmon_site.logs import formatter
from tests.support import manage

SAFE = {
    "PATH": os.environ["PATH"],
    "ENV_FILE": os.devnull,
    "ENVIRONMENT": "production",
    "SECRET_KEY": "0123456789-abcdefghijklmnopqrstuvwxyz-0123456789-abc",
    "ALLOWED_HOSTS": "monitoring.example.com",
    "DATABASE_URL": "sqlite:////tmp/not-opened.sqlite3",
    "EMAIL_URL": "dummymail://",
}


def test_safe_production_passes_every_deployment_check() -> None:
    done = manage("check", "--deploy", "--fail-level=WARNING", env=SAFE)
    assert done.returncode == 0, done.stderr


def test_production_names_everything_it_refuses() -> None:
    unsafe = {"PATH": os.environ["PATH"], "ENV_FILE": os.devnull, "ENVIRONMENT": "production"}
    more = {"DEBUG": "yes", "DNB_DEMO": "yes", "DNB_BASE_URL": "http://plus.example.com", "SECRET_KEY": "x" * 60}
    said = manage("check", env=unsafe | more).stderr
    names = ("DEBUG", "DNB_DEMO", "SECRET_KEY", "ALLOWED_HOSTS", "DATABASE_URL", "EMAIL_URL", "DNB_BASE_URL")
    assert [name for name in names if f"- {name}" not in said] == []
    assert "x" * 60 not in said


def test_any_host_is_refused() -> None:
    assert "- ALLOWED_HOSTS" in manage("check", env={**SAFE, "ALLOWED_HOSTS": "*"}).stderr


def test_an_unknown_environment_is_refused() -> None:
    assert "development, staging or production" in manage("check", env={**SAFE, "ENVIRONMENT": "prod"}).stderr


def test_a_secret_may_be_a_file_and_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "secret"
    monkeypatch.setenv("OTHER_API_SECRET_FILE", str(file))
    env = read_environment(tmp_path)
    for value in ("first", "second"):
        file.write_text(value)
        assert env.str("OTHER_API_SECRET") == value


def test_env_file_does_not_override_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text("SOME_A=file\nSOME_B=file\n")
    monkeypatch.delenv("ENV_FILE")
    monkeypatch.setenv("SOME_A", "environment")
    monkeypatch.setenv("SOME_B", "will be removed")
    monkeypatch.delenv("SOME_B")
    env = read_environment(tmp_path)
    assert (env.str("SOME_A"), env.str("SOME_B")) == ("environment", "file")


def test_the_kept_secret_is_kept_and_only_its_owners(tmp_path: Path) -> None:
    path = tmp_path / "var" / "secret_key"
    first = kept_secret(path)
    assert kept_secret(path) == first and len(first) > 50
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_forms_are_trusted_from_named_hosts_and_the_sites_address_only() -> None:
    hosts = ["a.example.com", ".example.com", "*", "[::1]"]
    expected = ["https://a.example.com", "https://[::1]", "https://b.example.com:8443"]
    assert trusted_origins(hosts, "https://b.example.com:8443/dnb") == expected
    assert trusted_origins([".example.com"], "") == []


def test_production_logs_are_json() -> None:
    assert "JSONRenderer" in str(formatter(as_json=True)["processors"])


def test_start_names_missing_settings() -> None:
    import subprocess
    import sys

    done = subprocess.run([sys.executable, "-m", "dnbmon_site.missing"], env=SAFE, capture_output=True, text=True)
    assert done.returncode == 1
    assert "DNB_API_KEY" in done.stderr and "DNB_API_SECRET" in done.stderr
