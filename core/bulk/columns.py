"""How values become those of the database's driver, and back, column by column."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime
from functools import lru_cache, partial
from itertools import repeat
from typing import Any, cast

from django.db import connection, models

from core.ids import uuid_of

AS_IT_IS = ("CharField", "TextField", "BooleanField", "BinaryField")
# What a driver is given: None where it takes the value as it is.
Prepare = Callable[[Any], Any] | None
Model = type[models.Model]


def has_sql() -> bool:
    return connection.vendor in ("sqlite", "postgresql")


def prepared(values: Iterable[Any], prepares: Sequence[Prepare]) -> list[Any]:
    return [prepare(value) if prepare else value for value, prepare in zip(values, prepares, strict=True)]


def table_of(model: Model) -> str:
    return connection.ops.quote_name(model._meta.db_table)


def quoted(field: Any) -> str:
    return connection.ops.quote_name(field.column)


def kind_of(field: Any) -> str:
    return str((field.target_field if field.is_relation else field).get_internal_type())


def prepare_for(field: Any) -> Prepare:
    """How a value of this field becomes one of the database's driver."""
    kind = kind_of(field)
    if kind in AS_IT_IS or "Integer" in kind:
        return None
    if kind == "CompactUUIDField":
        return None if connection.vendor == "postgresql" else _bytes
    if kind in ("CompactDateTimeField", "HexField"):
        return cast(Prepare, field.prepare(connection))
    if kind in ("DateTimeField", "DateField"):
        return None if connection.vendor == "postgresql" else (_utc if kind == "DateTimeField" else _day)
    return partial((field.target_field if field.is_relation else field).get_db_prep_save, connection=connection)


@lru_cache(maxsize=4096)
def _utc(value: datetime | None) -> str | None:
    """As Django writes times into SQLite: in UTC, without a zone."""
    if value is None:
        return None
    return str((value if value.tzinfo is UTC else value.astimezone(UTC)).replace(tzinfo=None))


@lru_cache(maxsize=4096)
def _day(value: date | None) -> str | None:
    return None if value is None else value.isoformat()


def _bytes(value: uuid.UUID | None) -> bytes | None:
    # As `value.bytes`, without a property in between.
    return None if value is None else value.int.to_bytes(16)


def read_rows(readers: Sequence[Prepare], rows: Sequence[Sequence[Any]]) -> list[tuple[Any, ...]]:
    """Column by column, so that what is read as it is costs nothing."""
    return list(zip(*map(_read_column, zip(*rows, strict=True), readers), strict=True))


def _read_column(column: Sequence[Any], read: Prepare) -> Iterable[Any]:
    """What is the same in every row, as the registration's id often is, is read once."""
    if not read:
        return column
    first = column[0]
    if first == column[-1] and column.count(first) == len(column):
        return repeat(read(first), len(column))
    return map(read, column)


def reader_for(field: Any) -> Prepare:
    """How the driver's value becomes one of this field; None where it is one."""
    target = field.target_field if field.is_relation else field
    kind = kind_of(field)
    if kind == "CompactUUIDField":
        return _id if connection.vendor == "sqlite" else None
    if kind in ("CompactDateTimeField", "HexField"):
        return cast(Prepare, target.reader(connection))
    column = target.cached_col
    steps = [*connection.ops.get_db_converters(column), *target.get_db_converters(connection)]
    if len(steps) == 1:
        (step,) = steps
        return lambda value: step(value, column, connection)
    return partial(_converted, steps, column) if steps else None


def _converted(steps: Sequence[Any], column: Any, value: Any) -> Any:
    for step in steps:
        value = step(value, column, connection)
    return value


@lru_cache(maxsize=1 << 15)
def _id(value: bytes | None) -> uuid.UUID | None:
    """Kept, as every consumer of a publication reads the ids of the same rows."""
    return uuid_of(int.from_bytes(value)) if value else None
