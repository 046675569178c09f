"""What the sandbox remembers: one SQLite file (or memory), one connection, one lock."""

import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

SCHEMA = """
CREATE TABLE IF NOT EXISTS memory (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS token (token TEXT PRIMARY KEY, consumer TEXT NOT NULL, expires_at INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS registration (
    reference TEXT PRIMARY KEY, detail TEXT NOT NULL, suppressed INTEGER NOT NULL DEFAULT 0,
    state TEXT NOT NULL DEFAULT 'CURRENT',
    last_stamp INTEGER NOT NULL DEFAULT 0, stamp_run INTEGER NOT NULL DEFAULT 0,
    most_pulls INTEGER NOT NULL DEFAULT 0, added INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS company (
    duns TEXT PRIMARY KEY, document TEXT, mark TEXT NOT NULL DEFAULT '', retained TEXT NOT NULL DEFAULT '',
    in_review INTEGER NOT NULL DEFAULT 0, changed_at INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS subject (
    reference TEXT NOT NULL, duns TEXT NOT NULL, customer_reference TEXT, added_at INTEGER NOT NULL,
    PRIMARY KEY (reference, duns)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS subject_duns ON subject (duns);
CREATE TABLE IF NOT EXISTS notice (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, reference TEXT NOT NULL, raw BLOB NOT NULL, held INTEGER NOT NULL,
    queued_at INTEGER NOT NULL, dequeued_at INTEGER, stamp INTEGER, stamped INTEGER NOT NULL DEFAULT 1,
    call INTEGER, file TEXT, lost_at INTEGER);
CREATE INDEX IF NOT EXISTS notice_waiting ON notice (reference, seq)
    WHERE dequeued_at IS NULL AND lost_at IS NULL AND held = 0;
CREATE INDEX IF NOT EXISTS notice_ageing ON notice (queued_at)
    WHERE dequeued_at IS NULL AND lost_at IS NULL AND held = 0;
CREATE INDEX IF NOT EXISTS notice_pulled ON notice (reference, stamp, seq) WHERE stamp IS NOT NULL;
CREATE TABLE IF NOT EXISTS errand (
    number INTEGER PRIMARY KEY, kind TEXT NOT NULL, reference TEXT NOT NULL, lines TEXT NOT NULL,
    due_at INTEGER NOT NULL, done_at INTEGER);
CREATE TABLE IF NOT EXISTS call (
    number INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, method TEXT NOT NULL, path TEXT NOT NULL,
    params TEXT NOT NULL, reference TEXT, consumer TEXT, request_size INTEGER NOT NULL,
    sandbox_time INTEGER NOT NULL, received_wall REAL NOT NULL, received_monotonic REAL NOT NULL,
    sent_wall REAL, sent_monotonic REAL, status INTEGER, code TEXT, faults TEXT NOT NULL DEFAULT '[]',
    items TEXT NOT NULL DEFAULT '[]', dequeued TEXT NOT NULL DEFAULT '[]',
    complete INTEGER NOT NULL DEFAULT 0, gone INTEGER NOT NULL DEFAULT 0);
"""
TABLES = ("memory", "token", "registration", "company", "subject", "notice", "errand", "call")


class Store:
    """SQLite behind a lock. WAL without a sync at each commit: that a killed process loses nothing is enough."""

    def __init__(self, path: Path | None = None) -> None:
        self.lock = threading.RLock()
        self.path = path
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(path or ":memory:", check_same_thread=False, isolation_level=None)
        self._db.row_factory = sqlite3.Row
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.execute("PRAGMA cache_size = -65536")
        self._db.executescript(SCHEMA)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; inside another transaction it is a part of that one."""
        with self.lock:
            if self._db.in_transaction:
                yield
                return
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def rows(self, sql: str, *values: Any) -> list[sqlite3.Row]:
        with self.lock:
            return self._db.execute(sql, values).fetchall()

    def row(self, sql: str, *values: Any) -> sqlite3.Row | None:
        with self.lock:
            found: sqlite3.Row | None = self._db.execute(sql, values).fetchone()
            return found

    def number(self, sql: str, *values: Any) -> int:
        found = self.row(sql, *values)
        return int(found[0] or 0) if found is not None else 0

    def run(self, sql: str, *values: Any) -> int:
        """The id of a row that was inserted."""
        with self.lock:
            return self._db.execute(sql, values).lastrowid or 0

    def count(self, sql: str, *values: Any) -> int:
        """How many rows a statement touched."""
        with self.lock:
            return self._db.execute(sql, values).rowcount

    def many(self, sql: str, rows: Iterable[tuple[Any, ...]]) -> int:
        with self.transaction():
            return self._db.executemany(sql, rows).rowcount

    def remember(self, name: str, value: Any) -> None:
        self.run("INSERT OR REPLACE INTO memory VALUES (?, ?)", name, json.dumps(value))

    def recall(self, name: str, default: Any = None) -> Any:
        found = self.row("SELECT value FROM memory WHERE name = ?", name)
        return default if found is None else json.loads(found[0])

    def empty(self, tables: Iterable[str] = TABLES) -> None:
        with self.transaction():
            for table in tables:
                self._db.execute(f"DELETE FROM {table}")

    def close(self) -> None:
        with self.lock:
            self._db.close()
