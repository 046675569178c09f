"""Inserting many rows, and changing one by its version, without Django's cost for each value on SQL databases.

What comes out is what `bulk_create` and `filter(version=…).update(…)` write. `benchmarks/ingest.py` measures what is
saved; on MongoDB, whose backend has no SQL, Django does it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC
from functools import cache, partial
from typing import Any, cast

from django.db import IntegrityError, connection, models

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
    if kind in ("CompactDateTimeField", "HexField"):
        return cast(Prepare, target.prepare(connection))
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
