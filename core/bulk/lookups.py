"""Rows by conditions that all hold, where building Django's query costs more than the database takes to answer it.

Conditions are named as Django names them: a column alone, or with one of LOOKUPS behind two underscores.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from enum import Enum
from functools import cache, partial
from typing import Any, TypeVar, cast

from django.core.exceptions import EmptyResultSet
from django.db import connection, models
from django.db.models.base import ModelState

from core.bulk.columns import Model, Prepare, has_sql, prepare_for, prepared, quoted, read_rows, reader_for, table_of

Row = TypeVar("Row", bound=models.Model)
Read = Callable[[list[tuple[Any, ...]]], list[tuple[Any, ...]]]
BATCH = 500
LOOKUPS = {"gte": ">=", "gt": ">", "lte": "<=", "lt": "<"}


def select_values(model: Model, names: tuple[str, ...], **conditions: Any) -> list[tuple[Any, ...]]:
    """The columns `names` of the rows for which all conditions hold, in no order."""
    if not has_sql():
        return list(model._default_manager.filter(**conditions).order_by().values_list(*names))
    return _selected(*_select(model, names), model, conditions)


def newest_values(model: Model, names: tuple[str, ...], most: int, **conditions: Any) -> list[tuple[Any, ...]]:
    """The same of those with the greatest keys, the greatest first."""
    if not has_sql():
        return list(model._default_manager.filter(**conditions).order_by("-pk").values_list(*names)[:most])
    end = f" ORDER BY {quoted(model._meta.pk)} DESC LIMIT {most}"
    return _selected(*_select(model, names), model, conditions, end)


def find_rows(model: Model, names: tuple[str, ...], keys: Sequence[Any]) -> list[tuple[Any, ...]]:
    """The same of the rows with these primary keys, however many."""
    found: list[tuple[Any, ...]] = []
    for start in range(0, len(keys), BATCH):
        found += select_values(model, names, pk__in=keys[start : start + BATCH])
    return found


def distinct_values(model: Model, name: str, **conditions: Any) -> set[Any]:
    """Each value of a column once."""
    if not has_sql():
        return set(model._default_manager.filter(**conditions).order_by().values_list(name, flat=True).distinct())
    start, read = _select(model, (name,))
    return {value for (value,) in _selected(start.replace("SELECT", "SELECT DISTINCT", 1), read, model, conditions)}


def distinct_digits(model: Model, by: str, column: str, digits: slice, **conditions: Any) -> set[tuple[Any, str]]:
    """The pairs of `by` and some digits of a HexField, each once; the digits begin with a byte."""
    if not has_sql():
        rows = model._default_manager.filter(**conditions).order_by().values_list(by, column)
        return {(key, text[digits]) for key, text in rows}
    count = digits.stop - digits.start
    part = f"SUBSTR({quoted(model._meta.get_field(column))}, {digits.start // 2 + 1}, {(count + 1) // 2})"
    start = f"SELECT DISTINCT {quoted(model._meta.get_field(by))}, {part} FROM {table_of(model)}"
    return {(key, bytes(value).hex()[:count]) for key, value in _selected(start, None, model, conditions)}


def repeated_values(model: Model, names: tuple[str, ...], **conditions: Any) -> dict[tuple[Any, ...], int]:
    """The values of `names` that several rows have, and how many rows."""
    return counted_values(model, names, least=2, **conditions)


def counted_values(
    model: Model, names: tuple[str, ...], *, least: int = 1, **conditions: Any
) -> dict[tuple[Any, ...], int]:
    """The values of `names` that at least so many rows have, and how many rows."""
    if not has_sql():
        every = model._default_manager.filter(**conditions).order_by().values_list(*names)
        counted = every.annotate(count=models.Count("pk")).filter(count__gte=least)
        return {tuple(values): count for *values, count in counted}
    start, read = _select(model, names)
    columns = ", ".join(quoted(model._meta.get_field(name)) for name in names)
    start = start.replace(" FROM", ", COUNT(*) FROM", 1)
    rows = _selected(start, None, model, conditions, f" GROUP BY {columns} HAVING COUNT(*) >= {least}")
    values = [row[:-1] for row in rows]
    return dict(zip(read(values) if read else values, (row[-1] for row in rows), strict=True))


def _selected(
    start: str, read: Read | None, model: Model, conditions: Mapping[str, Any], end: str = ""
) -> list[tuple[Any, ...]]:
    try:
        where, params = _where(model, conditions)
    except EmptyResultSet:
        return []
    with connection.cursor() as cursor:
        cursor.execute(f"{start} WHERE {where}{end}", params)
        rows = cursor.fetchall()
    return read(rows) if read and rows else rows


def select_rows(model: type[Row], only: tuple[str, ...] = (), **conditions: Any) -> list[Row]:
    """The same as model instances, with all columns or `only` some, the key among them."""
    every = (field.attname for field in model._meta.concrete_fields)
    names = tuple(name for name in every if not only or name in only)
    return [_made(model, names, row) for row in select_values(model, names, **conditions)]


def _made(model: type[Row], names: tuple[str, ...], values: Sequence[Any]) -> Row:
    """As `from_db`, which looks at every column of the model, also where few are read: a column that is not there is
    read when it is asked for."""
    row = model.__new__(model)
    row._state = state = ModelState()
    state.adding, state.db = False, connection.alias
    row.__dict__.update(zip(names, values, strict=True))
    return row


def update_values(model: Model, values: Mapping[str, Any], **conditions: Any) -> int:
    """Set the columns where all conditions hold; returns in how many rows."""
    if not has_sql():
        return model._default_manager.filter(**conditions).update(**values)
    start, prepares = _update(model, tuple(values))
    try:
        where, params = _where(model, conditions)
    except EmptyResultSet:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(f"{start} WHERE {where}", [*prepared(map(_plain, values.values()), prepares), *params])
        return int(cursor.rowcount)


def greatest(model: Model, name: str) -> Any:
    """The largest value of a column; None where there is no row."""
    if not has_sql():
        return model._default_manager.aggregate(found=models.Max(name))["found"]
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT MAX({quoted(model._meta.get_field(name))}) FROM {table_of(model)}")
        return cursor.fetchone()[0]


def clock() -> datetime:
    """The database's own, when the statement begins; SQL only."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT STATEMENT_TIMESTAMP()")
            return cast(datetime, cursor.fetchone()[0])
        cursor.execute("SELECT STRFTIME('%Y-%m-%d %H:%M:%f', 'NOW')")
        return datetime.fromisoformat(cursor.fetchone()[0]).replace(tzinfo=UTC)


def _where(model: Model, conditions: Mapping[str, Any]) -> tuple[str, list[Any]]:
    parts, params = [], []
    for name, value in conditions.items():
        part, given = _condition(model, name, value)
        parts.append(part)
        params += given
    return " AND ".join(parts), params


def _condition(model: Model, name: str, value: Any) -> tuple[str, list[Any]]:
    column, lookup, prepare = _column(model, name)
    if lookup == "in":
        return _among(column, [prepare(one) for one in value] if prepare else list(value))
    if value is None:
        return f"{column} IS NULL", []
    value = _plain(value)
    return f"{column} {LOOKUPS.get(lookup, '=')} %s", [prepare(value) if prepare else value]


def _among(column: str, values: Sequence[Any]) -> tuple[str, list[Any]]:
    if not values:
        raise EmptyResultSet
    if connection.vendor == "postgresql":
        return f"{column} = ANY(%s)", [values]
    return f"{column} IN ({', '.join(['%s'] * len(values))})", [*values]


def _plain(value: Any) -> Any:
    """PostgreSQL's driver has a way of its own with a member of an Enum."""
    return value.value if isinstance(value, Enum) else value


@cache
def _column(model: Model, name: str) -> tuple[str, str, Prepare]:
    column, _, lookup = name.partition("__")
    field = model._meta.pk if column == "pk" else model._meta.get_field(column)
    assert not lookup or lookup == "in" or lookup in LOOKUPS, f"{name} is no condition for this"
    return quoted(field), lookup, prepare_for(field)


@cache
def _select(model: Model, names: tuple[str, ...]) -> tuple[str, Read | None]:
    fields = [model._meta.get_field(name) for name in names]
    readers = tuple(map(reader_for, fields))
    return f"SELECT {', '.join(map(quoted, fields))} FROM {table_of(model)}", (
        partial(read_rows, readers) if any(readers) else None
    )


@cache
def _update(model: Model, names: tuple[str, ...]) -> tuple[str, tuple[Prepare, ...]]:
    fields = [model._meta.get_field(name) for name in names]
    changes = ", ".join(f"{quoted(field)} = %s" for field in fields)
    return f"UPDATE {table_of(model)} SET {changes}", tuple(map(prepare_for, fields))
