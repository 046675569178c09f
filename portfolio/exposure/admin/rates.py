"""Exchange rates that people keep, and the currency that everything is reported in."""

from __future__ import annotations

from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.filters import AllValuesFieldListFilter
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from core.actors import actor_of
from portfolio.exposure.admin.base import ExposureAdmin
from portfolio.exposure.currencies import CODES, currency_of
from portfolio.exposure.days import BadDay, read_day
from portfolio.exposure.rates import (
    checked_rate,
    exposure_settings,
    rate_text,
    remove_rate,
    set_rate,
    set_reporting_currency,
)
from portfolio.exposure.work import start_refresh
from portfolio.imports.states import Refused
from portfolio.models import ExchangeRate

MOST_LINES = 1_000
Line = tuple[str, date, Decimal]


@admin.register(ExchangeRate)
class ExchangeRateAdmin(ExposureAdmin):
    list_display = ("currency", "day", "value")
    list_display_links = None
    list_filter = (("currency", AllValuesFieldListFilter),)
    ordering = ("-day", "-id")
    sortable_by = ("day",)
    list_before_template = "portfolio/exposure/rates.html"
    kept_text = (_("The amounts. They are converted with the earlier rate; without one, they are shown separately."),)
    empty_title = _("No exchange rates yet")
    empty_text = _("Enter rates above. Amounts in a currency without a rate are shown apart.")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.may_change(request)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("set/", view(require_POST(self.set_rates)), name="portfolio_exchangerate_set"),
            path("currency/", view(require_POST(self.set_currency)), name="portfolio_exchangerate_currency"),
            *super().get_urls(),
        ]

    @admin.display(description=_("Value of one unit"))
    def value(self, row: ExchangeRate) -> str:
        return f"{rate_text(row.rate)} {exposure_settings().rates_currency}"

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        context = {
            "exposure": exposure_settings(),
            "currencies": sorted(CODES),
            "may_change": self.may_change(request),
        }
        return super().changelist_view(request, {**context, **(extra_context or {})})

    def set_rates(self, request: HttpRequest) -> HttpResponse:
        """All lines, or none where one is wrong."""
        if not self.may_change(request):
            raise PermissionDenied
        try:
            lines, settings = _lines(request.POST.get("rates", "")), exposure_settings()
            for currency, _day, rate in lines:
                checked_rate(currency, rate, settings)
            for currency, day, rate in lines:
                set_rate(currency=currency, day=day, rate=rate, set_by=actor_of(request))
        except Refused as error:
            messages.error(request, str(error))
        else:
            messages.success(request, gettext("Exchange rates saved: %(count)s.") % {"count": len(lines)})
        start_refresh()
        return _back()

    def set_currency(self, request: HttpRequest) -> HttpResponse:
        if not self.may_change(request):
            raise PermissionDenied
        try:
            set_reporting_currency(currency=request.POST.get("currency", ""), set_by=actor_of(request))
        except Refused as error:
            messages.error(request, str(error))
        else:
            messages.success(request, gettext("Reporting currency saved."))
        start_refresh()
        return _back()

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        remove_rate(obj, removed_by=actor_of(request))
        start_refresh()

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[ExchangeRate]) -> None:
        for row in queryset:
            self.delete_model(request, row)


def _back() -> HttpResponse:
    return HttpResponseRedirect(reverse("admin:portfolio_exchangerate_changelist"))


def _lines(text: str) -> list[Line]:
    """“USD 2026-03-31 0.92”, one a line."""
    lines = [line.replace(";", " ").replace("\t", " ").split() for line in text.splitlines() if line.strip()]
    if not lines or len(lines) > MOST_LINES:
        raise Refused(gettext("Enter 1 to 1,000 lines, each with a currency, a date and a rate."))
    return [_line(number, parts) for number, parts in enumerate(lines, start=1)]


def _line(number: int, parts: list[str]) -> Line:
    example = gettext("Line %(number)s: write it like USD 2026-03-31 0.92.") % {"number": number}
    if len(parts) != 3 or not currency_of(parts[0]):
        raise Refused(example)
    try:
        rate = Decimal(parts[2].replace(",", "."))
        if not rate.is_finite():
            raise Refused(example)
        return currency_of(parts[0]), read_day(parts[1]), rate
    except (BadDay, InvalidOperation) as error:
        raise Refused(f"{example} {error if isinstance(error, BadDay) else ''}".strip()) from error
