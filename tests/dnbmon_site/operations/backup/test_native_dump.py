"""PostgreSQL's own tools reach the database by the same URL as the program."""

from typing import Any

import pytest
from django.db.backends.postgresql.base import DatabaseWrapper
from psycopg.conninfo import conninfo_to_dict

from dnbmon_site.databases import databases
from dnbmon_site.operations.backup import native_dump
from dnbmon_site.operations.backup.manifest import BackupError


def details(monkeypatch: pytest.MonkeyPatch, url: str) -> tuple[dict[str, Any], dict[str, str]]:
    config = {"TIME_ZONE": None, "ATOMIC_REQUESTS": False, **databases(url)["default"]}
    monkeypatch.setattr(native_dump, "connection", DatabaseWrapper(config))
    (argument,), env = native_dump.connection_details()
    assert argument.startswith("--dbname=")
    return conninfo_to_dict(argument.removeprefix("--dbname=")), env


def test_all_that_the_query_of_the_url_says_is_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    query = "host=/run/postgresql&port=5433&sslmode=verify-full&sslrootcert=/etc/ca.crt&passfile=/etc/dnbmon/pgpass"
    found, env = details(monkeypatch, f"postgres://dnbmon@/companies?{query}")
    expected = {
        "dbname": "companies", "user": "dnbmon", "host": "/run/postgresql", "port": "5433", "sslmode": "verify-full",
        "sslrootcert": "/etc/ca.crt", "passfile": "/etc/dnbmon/pgpass",
    }  # fmt: skip
    assert {name: found.get(name) for name in expected} == expected
    assert env == {}


def test_the_password_stands_in_the_environment_only(monkeypatch: pytest.MonkeyPatch) -> None:
    for url in ("postgres://u:it%20is%20'x@db:5433/d", "postgres://u@db:5433/d?password=it%20is%20'x"):
        found, env = details(monkeypatch, url)
        assert "password" not in found and env == {"PGPASSWORD": "it is 'x"}
        assert (found["host"], found["port"]) == ("db", "5433")


def test_a_password_that_would_be_seen_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BackupError, match="sslpassword"):
        details(monkeypatch, "postgres://u@db/d?sslkey=/k&sslpassword=seen")
