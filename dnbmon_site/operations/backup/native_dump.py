"""The database's own copies: SQLite's online backup, and pg_dump. Each is a picture of one moment."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection, connections, transaction
from psycopg.conninfo import make_conninfo
from psycopg.pq import Conninfo

from dnbmon_site.operations.backup.manifest import BackupError
from dnbmon_site.operations.backup.portable_dump import models_in_order

SQLITE_FILE = "database.sqlite3"
POSTGRES_FILE = "database.pgdump"


def database() -> dict[str, Any]:
    config: dict[str, Any] = settings.DATABASES["default"]
    return config


def tables() -> dict[str, str]:
    return {model._meta.label: model._meta.db_table for model in models_in_order()}


def dump_sqlite(folder: Path) -> dict[str, int]:
    """All pages in one step, which in WAL mode keeps no writer waiting; then the copy is examined and counted."""
    source, copy = sqlite3.connect(str(database()["NAME"])), sqlite3.connect(folder / SQLITE_FILE)
    with closing(source), closing(copy):
        source.backup(copy)
    return check_sqlite(folder / SQLITE_FILE)


def check_sqlite(path: Path) -> dict[str, int]:
    with closing(sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)) as copy:
        said = copy.execute("PRAGMA integrity_check").fetchone()[0]
        if said != "ok":
            raise BackupError(
                f"The copy is damaged ({said}). Run “.venv/bin/python manage.py doctor” to check the database."
            )
        return {
            label: copy.execute(f'SELECT count(*) FROM "{table}"').fetchone()[0] for label, table in tables().items()
        }


def load_sqlite(folder: Path) -> None:
    """The copy takes the place of the empty file."""
    path = Path(database()["NAME"])
    connections.close_all()
    arriving = path.with_name(path.name + ".arriving")
    shutil.copyfile(folder / SQLITE_FILE, arriving)
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    arriving.replace(path)


def dump_postgres(folder: Path) -> dict[str, int]:
    """Dump and counts see the same moment: they share a snapshot."""
    with snapshot() as name:
        run(
            "pg_dump",
            "--format=custom",
            "--no-owner",
            "--no-acl",
            f"--snapshot={name}",
            f"--file={folder / POSTGRES_FILE}",
        )
        counts = {label: count(table) for label, table in tables().items()}
    # Reads the archive to its end.
    run("pg_restore", f"--file={os.devnull}", str(folder / POSTGRES_FILE), to_database=False)
    return counts


@contextmanager
def snapshot() -> Iterator[str]:
    connections.close_all()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        # The dump may take longer than a transaction may otherwise stand still.
        cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        cursor.execute("SELECT pg_export_snapshot()")
        yield cursor.fetchone()[0]


def count(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {connection.ops.quote_name(table)}")
        return int(cursor.fetchone()[0])


def load_postgres(folder: Path) -> None:
    connections.close_all()
    keep = ("--no-owner", "--no-acl", "--clean", "--if-exists", "--exit-on-error", "--single-transaction")
    run("pg_restore", *keep, str(folder / POSTGRES_FILE))


def run(program: str, *arguments: str, to_database: bool = True) -> None:
    where, env = connection_details() if to_database else ([], {})
    done = subprocess.run([program, *where, *arguments], env={**os.environ, **env}, capture_output=True, text=True)
    if done.returncode:
        raise BackupError(f"{program} failed: {done.stderr.strip()[-800:]}")


def connection_details() -> tuple[list[str], dict[str, str]]:
    """All that the program itself connects with, query of the URL included, as an argument and as environment: the
    password stands in no list of processes."""
    params = connection.get_connection_params()
    known = {option.keyword.decode() for option in Conninfo.get_defaults()}
    place = {name: value for name, value in params.items() if name in known}
    password = place.pop("password", "")
    if "sslpassword" in place:
        raise BackupError(
            "“sslpassword” cannot be passed securely to PostgreSQL's tools. Use a key without one, or --format rows."
        )
    return [f"--dbname={make_conninfo(**place)}"], {"PGPASSWORD": str(password)} if password else {}
