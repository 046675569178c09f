"""Checked parameters of lists: pages, values, countries, moments. Invalid ones are refused with a message."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time
from typing import Any

from django.http import QueryDict
from django.utils.dateparse import parse_date, parse_datetime
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request

from core.api.bodies import refuse_unknown
from core.api.fields import Entries
from core.lists.pagination import BadCursor, read_token
from core.text import is_clean

DEFAULT_LIMIT = 100
MOST = 1000
# More would not fit the longest request line that gunicorn takes.
MOST_VALUES = 200
LIMITS = f"1 to {MOST:,}."
ONE_ONLY = "One value only."
END_OF_DAY = time(23, 59, 59, 999000)


def read_moment(text: str) -> datetime:
    """A time as a token holds it; ValueError for anything else."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("no zone")
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("beyond all bounds") from error


def read_place(token: str) -> list[Any]:
    """Time and key, where a list goes on."""
    try:
        moment, key = read_token(token)
        return [read_moment(moment), uuid.UUID(key)]
    except ValueError as error:
        raise BadCursor from error


class Parameters(serializers.Serializer[Any]):
    """The query parameters of a list. An unknown one is refused: a mistyped filter would silently show everything."""

    @classmethod
    def of(cls, request: Request) -> dict[str, Any]:
        return cls.read(request.query_params, request=request)

    @classmethod
    def read(cls, query: QueryDict, **context: Any) -> dict[str, Any]:
        asked = cls(data=cls._plain(query), context=context)
        asked.is_valid(raise_exception=True)
        return dict(asked.validated_data)

    @classmethod
    def _plain(cls, query: QueryDict) -> dict[str, Any]:
        """As a plain dictionary: DRF would take an empty filter of a query for none."""
        fields = cls().fields
        several = {name for name, field in fields.items() if isinstance(field, Several)}
        if twice := [name for name in query if name in fields.keys() - several and len(query.getlist(name)) > 1]:
            raise serializers.ValidationError({name: [ONE_ONLY] for name in twice})
        return {name: query.getlist(name) if name in several else query[name] for name in query}

    def to_internal_value(self, data: Mapping[str, Any]) -> dict[str, Any]:
        refuse_unknown("parameter", data, known=self.fields, otherwise="this endpoint has no parameters")
        return super().to_internal_value(data)  # type: ignore[no-any-return]


class PageParameters(Parameters):
    after = serializers.CharField(
        required=False, help_text="The `next` value of the previous page. Leave it out to start with the first page."
    )
    limit = serializers.IntegerField(
        required=False,
        default=DEFAULT_LIMIT,
        min_value=1,
        max_value=MOST,
        help_text="Entries per page, 1 to 1,000.",
        error_messages=dict.fromkeys(("invalid", "min_value", "max_value", "max_string_length"), LIMITS),
    )


class Several(Entries):
    """One value or several: `?kind=a,b` or `?kind=a&kind=b`."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"required": False, "allow_empty": False, "max_length": MOST_VALUES} | kwargs)

    def to_internal_value(self, data: Any) -> list[Any]:
        return super().to_internal_value([part for text in _texts(data) for part in text.split(",")])


def _texts(data: Any) -> Iterable[str]:
    return [str(one) for one in data] if isinstance(data, (list, tuple)) else [str(data)]


class CountryField(serializers.RegexField):
    """Two letters, ISO 3166-1."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs["error_messages"] = {"invalid": "Enter a two-letter country code (ISO 3166-1), such as DE."}
        super().__init__(regex=r"^[A-Za-z]{2}\Z", **kwargs)

    def to_internal_value(self, data: Any) -> str:
        return str(super().to_internal_value(data)).upper()


@extend_schema_field(OpenApiTypes.STR)
class MomentField(serializers.CharField):
    """A date, or a date and time with its zone. A date is a day in UTC: its start, or its end as an upper bound."""

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
                "Enter a date (2026-01-31) or a date and time with time zone (2026-01-31T12:00:00Z). Encode + as %2B."
            )
        return moment

    def _moment(self, text: str) -> datetime | None:
        day: date | None = parse_date(text)
        if day:
            return datetime.combine(day, END_OF_DAY if self.upper else time.min, UTC)
        moment = parse_datetime(text)
        return moment.astimezone(UTC) if moment and moment.tzinfo else None
