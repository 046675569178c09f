"""Inserting many rows, and changing one by its version, without Django's cost for each value on SQL databases.

What comes out is what `bulk_create` and `filter(version=…).update(…)` write. `benchmarks/ingest.py` measures what is
saved; on MongoDB, whose backend has no SQL, Django does it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC
from functools import cache, partial
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import IntegrityError, connection, models, transaction
from django.db.models import F, Lookup, Q

BATCH = 500
AS_IT_IS = ("CharField", "TextField", "BooleanField", "DateField")
Prepare = Callable[[Any], Any]


def insert_rows(model: type[models.Model], rows: Sequence[models.Model]) -> None:
    """Insert rows that are not there; raises IntegrityError as bulk_create does.

    Where there are no transactions, the rows before the one that clashed stay, and Clash counts them.
    """
    if connection.vendor not in ("sqlite", "postgresql"):
        _insert_without_transaction(model, rows)
        return
    statement, columns = _insert_statement(model)
    values = [[prepare(getattr(row, name)) for name, prepare in columns] for row in rows]
    with connection.cursor() as cursor:
        cursor.executemany(statement, values)


class Clash(IntegrityError):
    """A row is there already; `inserted` rows, from the first on, were written before it and stay."""

    def __init__(self, inserted: int) -> None:
        super().__init__(f"a row is there already, after {inserted} that were inserted")
        self.inserted = inserted


def _insert_without_transaction(model: type[models.Model], rows: Sequence[models.Model]) -> None:
    for start in range(0, len(rows), BATCH):
        try:
            model._default_manager.bulk_create(rows[start : start + BATCH])
        except IntegrityError as error:
            raise Clash(start + int(getattr(error.__cause__, "details", {}).get("nInserted", 0))) from error


def update_version(row: models.Model, values: Mapping[str, Any]) -> bool:
    """Write `values` and the next version where the row still has the version it was read with; False otherwise."""
    model, version = type(row), int(row.version)  # type: ignore[attr-defined]
    if connection.vendor not in ("sqlite", "postgresql"):
        unchanged = model._default_manager.filter(pk=row.pk, version=version)
        return bool(unchanged.update(**values, version=version + 1))
    names = tuple(values)
    statement, columns = _update_statement(model, names)
    prepared = [prepare(values[name]) for name, prepare in columns]
    with connection.cursor() as cursor:
        cursor.execute(statement, [*prepared, version + 1, row.pk, version])
        return bool(cursor.rowcount)


@cache
def _insert_statement(model: type[models.Model]) -> tuple[str, list[tuple[str, Prepare]]]:
    fields = model._meta.concrete_fields
    names = ", ".join(_quoted(field) for field in fields)
    marks = ", ".join(["%s"] * len(fields))
    statement = f"INSERT INTO {connection.ops.quote_name(model._meta.db_table)} ({names}) VALUES ({marks})"
    return statement, [(field.attname, _prepare(field)) for field in fields]


@cache
def _update_statement(model: type[models.Model], names: tuple[str, ...]) -> tuple[str, list[tuple[str, Prepare]]]:
    fields = [model._meta.get_field(name) for name in names]
    changes = ", ".join(f"{_quoted(field)} = %s" for field in [*fields, model._meta.get_field("version")])
    table, key = connection.ops.quote_name(model._meta.db_table), _quoted(model._meta.pk)
    statement = f"UPDATE {table} SET {changes} WHERE {key} = %s AND version = %s"
    return statement, [(name, _prepare(field)) for name, field in zip(names, fields, strict=True)]


def _quoted(field: Any) -> str:
    return connection.ops.quote_name(field.column)


def _prepare(field: Any) -> Prepare:
    """How a value of this field becomes one of the database's driver."""
    target = field.target_field if field.is_relation else field
    kind = target.get_internal_type()
    if kind in AS_IT_IS or "Integer" in kind:
        return _as_it_is
    if kind == "CompactUUIDField":
        return _as_it_is if connection.vendor == "postgresql" else _bytes
    if kind == "DateTimeField":
        return _as_it_is if connection.vendor == "postgresql" else _utc
    return partial(target.get_db_prep_save, connection=connection)


def _as_it_is(value: Any) -> Any:
    return value


def _utc(value: Any) -> Any:
    """As Django writes times into SQLite: in UTC, without a zone."""
    return None if value is None else str(value.astimezone(UTC).replace(tzinfo=None))


def _bytes(value: Any) -> Any:
    return None if value is None else value.bytes


# Thousands of rows in one statement


# SQLite takes no more in one statement, as most people have it.
MOST_PARAMETERS = 30_000


def has_sql() -> bool:
    return connection.vendor in ("sqlite", "postgresql")


def among(column: str, values: Sequence[Any]) -> Any:
    """The condition `column__in=values`, for up to MOST_PARAMETERS of them."""
    return _Among(F(column), values) if has_sql() else Q(**{f"{column}__in": list(values)})


class _Among(Lookup):
    """Django's own looks at every value some ten times."""

    lookup_name = "among"
    prepare_rhs = False

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        if not self.rhs:
            raise EmptyResultSet
        column, params = self.process_lhs(compiler, connection)
        values = list(map(_prepare(self.lhs.target), self.rhs))
        if connection.vendor == "postgresql":
            return f"{column} = ANY(%s)", [*params, values]
        return f"{column} IN ({_marks(len(values))})", [*params, *values]


def insert_absent(
    model: type[models.Model],
    names: Sequence[str],
    rows: Sequence[Sequence[Any]],
    told: str,
    same: Mapping[str, Any],
) -> set[Any]:
    """Insert the rows whose keys are not there yet, and return what the text column `told` has in those that this call
    inserted; SQL only.

    `names` are what a row's values belong to, its key among them; `same` are values of every row, and the other columns
    take their defaults. Rows in the order of their keys touch each page of an index once, and never wait for each other
    in a circle.
    """
    if not rows:
        return set()
    fields = {field.attname: field for field in model._meta.concrete_fields}
    others = {name: field.get_default() for name, field in fields.items() if name not in names} | dict(same)
    constants = [_prepare(fields[name])(value) for name, value in others.items()]
    varying, constant = [fields[name] for name in names], [fields[name] for name in others]
    inserted: set[Any] = set()
    with transaction.atomic(savepoint=False), connection.cursor() as cursor:
        for given, params in _given(varying, rows):
            cursor.execute(_insert_absent(model, constant, varying, given, fields[told]), [*constants, *params])
            inserted.update(value for (value,) in cursor.fetchall())
    return inserted


def _insert_absent(
    model: type[models.Model], constant: Sequence[Any], varying: Sequence[Any], given: str, told: Any
) -> str:
    table, columns = connection.ops.quote_name(model._meta.db_table), ", ".join(map(_quoted, [*constant, *varying]))
    values = "".join(f"{_mark(field)}, " for field in constant)
    return (
        f"INSERT INTO {table} ({columns}) SELECT {values}given.* FROM {given} WHERE true "
        f"ON CONFLICT ({_quoted(model._meta.pk)}) DO NOTHING RETURNING {_quoted(told)}"
    )


def _given(fields: Sequence[Any], rows: Sequence[Sequence[Any]]) -> Iterator[tuple[str, list[Any]]]:
    """The rows as a table of a statement: one array a column on PostgreSQL, one mark a value on SQLite."""
    prepares = [_prepare(field) for field in fields]
    if connection.vendor == "postgresql":
        arrays = ", ".join(f"{_mark(field)}[]" for field in fields)
        columns = [
            list(map(prepare, column)) for prepare, column in zip(prepares, zip(*rows, strict=True), strict=True)
        ]
        yield f"unnest({arrays}) AS given", columns
        return
    size = MOST_PARAMETERS // len(fields)
    for start in range(0, len(rows), size):
        batch = rows[start : start + size]
        marks = ", ".join([f"({_marks(len(fields))})"] * len(batch))
        yield (
            f"(VALUES {marks}) AS given",
            [prepare(value) for row in batch for prepare, value in zip(prepares, row, strict=True)],
        )


def update_rows(model: type[models.Model], names: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Write other values into each row; a row is its key and then the values of `names`."""
    if not has_sql():
        for key, *values in rows:
            model._default_manager.filter(pk=key).update(**dict(zip(names, values, strict=True)))
        return
    fields = [model._meta.get_field(name) for name in names]
    changes = ", ".join(f"{_quoted(field)} = %s" for field in fields)
    table, key = connection.ops.quote_name(model._meta.db_table), model._meta.pk
    prepares = [*map(_prepare, fields), _prepare(key)]
    values = [[prepare(value) for prepare, value in zip(prepares, (*row[1:], row[0]), strict=True)] for row in rows]
    with connection.cursor() as cursor:
        cursor.executemany(f"UPDATE {table} SET {changes} WHERE {_quoted(key)} = %s", values)


def _marks(count: int) -> str:
    return ", ".join(["%s"] * count)


def _mark(field: Any) -> str:
    """PostgreSQL cannot see of what type a lone value is."""
    target = field.target_field if field.is_relation else field
    return f"%s::{target.db_type(connection)}" if connection.vendor == "postgresql" else "%s"
