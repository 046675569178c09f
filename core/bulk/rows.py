"""Rows: inserting them, asking which are there, changing them by version.

Rows are model instances, or tuples whose names are those of all the model's columns.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache
from itertools import repeat
from typing import Any

from django.db import IntegrityError, connection, models, transaction
from django.db.models.functions import Cast, Right, Substr

from core.bulk.columns import (
    Model,
    Prepare,
    has_sql,
    prepare_for,
    prepared,
    quoted,
    table_of,
)
from core.bulk.thousands import taken, update_from

BATCH = 500


class Clash(IntegrityError):
    """A row is there already; `inserted` rows, from the first on, were written before it and stay."""

    def __init__(self, inserted: int) -> None:
        super().__init__(f"a row is there already, after {inserted} that were inserted")
        self.inserted = inserted


class _ChangedMeanwhile(Exception):
    """Not all rows had the version that they were read with."""


def insert_rows(model: Model, rows: Sequence[Any]) -> None:
    """Insert rows that are not there; raises IntegrityError as bulk_create does.

    Where there are no transactions, the rows before the one that clashed stay, and Clash counts them.
    """
    if not has_sql():
        _insert_without_transaction(model, rows)
        return
    statement, values = _insert_statement(model), _values(model, rows)
    if connection.vendor == "postgresql":
        _copy(statement, values)
        return
    with connection.cursor() as cursor:
        cursor.executemany(statement, values)


def _copy(statement: str, values: Iterable[Sequence[Any]]) -> None:
    """In a stream: executemany has a row wait for the one before it."""
    with connection.cursor() as cursor, connection.wrap_database_errors, cursor.cursor.copy(statement) as rows:
        for row in values:
            rows.write_row(row)


def _insert_without_transaction(model: Model, rows: Sequence[Any]) -> None:
    made = [row if isinstance(row, models.Model) else model(**row._asdict()) for row in rows]
    for start in range(0, len(made), BATCH):
        try:
            model._default_manager.bulk_create(made[start : start + BATCH])
        except IntegrityError as error:
            raise Clash(start + int(getattr(error.__cause__, "details", {}).get("nInserted", 0))) from error


def key_ends(rows: models.QuerySet[Any], count: int) -> list[int]:
    """The last `count` bytes of each row's id, as a number; ids themselves would cost more than finding the rows."""
    if connection.vendor == "sqlite":
        ends = Substr("pk", 17 - count, output_field=models.BinaryField())
        return [int.from_bytes(end) for (end,) in _fetched(rows.values_list(ends))]
    if connection.vendor == "postgresql":
        digits = Right(Cast("pk", models.TextField()), 2 * count)
        return [int(end, 16) for (end,) in _fetched(rows.values_list(digits))]
    return [key.int % (1 << 8 * count) for key in rows.values_list("pk", flat=True)]


def _fetched(rows: models.QuerySet[Any, Any]) -> list[tuple[Any, ...]]:
    """As the driver gives them."""
    with connection.cursor() as cursor:
        cursor.execute(*rows.query.sql_with_params())
        found: list[tuple[Any, ...]] = cursor.fetchall()
        return found


def update_versions(changes: Sequence[tuple[models.Model, Mapping[str, Any]]]) -> list[models.Model]:
    """Write to each row its values and the next version, where it still has the version it was read with; returns the
    rows that somebody else changed meanwhile."""
    if has_sql() and len(changes) > 1:
        try:
            with transaction.atomic():
                _update_all(changes)
        except _ChangedMeanwhile:
            pass
        else:
            return []
    return [row for row, values in changes if not update_version(row, values)]


def _update_all(changes: Sequence[tuple[models.Model, Mapping[str, Any]]]) -> None:
    """All in one statement: a value that a row is not given stays as it was read."""
    names, model = tuple(sorted({name for _, values in changes for name in values})), type(changes[0][0])
    rows = [
        (row.pk, *(values[name] if name in values else getattr(row, name) for name in names), int(row.version))  # type: ignore[attr-defined]
        for row, values in changes
    ]
    count = _update_given if connection.vendor == "postgresql" else _update_each
    if count(model, names, rows) != len(rows):
        raise _ChangedMeanwhile


def _update_each(model: Model, names: tuple[str, ...], rows: Sequence[Sequence[Any]]) -> int:
    statement, prepares = _update_statement(model, names)
    given = [[*prepared(values, prepares), version + 1, key, version] for key, *values, version in rows]
    with connection.cursor() as cursor:
        cursor.executemany(statement, given)
        return int(cursor.rowcount)


def _update_given(model: Model, names: tuple[str, ...], rows: Sequence[Sequence[Any]]) -> int:
    """Where each row of executemany would be a statement that is sent, planned and answered."""
    changes = [*taken(model, names), "version = given.version + 1"]
    return update_from(model, (*names, "version"), rows, changes, f" AND {table_of(model)}.version = given.version")


def update_version(row: models.Model, values: Mapping[str, Any]) -> bool:
    """Write `values` and the next version where the row still has the version it was read with; False otherwise."""
    model, version = type(row), int(row.version)  # type: ignore[attr-defined]
    if not has_sql():
        unchanged = model._default_manager.filter(pk=row.pk, version=version)
        return bool(unchanged.update(**values, version=version + 1))
    statement, prepares = _update_statement(model, tuple(values))
    with connection.cursor() as cursor:
        cursor.execute(statement, [*prepared(values.values(), prepares), version + 1, row.pk, version])
        return bool(cursor.rowcount)


def update_later(model: Model, name: str, values: Mapping[Any, datetime]) -> None:
    """Set the time of each row, given by its primary key, where it is later than what is there; by whoever, in whatever
    order. The row gets the next version."""
    if not has_sql():
        for key, value in values.items():
            earlier = models.Q(**{name: None}) | models.Q(**{f"{name}__lt": value})
            rows = model._default_manager.filter(earlier, pk=key)
            rows.update(**{name: value}, version=models.F("version") + 1)
    elif connection.vendor == "postgresql" and values:
        table, column = table_of(model), quoted(model._meta.get_field(name))
        changes = [*taken(model, [name]), f"version = {table}.version + 1"]
        is_later = f" AND ({table}.{column} IS NULL OR {table}.{column} < given.{column})"
        update_from(model, [name], list(values.items()), changes, is_later)
    elif values:
        statement, prepare = _later_statement(model, name)
        times = [prepare(value) if prepare else value for value in values.values()]
        with connection.cursor() as cursor:
            cursor.executemany(statement, list(zip(times, values, times, strict=True)))


def _values(model: Model, rows: Sequence[Any]) -> list[tuple[Any, ...]]:
    """Column by column, so that what a driver takes as it is costs nothing."""
    names, prepares = _columns(model)
    is_ready = getattr(rows[0], "_fields", ()) == names
    columns = zip(*rows, strict=True) if is_ready else ([getattr(row, name) for row in rows] for name in names)
    return list(zip(*map(_prepared_column, columns, prepares), strict=True))


def _prepared_column(column: Sequence[Any], prepare: Prepare) -> Iterable[Any]:
    """What is the same in every row, as the delivery's id is, is prepared once."""
    if not prepare:
        return column
    first = column[0]
    if first is column[-1] and column.count(first) == len(column):
        return repeat(prepare(first), len(column))
    return map(prepare, column)


@cache
def _columns(model: Model) -> tuple[tuple[str, ...], tuple[Prepare, ...]]:
    fields = model._meta.concrete_fields
    return tuple(field.attname for field in fields), tuple(map(prepare_for, fields))


@cache
def _insert_statement(model: Model) -> str:
    fields = model._meta.concrete_fields
    target = f"{table_of(model)} ({', '.join(map(quoted, fields))})"
    if connection.vendor == "postgresql":
        return f"COPY {target} FROM STDIN"
    return f"INSERT INTO {target} VALUES ({', '.join(['%s'] * len(fields))})"


@cache
def _update_statement(model: Model, names: tuple[str, ...]) -> tuple[str, tuple[Prepare, ...]]:
    fields = [model._meta.get_field(name) for name in names]
    changes = ", ".join(f"{quoted(field)} = %s" for field in [*fields, model._meta.get_field("version")])
    statement = f"UPDATE {table_of(model)} SET {changes} WHERE {quoted(model._meta.pk)} = %s AND version = %s"
    return statement, tuple(map(prepare_for, fields))


@cache
def _later_statement(model: Model, name: str) -> tuple[str, Prepare]:
    field = model._meta.get_field(name)
    column, key = quoted(field), quoted(model._meta.pk)
    change = f"UPDATE {table_of(model)} SET {column} = %s, version = version + 1"
    return f"{change} WHERE {key} = %s AND ({column} IS NULL OR {column} < %s)", prepare_for(field)
