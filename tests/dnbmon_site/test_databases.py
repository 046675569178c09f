"""DATABASE_URL → DATABASES."""

import json
import logging
from pathlib import Path
from typing import Any, cast

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import connection

from dnbmon_site.databases import BASE_DIR, DEFAULT_URL, MONGODB, databases

FORCED = {"w": "majority", "journal": True, "readPreference": "primary"}


def test_sqlite_below_the_program_by_default() -> None:
    config = databases(DEFAULT_URL)["default"]
    assert config["NAME"] == BASE_DIR / "var" / "dnbmon.sqlite3"
    assert config["OPTIONS"]["transaction_mode"] == "IMMEDIATE"


def test_sqlite_anywhere() -> None:
    assert databases("sqlite:////data/my%20firm.sqlite3")["default"]["NAME"] == Path("/data/my firm.sqlite3")


def test_sqlite_with_two_slashes_is_explained() -> None:
    with pytest.raises(ImproperlyConfigured, match="three slashes"):
        databases("sqlite://var/x.sqlite3")


@pytest.mark.parametrize("scheme", ["postgres", "postgresql"])
def test_postgres(scheme: str) -> None:
    config = databases(f"{scheme}://ann:p%40ss@db.example.com:5433/watch?sslmode=require")["default"]
    assert config["ENGINE"] == "django.db.backends.postgresql"
    named = (config["USER"], config["PASSWORD"], config["HOST"], config["PORT"], config["NAME"])
    assert named == ("ann", "p@ss", "db.example.com", "5433", "watch")
    assert config["OPTIONS"]["sslmode"] == "require"


def test_postgres_by_socket() -> None:
    config = databases("postgres:///watch?host=/run/postgresql")["default"]
    assert (config["HOST"], "host" in config["OPTIONS"]) == ("/run/postgresql", False)


@pytest.mark.parametrize("url", ["mongodb://a:b@h1,h2/watch?replicaSet=rs0&w=1&journal=false", "mongodb+srv://h/watch"])
def test_mongodb_writes_are_durable_whatever_the_url_says(url: str) -> None:
    config = databases(url)["default"]
    assert (config["ENGINE"], config["HOST"], config["NAME"]) == (MONGODB, url, "watch")
    assert config["OPTIONS"] == FORCED


def test_djongo_url_is_another_name(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "dnbmon_site.databases"):
        config = databases("djongo://h:27018/watch")["default"]
    assert (config["ENGINE"], config["HOST"], config["NAME"]) == (MONGODB, "mongodb://h:27018/watch", "watch")
    assert len(caplog.messages) == 1


@pytest.mark.parametrize("form", ["inner", "outer", "text"])
def test_djongo_settings_are_another_name(form: str) -> None:
    inner = {"ENGINE": "djongo", "NAME": "watch", "CLIENT": {"host": "h", "port": 27018, "username": "ann", "w": 1}}
    given: Any = {"inner": inner, "outer": {"default": inner}, "text": json.dumps(inner)}[form]
    config = databases(given)["default"]
    assert (config["ENGINE"], config["HOST"], config["NAME"]) == (MONGODB, "mongodb://h:27018", "watch")
    assert config["OPTIONS"] == {"username": "ann", **FORCED}


@pytest.mark.parametrize("url", ["mysql://h/x", "x", "{}"])
def test_other_engines_are_refused_in_words(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="DATABASE_URL"):
        databases(url)


@pytest.mark.django_db
@pytest.mark.every_engine
def test_the_engine_under_test_is_set_up_as_promised() -> None:
    if settings.MONGODB:
        client = cast(Any, connection).database.client
        assert client.write_concern.document == {"w": "majority", "j": True}
        assert client.read_preference.mongos_mode == "primary"
    elif connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            found = [cursor.execute(f"PRAGMA {name}").fetchone()[0] for name in PRAGMAS]
        assert found == ["wal", 2, 20000]


PRAGMAS = ("journal_mode", "synchronous", "busy_timeout")
