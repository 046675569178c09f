"""Decisions: the list, the form of a new one, and the page of one with what was known then."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from core.actors import actor_of
from core.admin.base import ReadOnlyAdmin
from core.admin.exports import ExportedList
from core.admin.filters import DaysFilter, choice_filter
from core.admin.row_actions import Outcome, RowActions
from core.dates import read_day
from core.markup import ago, badge
from core.text import day_text
from core.visibility import visible_to
from direct_plus.duns import InvalidDuns, normalise_duns
from monitoring.decisions.at_stake import exposure_text, over_limit_text, proposal_text
from monitoring.decisions.comparison import changed_text, compared_with_today
from monitoring.decisions.current import STATE_TONES, TIER_TONES, TONES, current_decisions, shown, standing_of
from monitoring.decisions.decide import (
    LONGEST,
    CompanyGone,
    DecidedSince,
    Draft,
    confirm,
    decide,
    in_words,
    is_expired,
    refuse,
)
from monitoring.decisions.known import known_in_short, known_then, known_to
from monitoring.decisions.reviews import is_gone
from monitoring.decisions.second_person import limits_text, reasons_for_second, who_can_confirm
from monitoring.models import Decision, DecisionKind, DecisionState
from monitoring.models.workflow.review_settings import ReviewSettings, review_settings
from portfolio.companies.columns import EXPOSURE_HEADING, SEE_EXPOSURE
from portfolio.companies.search import of_companies
from portfolio.exports import with_companies
from portfolio.exposure.currencies import CODES
from portfolio.exposure.money import amount_text
from portfolio.exposure.rates import exposure_settings
from portfolio.imports.states import Refused
from portfolio.models import Company, Tier

DECIDE = "monitoring.decide_company"
CONFIRM = "monitoring.confirm_decision"
UNKNOWN = _("This company does not exist. Open “Companies” and choose it there.")
HINTS = {
    DecisionKind.APPROVE: _("You continue business with the company, without a limit."),
    DecisionKind.LIMIT: _("You continue business with the company, up to an amount."),
    DecisionKind.HOLD: _("You accept no new business with the company until the next decision."),
    DecisionKind.STOP: _("You end business with the company."),
}


class DecidedFilter(DaysFilter):
    title = _("decided")
    parameter_name = "decided"
    moment = "decided_at"


class DecisionForm(forms.Form):
    kind = forms.ChoiceField(label=_("Decision"), choices=DecisionKind.choices)
    amount = forms.DecimalField(label=_("Amount"), required=False, min_value=0, max_digits=15, decimal_places=2)
    currency = forms.CharField(label=_("Currency"), required=False, max_length=3)
    valid_until = forms.CharField(label=_("Valid until"), required=False, max_length=20)
    reason = forms.CharField(label=_("Reason"), max_length=LONGEST, required=False)
    seen = forms.IntegerField(min_value=0, required=False)

    def clean_valid_until(self) -> date | None:
        text = str(self.cleaned_data["valid_until"]).strip()
        day = read_day(text) if text else None
        if text and day is None:
            raise forms.ValidationError(gettext("Enter a day such as 2026-12-31."))
        return day

    def draft(self) -> Draft:
        given, amount = self.cleaned_data, self.cleaned_data["amount"]
        cents = None if amount is None else int(Decimal(amount) * 100)
        return Draft(given["kind"], given["reason"], cents, given["currency"], given["valid_until"])


def _confirm(request: HttpRequest, row: Decision) -> str:
    had_review = row.company.next_review_on is not None
    confirm(row, by=actor_of(request))
    ended = gettext("The review is completed.") if had_review else ""
    return f"{gettext('Decision confirmed and final.')} {ended}".rstrip()


def _refuse(request: HttpRequest, row: Decision) -> str:
    refuse(row, reason=request.POST.get("reason", ""), by=actor_of(request))
    if current_decisions([row.company_id]):
        return gettext("Decision refused. The previous decision remains valid.")
    return gettext("Decision refused. No decision is valid for this company.")


@admin.register(Decision)
class DecisionAdmin(RowActions, ExportedList, ReadOnlyAdmin):
    row_actions = {"confirm": _confirm, "refuse": _refuse}
    list_display = ("shown_company", "what", "validity", "tier", "person", "decided", "status")
    list_filter = (
        choice_filter("state", DecisionState.choices, _("state")),
        choice_filter("kind", DecisionKind.choices, _("decision")),
        choice_filter("tier_at", Tier.choices, _("tier")),
        DecidedFilter,
    )
    search_fields = ("company",)
    search_help_text = _("D-U-N-S number or company name")
    ordering = ("-decided_at",)
    sortable_by = ("decided",)
    page_template = "monitoring/decisions/decision.html"
    empty_title = _("No decisions")
    empty_text = _("Open a company and choose “Decide”. Each decision is kept with the figures of that time.")
    empty_template = "monitoring/company_page/choose_company.html"

    def get_urls(self) -> list[URLPattern]:
        views = {"": self.decide, "limit/": self.limit}
        names = {"": "monitoring_decision_decide", "limit/": "monitoring_decision_limit"}
        own = [
            path(f"decide/<str:duns>/{end}", self.admin_site.admin_view(view), name=names[end])
            for end, view in views.items()
        ]
        return [*own, *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).defer("known")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        return (of_companies(queryset, search_term, request.user) if search_term.strip() else queryset), False

    def complete_rows(self, rows: list[Any]) -> None:
        with_companies(rows)

    def get_list_display(self, request: HttpRequest) -> Any:
        shown = list(super().get_list_display(request))
        at = shown.index("what") + 1
        return [*shown[:at], "exposure", *shown[at:]] if request.user.has_perm(SEE_EXPOSURE) else shown

    # The list
    @display(description=_("Company"), header=True)  # type: ignore[untyped-decorator]  # unfold's: two lines
    def shown_company(self, row: Decision) -> tuple[str, str]:
        return row.company.name or gettext("Name not yet known"), row.company_id

    @admin.display(description=_("Decision"))
    def what(self, row: Decision) -> SafeString:
        return badge(in_words(row), TONES[DecisionKind(row.kind)], row.reason)

    @admin.display(description=EXPOSURE_HEADING)
    def exposure(self, row: Decision) -> str:
        """Of today, beside what was decided."""
        return amount_text(row.company.exposure) if row.company.exposure is not None else "–"

    @admin.display(description=_("Valid until"))
    def validity(self, row: Decision) -> SafeString | str:
        if row.valid_until is None:
            return gettext("No end")
        return badge(gettext("Expired"), "warn", row.valid_until) if is_expired(row) else day_text(row.valid_until)

    @admin.display(description=_("Tier"))
    def tier(self, row: Decision) -> SafeString | str:
        return badge(row.get_tier_at_display(), TIER_TONES[Tier(row.tier_at)]) if row.tier_at else ""

    @admin.display(description=_("Users"))
    def person(self, row: Decision) -> str:
        users = {"proposer": row.decided_by, "second": row.confirmed_by}
        if row.state == DecisionState.REFUSED:
            return gettext("Proposed by %(proposer)s, refused by %(second)s") % users
        if row.confirmed_by:
            return gettext("Proposed by %(proposer)s, confirmed by %(second)s") % users
        is_open = row.state == DecisionState.PROPOSED
        return (gettext("Proposed by %(proposer)s") if is_open else gettext("Decided by %(proposer)s")) % users

    @admin.display(description=_("Decided"), ordering="decided_at")
    def decided(self, row: Decision) -> SafeString | str:
        return ago(row.decided_at)

    @admin.display(description=_("State"))
    def status(self, row: Decision) -> SafeString:
        state = badge(row.get_state_display(), STATE_TONES[DecisionState(row.state)])
        if row.state != DecisionState.PROPOSED:
            return state
        return format_html("{}<br><small>{}</small>", state, gettext("Takes effect once confirmed"))

    # The form of a new one
    def _company(self, request: HttpRequest, duns: str) -> Company:
        if not request.user.has_perm(DECIDE):
            raise PermissionDenied
        key = _duns_or_404(duns)
        may_see = self.has_view_permission(request)
        company = visible_to(request.user, Company.objects.filter(pk=key)).first() if may_see else None
        if company is None:
            raise Http404(UNKNOWN)
        return company

    def limit(self, request: HttpRequest, duns: str) -> HttpResponse:
        """What the form states about a limit while it is typed."""
        company = self._company(request, duns)
        if not request.user.has_perm(SEE_EXPOSURE):
            raise PermissionDenied
        form = DecisionForm({**request.GET.dict(), "kind": DecisionKind.LIMIT})
        cents = form.draft().amount_cents if form.is_valid() else None
        text = "" if cents is None else over_limit_text(company, cents, form.cleaned_data["currency"])
        return HttpResponse(text, content_type="text/plain; charset=utf-8")

    def decide(self, request: HttpRequest, duns: str) -> HttpResponse:
        company = self._company(request, duns)
        form, problem = DecisionForm(request.POST or None), ""
        if request.method == "POST" and form.is_valid():
            try:
                row = decide(company.duns, form.draft(), seen=_seen(form), by=actor_of(request))
                return self._made(request, row, had_review=company.next_review_on is not None)
            except (DecidedSince, CompanyGone, Refused) as error:
                problem = str(error)
        return self._ask(request, company, form, problem)

    def _made(self, request: HttpRequest, row: Decision, *, had_review: bool) -> HttpResponse:
        if row.state == DecisionState.PROPOSED:
            proposed = gettext("Decision proposed. It takes effect when a second person confirms it.")
            messages.warning(request, f"{proposed} {_second(request, row.company)}")
        else:
            ended = gettext("The review is completed.") if had_review else ""
            messages.success(request, f"{gettext('Decision saved.')} {ended}".rstrip())
        return HttpResponseRedirect(reverse("admin:monitoring_decision_change", args=[row.pk]))

    def _ask(self, request: HttpRequest, company: Company, form: DecisionForm, problem: str) -> HttpResponse:
        # Read first: a decision made while the rest is read is one that this page does not show.
        seen = _last_number(company.duns)
        standing = standing_of(company)
        given, sees_exposure = form.data if form.is_bound else {}, request.user.has_perm(SEE_EXPOSURE)
        settings = review_settings()
        second = reasons_for_second(settings, company.tier, DecisionKind.HOLD, None, "")
        context = {
            "company": company,
            "standing": standing,
            "seen": seen,
            "is_gone": is_gone(company),
            "retained": _retained(request, company),
            "problems": [problem] if problem else [error for errors in form.errors.values() for error in errors],
            "given": {name: given.get(name, "") for name in ("kind", "amount", "valid_until", "reason")},
            "currency": given.get("currency") or exposure_settings().reporting_currency,
            "currencies": sorted(CODES),
            "kinds": [(kind.value, kind.label, _hint(settings, company.tier, kind)) for kind in DecisionKind],
            "known": known_in_short(company, with_exposure=sees_exposure, actor=request.user),
            "sees_exposure": sees_exposure,
            "at_stake": exposure_text(company, standing.holds.row if standing.holds else None) if sees_exposure else "",
            "second": second,
            "second_from": limits_text(settings),
            "who_can_confirm": _second(request, company) if second else "",
            "longest": LONGEST,
        }
        title = gettext("Decide on %(company)s") % {"company": company}
        return self.page(request, "monitoring/decisions/decide.html", title=title, **context)

    # The page of one
    def page_context(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        is_own, waits = row.decider_id == actor_of(request).id, row.state == DecisionState.PROPOSED
        may_confirm = waits and not is_own and request.user.has_perm(CONFIRM)
        # Who confirms knows what is at stake in this decision, and later what it was, whatever else their role shows.
        has_answered = row.confirmer_id == actor_of(request).id
        sees_exposure = may_confirm or has_answered or request.user.has_perm(SEE_EXPOSURE)
        compared = compared_with_today(row, with_exposure=sees_exposure, actor=request.user)
        return {
            "title": f"{row.company}: {in_words(row)}",
            "shown": shown(row),
            "known": known_then(known_to(request.user, [row])[0]),
            "compared": compared,
            "changed": changed_text(compared),
            "sees_exposure": sees_exposure,
            "state_tone": STATE_TONES[DecisionState(row.state)],
            "is_own": is_own,
            "who_can_confirm": who_can_confirm(row.company, proposer=row.decider_id, reader=request.user)
            if waits
            else "",
            "may_confirm": may_confirm,
            "proposal": proposal_text(row) if waits and sees_exposure else "",
            "may_refuse": waits and self.may_act(request, row, "refuse"),
        }

    def may_act(self, request: HttpRequest, row: Decision, action: str) -> bool:
        """Who proposed it may withdraw it."""
        is_own = action == "refuse" and row.decider_id == actor_of(request).id
        return request.user.has_perm(CONFIRM) or (is_own and request.user.has_perm(DECIDE))

    def act(self, request: HttpRequest, row: Decision, action: str) -> Outcome:
        try:
            return super().act(request, row, action)
        except Refused as error:
            return messages.ERROR, str(error)


def _second(request: HttpRequest, company: Company) -> str:
    return who_can_confirm(company, proposer=request.user.pk, reader=request.user)


def _hint(settings: ReviewSettings, tier: str, kind: DecisionKind) -> str:
    """What it means, whether it needs a second person whatever the tier, and from when it counts."""
    second = reasons_for_second(settings, "", kind, None, "")
    is_proposed = reasons_for_second(settings, tier, kind, None, "")
    effect = gettext("It takes effect when a second person confirms it.") if is_proposed else ""
    return " ".join(filter(None, (str(HINTS[kind]), second, effect)))


def _duns_or_404(text: str) -> str:
    try:
        return normalise_duns(text)
    except InvalidDuns as error:
        raise Http404(UNKNOWN) from error


def _retained(request: HttpRequest, company: Company) -> Company | None:
    rows = Company.objects.filter(pk=company.merged_into)
    return visible_to(request.user, rows).first() if company.merged_into else None


def _seen(form: DecisionForm) -> int:
    return int(form.cleaned_data["seen"] or 0)


def _last_number(duns: str) -> int:
    return Decision.objects.filter(company=duns).order_by("-number").values_list("number", flat=True).first() or 0
