"""What a job does once more when SQLite says “database is locked”.

SQLite has one writer at a time, and no queue of those who wait: among many short writes one of them may find the lock
taken for as long as it is patient. Every step of a job may run twice, so it is simply done again, a moment later.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from django.db import OperationalError, connection

logger = logging.getLogger(__name__)
Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")
# Seconds before each further try. Each try has waited for the lock as long as the settings say (`engines.py`).
PAUSES = (0.5, 2.0)


def repeat_when_locked(step: Callable[Arguments, Result], *args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
    """The step's result, after as many tries as it needs; raises what the last one raised."""
    for pause in PAUSES:
        try:
            return step(*args, **kwargs)
        except OperationalError as error:
            # Inside a transaction only its beginning can be repeated, by whoever began it.
            if not is_locked(error) or connection.in_atomic_block:
                raise
            logger.warning("%s finds the database locked, and tries again", getattr(step, "__name__", step))
        # Not in step with others who were turned away with it.
        time.sleep(pause * random.uniform(0.5, 1.5))
    return step(*args, **kwargs)


def is_locked(error: OperationalError) -> bool:
    return connection.vendor == "sqlite" and "locked" in str(error)
