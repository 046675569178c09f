"""One amount of one company, entered by a user: it counts as one that is set by API does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.actors import actor_of
from core.text import day_text
from core.visibility import visible_to
from direct_plus.duns import InvalidDuns, normalise_duns
from portfolio.exposure.admin.base import ExposureAdmin, WithDay
from portfolio.exposure.books import LONGEST, USUAL, book_label, book_name
from portfolio.exposure.currencies import CODES
from portfolio.exposure.days import today
from portfolio.exposure.entries import end_exposure, set_exposures
from portfolio.exposure.ledger import book_names
from portfolio.exposure.money import exact_money_text, exact_text
from portfolio.exposure.packed import Position
from portfolio.exposure.rates import exposure_settings
from portfolio.exposure.totals import stakes_of
from portfolio.exposure.work import start_refresh
from portfolio.imports.states import Refused
from portfolio.models import Company

FIELDS = ("book", "amount", "currency", "as_of")
SOURCE = "page"


class AmountForm(WithDay, forms.Form):
    book = forms.CharField(label=_("Kind of amount"), max_length=LONGEST)
    amount = forms.DecimalField(label=_("Amount"), min_value=0, max_digits=15, decimal_places=2)
    currency = forms.ChoiceField(label=_("Currency"), choices=[(code, code) for code in sorted(CODES)])
    as_of = forms.CharField(label=_("As of"))

    def position(self, duns: str) -> Position:
        given = self.cleaned_data
        cents = int(given["amount"] * 100)
        return Position(duns, cents, given["currency"], book_name(given["book"]), given["as_of"])


def amount_page(pages: ExposureAdmin, request: HttpRequest, duns: str) -> HttpResponse:
    company, problem, book = _company(pages, request, duns), "", request.POST.get("remove")
    form = AmountForm(None if book else request.POST or None)
    try:
        if book:
            return _removed(request, company.duns, book)
        if request.method == "POST" and form.is_valid():
            return _saved(request, form.position(company.duns))
    except Refused as error:
        problem = str(error)
    context = {
        "company": company,
        "form": form,
        "problem": problem,
        "given": _given(form.data if form.is_bound else request.GET.dict()),
        "stakes": [
            (book_label(one.book), one, exact_text(one.cents), exact_money_text(one.cents, one.currency))
            for one in stakes_of(company.duns)
        ],
        "kinds": kinds_of_amounts(),
        "currencies": sorted(CODES),
        "longest": LONGEST,
        "latest": today().isoformat(),
    }
    title = gettext("Exposure of %(company)s") % {"company": company}
    return pages.page(request, "portfolio/exposure/amount.html", title=title, **context)


def _company(pages: ExposureAdmin, request: HttpRequest, duns: str) -> Company:
    if not (pages.may_change(request) and pages.has_view_permission(request)):
        raise PermissionDenied
    try:
        rows = Company.objects.filter(pk=normalise_duns(duns))
    except InvalidDuns:
        rows = Company.objects.none()
    company = visible_to(request.user, rows).first()
    if company is None:
        raise Http404(gettext("This company does not exist. Open “Companies” and choose it there."))
    return company


def _given(data: Mapping[str, Any]) -> dict[str, str]:
    usual = {"currency": exposure_settings().reporting_currency, "as_of": today().isoformat()}
    return {name: str(data.get(name) or usual.get(name, "")) for name in FIELDS}


def kinds_of_amounts() -> list[str]:
    """The usual ones, and those that have or had amounts."""
    return [*map(str, USUAL.values()), *(name for key, name in book_names().items() if key not in USUAL)]


def _saved(request: HttpRequest, position: Position) -> HttpResponse:
    set_exposures([position], requested_by=actor_of(request), source=SOURCE)
    words = gettext(
        "Saved: %(kind)s, %(amount)s as of %(day)s. Within a minute, lists of companies and the Overview show it."
    )
    amount, day = exact_money_text(position.cents, position.currency), day_text(position.day)
    return _changed(request, position.duns, words % {"kind": book_label(position.book), "amount": amount, "day": day})


def _removed(request: HttpRequest, duns: str, book: str) -> HttpResponse:
    """From today on: earlier days keep what was at stake then."""
    end_exposure(duns, book, today(), requested_by=actor_of(request), source=SOURCE)
    words = gettext(
        "Removed: %(kind)s. It is no longer part of the exposure from today on. Earlier days keep their amount."
    )
    return _changed(request, duns, words % {"kind": book_label(book)})


def _changed(request: HttpRequest, duns: str, words: str) -> HttpResponse:
    start_refresh()
    messages.success(request, words)
    return HttpResponseRedirect(reverse("admin:portfolio_company_change", args=[duns]) + "?saved=amount")
