"""Transactions that need not survive a power cut by themselves."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction

from core.bulk.columns import has_sql


@contextmanager
def durable_later() -> Iterator[None]:
    """A transaction of which what is committed is seen by all, and on the disk at the latest with the next commit of
    anybody: the log is written in order, so a power cut may take the last commits, and none without all that came after
    it.

    For what is done again where it is missing, and followed by a commit that has to last: that one waits for the disk,
    this one does not. Inside a transaction it is a part of that one; on MongoDB there are none.
    """
    if not has_sql() or connection.in_atomic_block:
        with transaction.atomic():
            yield
    elif connection.vendor == "postgresql":
        # For the transaction, not the session, which others may share by way of a pool.
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL synchronous_commit TO OFF")
            yield
    else:
        with _synchronous("NORMAL", "FULL"), transaction.atomic():
            yield


@contextmanager
def _synchronous(now: str, afterwards: str) -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA synchronous={now}")
        try:
            yield
        finally:
            cursor.execute(f"PRAGMA synchronous={afterwards}")
