"""Counts of the database's queries."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

# The type of `django_assert_max_num_queries`.
AtMost = Callable[[int], AbstractContextManager[Any]]
