"""Indexes of some rows only."""

from __future__ import annotations

from typing import Any

from django.db import models


class PartialIndex(models.Index):
    """Of the rows that the condition takes, where a query that says the condition needs no others; of all on MongoDB,
    whose partial indexes know neither `not` nor `is not null`."""

    def get_pymongo_index_model(self, *args: Any, **kwargs: Any) -> Any:
        whole: Any = models.Index(fields=self.fields, name=self.name)
        return whole.get_pymongo_index_model(*args, **kwargs)
