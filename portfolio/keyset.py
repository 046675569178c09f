"""How lists are asked for and cut: checked parameters, and cursors that say where to go on by key, never by offset."""

from __future__ import annotations

import binascii
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time
from typing import Any, TypeVar

from django.db.models import Model, Q, QuerySet
from django.http import QueryDict
from django.utils.dateparse import parse_date, parse_datetime
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request

from direct_plus.duns import InvalidDuns, normalise_duns

Row = TypeVar("Row", bound=Model)
DEFAULT_LIMIT = 100
MOST = 1000
LONGEST_TOKEN = 8000
# More would not fit the longest request line that gunicorn takes.
MOST_VALUES = 200
END_OF_DAY = time(23, 59, 59, 999000)
NO_CURSOR = "This is no cursor of this list: begin again without one."


class BadCursor(serializers.ValidationError):
    """A cursor that this list never gave."""

    def __init__(self) -> None:
        super().__init__({"after": [NO_CURSOR]})


def write_token(parts: Sequence[str]) -> str:
    """Texts as one opaque word that may stand in an address."""
    return urlsafe_b64encode(json.dumps(parts, ensure_ascii=False, separators=(",", ":")).encode()).decode().rstrip("=")


def read_token(token: str) -> list[str]:
    """The texts of such a word, free of what a database refuses; ValueError for anything else."""
    if len(token) > LONGEST_TOKEN or not token.isascii():
        raise ValueError("too long, or no such word")
    try:
        padded = token + "=" * (-len(token) % 4)
        parts = json.loads(urlsafe_b64decode(padded))
    except (binascii.Error, RecursionError) as error:
        raise ValueError("no token") from error
    if not isinstance(parts, list) or not all(isinstance(part, str) and is_clean(part) for part in parts):
        raise ValueError("no list of texts")
    if write_token(parts) != token:
        raise ValueError("not as it was given")
    return parts


def read_moment(text: str) -> datetime:
    """A time as a token holds it; ValueError for anything else."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("no zone")
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("beyond all bounds") from error


def is_clean(text: str) -> bool:
    """Whether every engine takes it: no NUL and no lone surrogates."""
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)


def beyond(
    rows: QuerySet[Row], fields: Sequence[str], values: Sequence[Any], *, newest_first: bool = False
) -> QuerySet[Row]:
    """The rows after `values` in the order of the fields, the last of them unique.

    The bound on the first field alone is what lets every engine begin at the right place of its index.
    """
    at, past = ("lte", "lt") if newest_first else ("gte", "gt")
    later, same = Q(), Q()
    for name, value in zip(fields, values, strict=True):
        later |= same & Q(**{f"{name}__{past}": value})
        same &= Q(**{name: value})
    return rows.filter(later, **{f"{fields[0]}__{at}": values[0]})


def cut(rows: QuerySet[Row], limit: int) -> tuple[list[Row], bool]:
    """At most `limit` rows, and whether there are more."""
    found = list(rows[: limit + 1])
    return found[:limit], len(found) > limit


class Parameters(serializers.Serializer[Any]):
    """The query parameters of a list. An unknown one is refused: a mistyped filter would silently show everything."""

    @classmethod
    def of(cls, request: Request) -> dict[str, Any]:
        return cls.read(request.query_params)

    @classmethod
    def read(cls, query: QueryDict) -> dict[str, Any]:
        asked = cls(data=cls._plain(query))
        asked.is_valid(raise_exception=True)
        return dict(asked.validated_data)

    @classmethod
    def _plain(cls, query: QueryDict) -> dict[str, Any]:
        """As a plain dictionary: DRF would take an empty filter of a query for none."""
        several = {name for name, field in cls().fields.items() if isinstance(field, Several)}
        return {name: query.getlist(name) if name in several else query[name] for name in query}

    def to_internal_value(self, data: Mapping[str, Any]) -> dict[str, Any]:
        unknown = sorted(name for name in data if name not in self.fields)
        if unknown:
            known = f"known: {', '.join(self.fields)}" if self.fields else "this address takes none"
            raise serializers.ValidationError({_shown(name): [f"Unknown parameter; {known}."] for name in unknown})
        return super().to_internal_value(data)  # type: ignore[no-any-return]


def _shown(name: str) -> str:
    return name.encode("ascii", "backslashreplace").decode()[:100]


class PageParameters(Parameters):
    after = serializers.CharField(
        required=False, help_text="`next` of the page before. Without it the list begins at its start."
    )
    limit = serializers.IntegerField(
        required=False, default=DEFAULT_LIMIT, min_value=1, max_value=MOST, help_text="Entries a page, 1 to 1,000."
    )


class Several(serializers.ListField):
    """One value or several: `?kind=a,b` or `?kind=a&kind=b`."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"required": False, "allow_empty": False, "max_length": MOST_VALUES} | kwargs)

    def to_internal_value(self, data: Any) -> list[Any]:
        return super().to_internal_value([part for text in _texts(data) for part in text.split(",")])


def _texts(data: Any) -> Iterable[str]:
    return [str(one) for one in data] if isinstance(data, (list, tuple)) else [str(data)]


class DunsField(serializers.CharField):
    """A D-U-N-S number, with or without dashes."""

    def to_internal_value(self, data: Any) -> str:
        try:
            return normalise_duns(super().to_internal_value(data))
        except InvalidDuns as error:
            raise serializers.ValidationError(f"This is no D-U-N-S number: {error.reason}.") from error


class CountryField(serializers.RegexField):
    """Two letters, ISO 3166-1."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs["error_messages"] = {"invalid": "A country has two letters (ISO 3166-1), such as DE."}
        super().__init__(regex=r"^[A-Za-z]{2}\Z", **kwargs)

    def to_internal_value(self, data: Any) -> str:
        return str(super().to_internal_value(data)).upper()


@extend_schema_field(OpenApiTypes.STR)
class MomentField(serializers.CharField):
    """A date, or a date-time that says its zone. A date is a day in UTC: its start, or its end as an upper bound."""

    def __init__(self, *, upper: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.upper = upper

    def to_internal_value(self, data: Any) -> datetime:  # type: ignore[override]
        text = super().to_internal_value(data)
        try:
            moment = self._moment(text) if is_clean(text) else None
        except (ValueError, OverflowError):
            moment = None
        if moment is None:
            raise serializers.ValidationError(
                "Give a date (2026-01-31) or a date-time with its zone (2026-01-31T12:00:00Z; + is written %2B)."
            )
        return moment

    def _moment(self, text: str) -> datetime | None:
        day: date | None = parse_date(text)
        if day:
            return datetime.combine(day, END_OF_DAY if self.upper else time.min, UTC)
        moment = parse_datetime(text)
        return moment.astimezone(UTC) if moment and moment.tzinfo else None
