"""Counts of the database's queries, and of the rows that they give."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any
from unittest.mock import patch

from django.db import connection
from django.db.backends.utils import CursorWrapper

# The type of `django_assert_max_num_queries`.
AtMost = Callable[[int], AbstractContextManager[Any]]


@dataclass(slots=True)
class Work:
    statements: int = 0
    rows: int = 0

    def noted(self, execute: Callable[..., Any], *arguments: Any) -> Any:
        self.statements += 1
        return execute(*arguments)

    def fetched(self, fetch: Callable[..., Any], *arguments: Any) -> Any:
        found = fetch(*arguments)
        self.rows += len(found) if isinstance(found, list) else found is not None
        return found


@contextmanager
def rows_read() -> Iterator[Work]:
    """Of databases with cursors."""
    work, given = Work(), CursorWrapper.__getattr__

    def counted(cursor: CursorWrapper, name: str) -> Any:
        method = given(cursor, name)
        return partial(work.fetched, method) if name in ("fetchone", "fetchmany", "fetchall") else method

    with patch.object(CursorWrapper, "__getattr__", counted), connection.execute_wrapper(work.noted):
        yield work
