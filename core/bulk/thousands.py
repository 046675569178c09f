"""Thousands of rows in one statement."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection, models, transaction
from django.db.models import F, Lookup, Q, Value

from core.bulk.columns import has_sql, prepare_for, prepared, quoted, table_of
from core.bulk.lookups import update_values

# SQLite takes no more in one statement, as most people have it.
MOST_PARAMETERS = 30_000


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
        values = _column(self.lhs.target, self.rhs)
        if connection.vendor == "postgresql":
            return f"{column} = ANY(%s)", [*params, values]
        return f"{column} IN ({_marks(len(values))})", [*params, *values]


def _column(field: Any, values: Sequence[Any]) -> list[Any]:
    prepare = prepare_for(field)
    return list(map(prepare, values)) if prepare else list(values)


def joined(groups: Mapping[int, Sequence[models.QuerySet[Any]]], by: str, column: str) -> dict[tuple[int, Any], str]:
    """For each group and value of `by`, the column's texts with commas between them, over all parts of the group: one
    query, and a few values instead of thousands of rows."""
    found: dict[tuple[int, Any], list[str]] = {}
    parts = [(group, rows.order_by()) for group, several in groups.items() for rows in several]
    for group, key, text in _joined_in_sql(parts, by, column) if has_sql() else _each(parts, by, column):
        found.setdefault((group, key), []).append(text)
    return {key: ",".join(texts) for key, texts in found.items()}


def _joined_in_sql(parts: Sequence[tuple[int, Any]], by: str, column: str) -> Iterable[Any]:
    first, *others = (
        rows.annotate(_group=Value(group)).values_list("_group", by).annotate(_joined=_Joined(column))
        for group, rows in parts
    )
    found: Iterable[Any] = first.union(*others, all=True) if others else first
    return found


def _each(parts: Sequence[tuple[int, Any]], by: str, column: str) -> Iterable[tuple[int, Any, str]]:
    return ((group, *row) for group, rows in parts for row in rows.values_list(by, column))


class _Joined(models.Aggregate):
    function = "GROUP_CONCAT"
    output_field = models.TextField()

    def as_postgresql(self, compiler: Any, connection: Any, **more: Any) -> Any:
        return self.as_sql(compiler, connection, template="STRING_AGG(%(expressions)s, ',')", **more)


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
    constants = prepared(others.values(), [prepare_for(fields[name]) for name in others])
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
    table, columns = table_of(model), ", ".join(map(quoted, [*constant, *varying]))
    values = "".join(f"{_mark(field)}, " for field in constant)
    return (
        f"INSERT INTO {table} ({columns}) SELECT {values}given.* FROM {given} WHERE true "
        f"ON CONFLICT ({quoted(model._meta.pk)}) DO NOTHING RETURNING {quoted(told)}"
    )


def _given(fields: Sequence[Any], rows: Sequence[Sequence[Any]]) -> Iterator[tuple[str, list[Any]]]:
    """The rows as a table of a statement: one array a column on PostgreSQL, one mark a value on SQLite."""
    prepares = [prepare_for(field) for field in fields]
    if connection.vendor == "postgresql":
        arrays = ", ".join(f"{_mark(field)}[]" for field in fields)
        columns = [_column(field, column) for field, column in zip(fields, zip(*rows, strict=True), strict=True)]
        yield f"unnest({arrays}) AS given", columns
        return
    size = MOST_PARAMETERS // len(fields)
    for start in range(0, len(rows), size):
        batch = rows[start : start + size]
        marks = ", ".join([f"({_marks(len(fields))})"] * len(batch))
        yield (
            f"(VALUES {marks}) AS given",
            [value for row in batch for value in prepared(row, prepares)],
        )


def update_rows(model: type[models.Model], names: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Write other values into each row; a row is its key and then the values of `names`."""
    if not has_sql():
        for key, *values in rows:
            model._default_manager.filter(pk=key).update(**dict(zip(names, values, strict=True)))
        return
    fields = [model._meta.get_field(name) for name in names]
    changes = ", ".join(f"{quoted(field)} = %s" for field in fields)
    table, key = table_of(model), model._meta.pk
    prepares = [*map(prepare_for, fields), prepare_for(key)]
    values = [prepared((*row[1:], row[0]), prepares) for row in rows]
    with connection.cursor() as cursor:
        cursor.executemany(f"UPDATE {table} SET {changes} WHERE {quoted(key)} = %s", values)


def update_together(model: type[models.Model], names: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """As `update_rows`, in one statement on PostgreSQL, which plans each of many. No row may be there twice."""
    if connection.vendor != "postgresql" or not rows:
        update_rows(model, names, rows)
        return
    update_from(model, names, rows, taken(model, names))


def replace_value(model: type[models.Model], name: str, before: Any, after: Any, keys: Sequence[Any]) -> int:
    """Set a column of the rows with these primary keys, where it still has the value `before`; returns in how many."""
    if connection.vendor != "postgresql":
        return update_values(model, {name: after}, pk__in=keys, **{name: before})
    with transaction.atomic(savepoint=False):
        _lock_in_order(model, keys)
        return update_values(model, {name: after}, pk__in=keys, **{name: before})


def taken(model: type[models.Model], names: Sequence[str]) -> list[str]:
    """For `update_from`: the columns as they are given."""
    columns = [quoted(model._meta.get_field(name)) for name in names]
    return [f"{column} = given.{column}" for column in columns]


def update_from(
    model: type[models.Model],
    names: Sequence[str],
    rows: Sequence[Sequence[Any]],
    changes: Sequence[str],
    condition: str = "",
) -> int:
    """Change the rows that are given, each its key and then the values of `names`, and for which the condition holds;
    in how many. PostgreSQL only."""
    fields = [model._meta.pk, *(model._meta.get_field(name) for name in names)]
    ((given, params),) = _given(fields, rows)
    columns, table, key = ", ".join(map(quoted, fields)), table_of(model), quoted(fields[0])
    statement = f"UPDATE {table} SET {', '.join(changes)} FROM {given}({columns}) WHERE {table}.{key} = given.{key}"
    with transaction.atomic(savepoint=False), connection.cursor() as cursor:
        _lock_in_order(model, [row[0] for row in rows])
        cursor.execute(statement + condition, params)
        return int(cursor.rowcount)


def _lock_in_order(model: type[models.Model], keys: Sequence[Any]) -> None:
    """A statement locks rows in the order it comes across them; others update rows by key, and neither may wait for
    the other in a circle."""
    table, key = table_of(model), quoted(model._meta.pk)
    statement = f"SELECT {table}.{key} FROM {table} WHERE {key} = ANY(%s) ORDER BY {key} ASC FOR NO KEY UPDATE"
    with connection.cursor() as cursor:
        cursor.execute(statement, [_column(model._meta.pk, keys)])


def _marks(count: int) -> str:
    return ", ".join(["%s"] * count)


def _mark(field: Any) -> str:
    """PostgreSQL cannot see of what type a lone value is."""
    target = field.target_field if field.is_relation else field
    return f"%s::{target.db_type(connection)}" if connection.vendor == "postgresql" else "%s"
