"""Exposure in the API: amounts by company, book and day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.api.bodies import Body
from core.api.errors import Conflict
from core.api.examples import a_request, an_answer, who
from core.api.fields import MOST_SHOWN, Entries
from core.api.pages import PageSerializer
from core.api.parameters import PageParameters, Parameters, Several
from core.api.scopes import READ_EXPOSURE, WRITE_EXPOSURE
from core.api.visibility import scope_for, seen_by
from core.lists.pagination import BadCursor, read_token, write_token
from portfolio.companies.parameters import DunsField, ReferenceField, among, seen_numbers
from portfolio.exposure.books import LONGEST, book_key, book_name
from portfolio.exposure.currencies import CODES, NO_CURRENCY
from portfolio.exposure.days import BadDay, read_day, today
from portfolio.exposure.entries import end_exposure, set_exposures
from portfolio.exposure.ledger import amounts_before, book_names, books_in_use
from portfolio.exposure.money import exact_text
from portfolio.exposure.packed import Position
from portfolio.exposure.positions import After, page_of_stakes
from portfolio.exposure.rates import exposure_settings
from portfolio.exposure.totals import Stake
from portfolio.exposure.work import start_refresh
from portfolio.imports.states import Refused
from portfolio.models import Company

MOST_AT_ONCE = 1000
ENTRY_EXAMPLE = {
    "duns": "804735132",
    "book": "receivables",
    "amount": "12500.00",
    "currency": "USD",
    "as_of": "2026-03-31",
}
STAKE_EXAMPLE = {**ENTRY_EXAMPLE, "converted": "11500.00"}
PREVIOUS_EXAMPLE = {**ENTRY_EXAMPLE, "amount": "9000.00", "as_of": "2026-02-28"}
SET_EXAMPLE = {"kept": 1, "created": 0, "changed": 1, "unchanged": 0, "replaced": [PREVIOUS_EXAMPLE], "new_books": []}
MONEY = "Null without the scope `read:exposure`."
BOOK_HELP = "Book of the amount: `receivables`, `orders`, `guarantees`, or a name of your own."


class DayField(serializers.CharField):
    """A day, not in the future."""

    def to_internal_value(self, data: Any) -> date:  # type: ignore[override]
        try:
            return read_day(super().to_internal_value(data))
        except BadDay as error:
            raise serializers.ValidationError(str(error)) from error


class StakeSerializer(serializers.Serializer[Any]):
    duns = serializers.CharField(help_text="D-U-N-S number.")
    book = serializers.CharField(help_text=BOOK_HELP)
    amount = serializers.SerializerMethodField(help_text="Amount in its currency, with two decimals.")
    currency = serializers.CharField(help_text="Currency of the amount (ISO 4217).")
    as_of = serializers.DateField(source="day", help_text="Day from which the amount counts.")
    converted = serializers.SerializerMethodField(
        help_text="Amount in the reporting currency. Null without an exchange rate, or where it is too large."
    )

    def get_amount(self, row: Stake) -> str:
        return exact_text(row.cents)

    def get_converted(self, row: Stake) -> str | None:
        return None if row.converted is None else exact_text(row.converted)


class ExposuresSerializer(PageSerializer):
    reporting_currency = serializers.CharField(help_text="Currency of `converted`.")
    results = StakeSerializer(many=True)


class EntrySerializer(Body):
    duns = DunsField(required=False, max_length=20, help_text="D-U-N-S number. Leave it out to send a `reference`.")
    reference = ReferenceField()
    book = serializers.CharField(max_length=LONGEST, help_text=BOOK_HELP)
    amount = serializers.DecimalField(
        max_digits=15,
        decimal_places=2,
        min_value=Decimal(0),
        error_messages={"invalid": "Send a number with a decimal point, such as 1234.56."},
        help_text="What is at stake: 0 or more.",
    )
    currency = serializers.ChoiceField(
        sorted(CODES), error_messages=NO_CURRENCY, help_text="Currency of the amount (ISO 4217)."
    )
    as_of = DayField(required=False, help_text="Day from which the amount counts. Leave it out for today.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Either way names one company."""
        named = [attrs["duns"]] if "duns" in attrs else attrs.get("reference", [])
        if len(named) != 1:
            many = "Several companies have this reference. Send the D-U-N-S number."
            none = "No company has this reference. Send the D-U-N-S number."
            raise serializers.ValidationError(many if named else none)
        return {**attrs, "company": named[0]}


class SettingSerializer(Body):
    exposures = Entries(
        child=EntrySerializer(), allow_empty=False, max_length=MOST_AT_ONCE, help_text="Up to 1,000 amounts."
    )


class PreviousSerializer(serializers.Serializer[Any]):
    duns = serializers.CharField(help_text="D-U-N-S number.")
    book = serializers.CharField(help_text=BOOK_HELP)
    amount = serializers.SerializerMethodField(help_text="Amount before the call, with two decimals.")
    currency = serializers.CharField(help_text="Currency of that amount (ISO 4217).")
    as_of = serializers.DateField(source="day", help_text="Day from which that amount counted.")

    def get_amount(self, row: Position) -> str:
        return exact_text(row.cents)


class SetSerializer(serializers.Serializer[Any]):
    kept = serializers.IntegerField(help_text="Number of amounts that count from their day on.")
    created = serializers.IntegerField(
        allow_null=True, help_text=f"Those for which the book had no amount of the company on that day. {MONEY}"
    )
    changed = serializers.IntegerField(
        allow_null=True, help_text=f"Those that replaced another amount or currency, listed in `replaced`. {MONEY}"
    )
    unchanged = serializers.IntegerField(
        allow_null=True, help_text=f"Those that are equal to the amount that counted before. {MONEY}"
    )
    replaced = PreviousSerializer(
        many=True, allow_null=True, help_text=f"The amounts that counted before, of those that changed. {MONEY}"
    )
    new_books = serializers.ListField(
        child=serializers.CharField(),
        help_text="Books that did not exist before this call. A mistyped name is a new book, and adds to the total "
        "exposure.",
    )


class ExposureParameters(PageParameters):
    company = Several(child=DunsField(), help_text="Return only amounts of these companies: up to 200 D-U-N-S numbers.")
    reference = ReferenceField()
    book = Several(child=serializers.CharField(max_length=LONGEST), help_text="Return only amounts of these books.")
    day = DayField(required=False, help_text="Return the amounts valid on this day. Leave it out for today.")


class ExposureKey(Parameters):
    company = DunsField(help_text="D-U-N-S number.")
    book = serializers.CharField(max_length=LONGEST, help_text=BOOK_HELP)
    as_of = DayField(required=False, help_text="Day from which the amount no longer counts. Leave it out for today.")


class ExposureList(APIView):
    scopes = {"GET": READ_EXPOSURE, "PUT": WRITE_EXPOSURE, "DELETE": WRITE_EXPOSURE}
    permissions = {
        "GET": "portfolio.view_exposure",
        "PUT": "portfolio.change_exposure",
        "DELETE": "portfolio.change_exposure",
    }
    # Amounts are those of the whole contract: to set them is for those who see all.
    by_unit = ("GET",)

    @extend_schema(
        operation_id="exposures",
        tags=["exposures"],
        summary="List amounts at stake",
        parameters=[ExposureParameters],
        responses=ExposuresSerializer,
        examples=[an_answer("A page", {"reporting_currency": "EUR", "results": [STAKE_EXAMPLE], "next": None})],
    )
    def get(self, request: Request) -> Response:
        """Your own amounts by company and book, as they count on a day, in the order of D-U-N-S numbers. A book that
        does not exist is 404."""
        asked = ExposureParameters.of(request)
        stakes, after = page_of_stakes(
            asked.get("day") or today(),
            books=_books(request, asked["book"]) if "book" in asked else None,
            companies=_companies(request, asked),
            after=_after(asked),
            limit=asked["limit"],
        )
        return Response(
            {
                "reporting_currency": exposure_settings().reporting_currency,
                "results": StakeSerializer(stakes, many=True).data,
                "next": write_token([str(after[0]), after[1]]) if after else None,
            }
        )

    @extend_schema(
        operation_id="set_exposures",
        tags=["exposures"],
        summary="Set amounts, up to 1,000 per call",
        request=SettingSerializer,
        responses=SetSerializer,
        examples=[
            a_request("One amount", {"exposures": [ENTRY_EXAMPLE]}),
            an_answer("Set", SET_EXAMPLE),
        ],
    )
    def put(self, request: Request) -> Response:
        """An amount replaces what the book had for the company from its day on. Repeating the call has no effect.

        If one entry is invalid, none is saved, and `errors` names the entry. The last of several entries for one
        company, book and day counts.
        """
        asked = SettingSerializer(data=request.data, context={"request": request})
        asked.is_valid(raise_exception=True)
        positions = [_position(one) for one in asked.validated_data["exposures"]]
        replaced = _replaced(positions) if _sees_amounts(request) else _HIDDEN
        try:
            new_books = set_exposures(positions, requested_by=who(request))
        except Refused as error:
            raise Conflict(str(error)) from error
        start_refresh()
        return Response({"kept": len(_last_of_each(positions)), **replaced, "new_books": new_books})

    @extend_schema(
        operation_id="remove_exposure",
        tags=["exposures"],
        summary="Remove the amount of a company in a book",
        parameters=[ExposureKey],
        responses={204: None},
    )
    def delete(self, request: Request) -> Response:
        """The book has no amount for the company from that day on. The response is the same if it had none before. It
        is 404 if the book does not exist."""
        asked = ExposureKey.of(request)
        day, book = asked.get("as_of") or today(), book_name(asked["book"])
        # Alike in both cases: this scope is not one for reading what is at stake.
        try:
            if end_exposure(asked["company"], book, day, requested_by=who(request)):
                start_refresh()
            else:
                _check_books([book])
        except Refused as error:
            raise Conflict(str(error)) from error
        return Response(status=204)


def _books(request: Request, asked: Sequence[str]) -> frozenset[str]:
    """By their keys. For a key of a business unit, a book that others alone use is like one that does not exist."""
    names = list(map(book_name, asked))
    if scope_for(request).sees_all:
        _check_books(names)
    return frozenset(map(book_key, names))


def _check_books(books: Sequence[str]) -> None:
    known = book_names()
    if unknown := next((book for book in books if book_key(book) not in known), None):
        raise Http404(no_such_book(unknown, [book.name for book in books_in_use(today())]))


def no_such_book(book: str, known: Sequence[str]) -> str:
    advice = f"The books are: {', '.join(known[:MOST_SHOWN])}." if known else "No book has amounts at present."
    return f"The book “{book}” does not exist. {advice}"


def _sees_amounts(request: Request) -> bool:
    """A key that only sets amounts does not learn from the answer what was there."""
    key: Any = request.auth
    return key.allows(READ_EXPOSURE) if key else request.user.has_perm("portfolio.view_exposure")


def _last_of_each(positions: Sequence[Position]) -> dict[tuple[str, str, date], Position]:
    """Of several for one company, book and day the last counts."""
    return {(one.duns, book_key(one.book), one.day): one for one in positions}


_HIDDEN: dict[str, Any] = dict.fromkeys(("created", "changed", "unchanged", "replaced"))


def _replaced(positions: Sequence[Position]) -> dict[str, Any]:
    """How the amounts differ from those that count until now."""
    each = list(_last_of_each(positions).values())
    pairs = [(one, before) for one, before in zip(each, amounts_before(each), strict=True) if before]
    changed = [before for one, before in pairs if (one.cents, one.currency) != (before.cents, before.currency)]
    return {
        "created": len(each) - len(pairs),
        "changed": len(changed),
        "unchanged": len(pairs) - len(changed),
        "replaced": PreviousSerializer(changed, many=True).data,
    }


def _companies(request: Request, asked: Mapping[str, Any]) -> frozenset[str] | None:
    """Those that are asked for, as far as the caller sees them; None for all."""
    if (named := among(asked)) is not None:
        return frozenset(seen_numbers({"request": request}, sorted(named)))
    if scope_for(request).sees_all:
        return None
    return frozenset(seen_by(request, Company.objects.all()).values_list("pk", flat=True))


def _position(entry: Mapping[str, Any]) -> Position:
    cents, day = int(entry["amount"] * 100), entry.get("as_of") or today()
    return Position(entry["company"], cents, entry["currency"], book_name(entry["book"]), day)


def _after(asked: Mapping[str, Any]) -> After | None:
    if "after" not in asked:
        return None
    try:
        duns, book = read_token(asked["after"])
        return int(duns), book
    except ValueError as error:
        raise BadCursor from error
