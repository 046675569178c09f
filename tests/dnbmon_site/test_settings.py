"""Settings from the environment, and what production refuses."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from pytest_django import Settings

from dnbmon_site.environment import kept_secret, read_environment, trusted_origins, with_absolute_folder
from dnbmon_site.log_config import formatter
from dnbmon_site.required_settings import missing_settings
from tests.builders.settings import SAFE
from tests.support import ROOT, manage


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
        file.write_text(f"{value}\n")
        assert env.str("OTHER_API_SECRET") == value


def test_a_secret_that_cannot_be_read_stops_the_start_in_a_sentence(tmp_path: Path) -> None:
    for name, path in (("SECRET_KEY_FILE", tmp_path / "missing"), ("EMAIL_URL_FILE", tmp_path)):
        done = manage("check", env={**SAFE, name: str(path)})
        assert done.returncode == 1 and "Traceback" not in done.stderr
        assert f"{name}: {path} cannot be used by the user “" in done.stderr


def test_a_file_of_settings_that_is_named_must_be_there(tmp_path: Path) -> None:
    """Otherwise a command would work on the data of a development copy."""
    done = manage("check", env={**SAFE, "ENV_FILE": str(tmp_path / "production.env")})
    assert done.returncode == 1 and done.stderr.startswith("ENV_FILE: ")


ODD = "$pa&ss #1 \\$x 'y' \"z\" $$"


@pytest.mark.parametrize("way", ["environment", "secret's file", "file of settings"])
def test_a_value_stands_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    """A secret that began with “$” was taken for the name of another setting, and was then empty."""
    settings_file = tmp_path / "production.env"
    settings_file.write_text(f"EMEA_API_SECRET={ODD}  \r\n# A comment.\n\n" if way == "file of settings" else "")
    (tmp_path / "secret").write_text(f"{ODD}\n")
    monkeypatch.setenv("ENV_FILE", str(settings_file))
    monkeypatch.setenv("EMEA_API_SECRET", ODD)
    if way == "file of settings":
        monkeypatch.delenv("EMEA_API_SECRET")
    elif way == "secret's file":
        monkeypatch.setenv("EMEA_API_SECRET_FILE", str(tmp_path / "secret"))
    assert read_environment(tmp_path).str("EMEA_API_SECRET") == ODD


@pytest.mark.parametrize("line", ["WORKERS = 2", " WORKERS=2", "\ufeffWORKERS=2", "WORKERS: 2", "WORKERS"])
def test_a_line_that_sets_nothing_stops_the_start(tmp_path: Path, line: str) -> None:
    """ENVIRONMENT written so would otherwise start a development copy."""
    file = tmp_path / "production.env"
    file.write_text(f"# Ours.\n{line}\n", encoding="utf-8")
    done = manage("check", env={**SAFE, "ENV_FILE": str(file)})
    assert (done.returncode, done.stderr) == (
        1,
        f"{file}, line 2: write NAME=value, or a comment that starts with #.\n",
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "postgres://dnbmon:s3#cret@db.example.com/dnbmon"),
        ("EMAIL_URL", "smtp+tls://dnbmon:s3#cret@mail.example.com:587"),
        ("DATABASE_URL", "postgres://dnbmon:s3/cret@db.example.com/dnbmon"),
        ("DATABASE_URL", "postgres://dnbmon:[s3cret@db.example.com/dnbmon"),
        ("EMAIL_URL", "smtp+tls://dnbmon:[s3cret@mail.example.com:587"),
        ("REDIS_URL", "redis://:[s3cret@queue.example.com:6379/0"),
        ("WORKERS", "s3cret"),
    ],
)
def test_a_value_of_the_wrong_form_is_named_and_not_shown(name: str, value: str) -> None:
    done = manage("check", env={**SAFE, name: value})
    assert done.returncode == 1 and "Traceback" not in done.stderr and "s3" not in done.stderr
    assert f"{name} has an invalid value." in done.stderr


@pytest.mark.parametrize(
    "url",
    [
        "sqlite:////nowhere/dnbmon.sqlite3",
        "postgres://dnbmon@127.0.0.1:9/dnbmon",
        "mongodb://127.0.0.1:9/dnbmon?serverSelectionTimeoutMS=300",
    ],
)
def test_a_database_that_is_not_there_is_said_in_a_sentence(url: str) -> None:
    """By Django's own commands too: migrate is the first that an operator types."""
    done = manage("migrate", env={**SAFE, "DATABASE_URL": url})
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert done.stderr.startswith("The database refuses: ") and "manage.py doctor" in done.stderr


def test_the_web_server_ends_with_the_reason_alone() -> None:
    env = {**SAFE, "SECRET_KEY_FILE": "/nowhere/secret_key"}
    served = ("gunicorn", "--config", "python:dnbmon_site.gunicorn_conf", "--bind", "127.0.0.1:0")
    command = [sys.executable, "-m", *served]
    done = subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode != 0 and "Traceback" not in done.stderr
    assert "SECRET_KEY_FILE: /nowhere/secret_key cannot be used" in done.stderr


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


def test_missing_settings_are_named(settings: Settings) -> None:
    settings.DNB_API_KEY, settings.DNB_API_SECRET = "", "set"
    assert missing_settings() == ["DNB_API_KEY: API key of your D&B Direct+ account"]


@pytest.mark.parametrize("address", ["filemail:///tmp/x", "filemail:////tmp/x"])
def test_emails_go_to_the_folder_that_the_address_names(address: str) -> None:
    assert with_absolute_folder({"EMAIL_FILE_PATH": "tmp/x"}, address)["EMAIL_FILE_PATH"] == "/tmp/x"


@pytest.mark.parametrize("address", ["filemail://tmp/x", "filemail://", "filemail:///"])
def test_an_address_of_emails_without_an_absolute_folder_is_refused(address: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="absolute path"):
        with_absolute_folder({}, address)
