"""Kinds of columns and indexes, and what a column is set to where nobody has said otherwise, in words."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

from bson.binary import Binary
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Field
from django.utils.translation import gettext

from core import plurals
from core.ids import uuid_of

EPOCH, MICROSECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)


def default_text(field: Field[Any, Any]) -> str:
    """Nothing, where there is no default to speak of."""
    value = field.default if field.has_default() and not callable(field.default) else None
    if isinstance(value, timedelta):
        return plurals.minutes(round(value / timedelta(minutes=1)))
    if value is None or value == "":
        return ""
    if field.choices:
        label = str(dict(field.flatchoices).get(value, value))
        # A label with a blank to fill in is no value by itself.
        return "" if "…" in label else label
    return f"{value:g}" if isinstance(value, float) else str(value)


def with_default(field: Field[Any, Any], help_text: str) -> str:
    words = default_text(field)
    return (
        (gettext("%(help_text)s Default: %(words)s.") % {"help_text": help_text, "words": words}).strip()
        if words
        else help_text
    )


class _InBytes:
    def get_internal_type(self) -> str:
        """Not Django's: its backends would take the bytes for text."""
        return "CompactUUIDField"

    def db_type(self, connection: BaseDatabaseWrapper) -> str:
        return {"postgresql": "uuid", "sqlite": "blob"}.get(connection.vendor, "binData")

    def get_db_prep_value(self, value: Any, connection: BaseDatabaseWrapper, prepared: bool = False) -> Any:
        key = self.to_python(value)
        if key is None or connection.vendor == "postgresql":
            return key
        return key.bytes if connection.vendor == "sqlite" else Binary.from_uuid(key)

    def from_db_value(self, value: Any, expression: object, connection: BaseDatabaseWrapper) -> Any:
        return uuid_of(int.from_bytes(value)) if isinstance(value, bytes) else value

    to_python: Callable[[Any], uuid.UUID | None]


class _InMicroseconds:
    def get_internal_type(self) -> str:
        """Not Django's: its backend would take the number for text."""
        return "CompactDateTimeField"

    def db_type(self, connection: BaseDatabaseWrapper) -> str:
        return {"postgresql": "timestamp with time zone", "sqlite": "bigint"}.get(connection.vendor, "date")

    def prepare(self, connection: BaseDatabaseWrapper) -> Callable[[Any], Any] | None:
        """What `core.bulk` makes of each value for a driver of SQL; None where it takes the value as it is."""
        return in_microseconds if connection.vendor == "sqlite" else None

    def get_db_prep_value(self, value: Any, connection: BaseDatabaseWrapper, prepared: bool = False) -> Any:
        moment = value if prepared else self.get_prep_value(value)
        if connection.vendor == "sqlite":
            return in_microseconds(moment)
        return connection.ops.adapt_datetimefield_value(moment)

    def reader(self, connection: BaseDatabaseWrapper) -> Callable[[Any], Any] | None:
        """`from_db_value` of a driver of SQL, for `core.bulk`; None where the driver's value is the field's."""
        return _moment_at if connection.vendor == "sqlite" else None

    def from_db_value(self, value: Any, expression: object, connection: BaseDatabaseWrapper) -> Any:
        if isinstance(value, int):
            return EPOCH + value * MICROSECOND
        # MongoDB's times come without a zone.
        return value.replace(tzinfo=UTC) if value is not None and value.tzinfo is None else value

    get_prep_value: Callable[[Any], datetime | None]


@lru_cache(maxsize=1 << 14)
def _moment_at(value: int | None) -> datetime | None:
    """Kept, as every consumer of a publication reads the times of the same rows."""
    return None if value is None else EPOCH + value * MICROSECOND


def in_microseconds(moment: datetime | None) -> int | None:
    return None if moment is None else (moment - EPOCH) // MICROSECOND


class _InHalfTheBytes:
    max_length: int

    def get_internal_type(self) -> str:
        return "HexField"

    def db_type(self, connection: BaseDatabaseWrapper) -> str:
        return {"postgresql": "bytea", "sqlite": "blob"}.get(connection.vendor, "binData")

    def prepare(self, connection: BaseDatabaseWrapper) -> Callable[[Any], Any]:
        return in_half_the_bytes

    def get_db_prep_value(self, value: Any, connection: BaseDatabaseWrapper, prepared: bool = False) -> Any:
        return in_half_the_bytes(value)

    def reader(self, connection: BaseDatabaseWrapper) -> Callable[[Any], Any]:
        return self._digits

    def from_db_value(self, value: Any, expression: object, connection: BaseDatabaseWrapper) -> Any:
        return self._digits(value)

    def _digits(self, value: bytes | memoryview | None) -> str | None:
        return None if value is None else value.hex()[: self.max_length]


def in_half_the_bytes(digits: str | None) -> bytes | None:
    return None if digits is None else bytes.fromhex(digits + "0" * (len(digits) % 2))


if TYPE_CHECKING:
    # Django's takes no types where it runs.
    Given = TypeVar("Given", contravariant=True)
    Got = TypeVar("Got", covariant=True)

    class CompactUUIDField(models.UUIDField[Given, Got]): ...

    class CompactDateTimeField(models.DateTimeField[Given, Got]): ...

    class HexField(models.CharField[Given, Got]): ...

else:

    class CompactUUIDField(_InBytes, models.UUIDField):
        """An id in 16 bytes on every engine, in the order of its hex text: half of what Django's takes where the engine
        has no type for it, in the row and in every index."""

    class CompactDateTimeField(_InMicroseconds, models.DateTimeField):
        """A moment as microseconds since 1970 on SQLite, where Django's is a text of 26 characters. Only compared,
        sorted and read: functions of dates do not know it."""

    class HexField(_InHalfTheBytes, models.CharField):
        """Text of hexadecimal digits, `max_length` of them or none, as bytes: half as long, and in the same order on
        every engine, whatever its collation."""


class TextInOrderOfBytes(models.TextField):  # type: ignore[type-arg]
    """Text that is searched from a prefix to the prefix + U+10FFFF: on PostgreSQL only the C collation orders it so."""

    def db_parameters(self, connection: BaseDatabaseWrapper) -> Any:
        usual: Any = super().db_parameters(connection)
        return usual | {"collation": "C"} if connection.vendor == "postgresql" else usual


class PartialIndex(models.Index):
    """Of the rows that the condition takes, where a query that says the condition needs no others; of all on MongoDB,
    whose partial indexes know neither `not` nor `is not null`."""

    def get_pymongo_index_model(self, *args: Any, **kwargs: Any) -> Any:
        whole: Any = models.Index(fields=self.fields, name=self.name)
        return whole.get_pymongo_index_model(*args, **kwargs)
