"""Reviews: which companies are due, which reviews were completed, and how often a tier is reviewed."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from core.admin.base import PageAdmin, ReadOnlyAdmin
from core.admin.exports import ExportedList
from core.admin.filters import DaysFilter
from core.audit import record_edit
from core.bulk import among
from core.db import insert_new
from core.markup import ago, badge
from core.text import country_name, day_text
from core.visibility import scope_of
from monitoring.decisions.admin.company import may_set_tier, set_tiers_page
from monitoring.decisions.current import TIER_TONES, TONES, with_decisions
from monitoring.decisions.decide import in_words, is_expired
from monitoring.decisions.work import start_update
from monitoring.models import DecisionKind, DueReview, Review, ReviewSettings
from monitoring.models.workflow.review_settings import KEY
from portfolio.companies.filters import OccurringCountryFilter, OwnerFilter, ReviewFilter, TagFilter, TierFilter
from portfolio.companies.search import of_companies, search_companies
from portfolio.exports import with_companies
from portfolio.exposure.days import today
from portfolio.models import Company, Tier


@admin.register(DueReview)
class DueReviewAdmin(ExportedList, ReadOnlyAdmin):
    list_display = ("shown_company", "shown_country", "shown_tier", "due", "decision", "validity")
    list_filter = (ReviewFilter, TierFilter, OccurringCountryFilter, OwnerFilter, TagFilter)
    search_fields = ("duns",)
    search_help_text = _("D-U-N-S number or company name")
    ordering = ("next_review_on",)
    sortable_by = ("shown_tier", "due")
    actions = ("set_tier_of_selected",)
    list_before_template = "monitoring/decisions/reviews_intro.html"
    empty_title = _("No reviews planned")
    empty_text = _(
        "Companies with a tier appear here, by the day on which their next review is due. Open the companies, select "
        "some and choose “Set tier”."
    )
    empty_template = "monitoring/company_page/choose_company.html"

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perms(("portfolio.view_company", "monitoring.view_review"))

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_tier_permission(self, request: HttpRequest) -> bool:
        return may_set_tier(request)

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).filter(next_review_on__isnull=False)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        if not search_term.strip():
            return queryset, False
        return queryset.filter(among("duns", search_companies(search_term, scope_of(request.user)).duns)), False

    def complete_rows(self, rows: list[Any]) -> None:
        with_decisions(rows)

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        """A company has one page."""
        self.object_or_404(request, object_id)
        return HttpResponseRedirect(reverse("admin:portfolio_company_change", args=[object_id]))

    @admin.action(description=_("Set tier…"), permissions=["tier"])
    def set_tier_of_selected(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        return set_tiers_page(request, Company.objects.filter(pk__in=list(queryset.values_list("pk", flat=True))))

    @display(description=_("Company"), header=True)  # type: ignore[untyped-decorator]  # unfold's: two lines
    def shown_company(self, row: DueReview) -> tuple[str, str]:
        return row.name or gettext("Name not yet known"), row.duns

    @admin.display(description=_("Country"))
    def shown_country(self, row: DueReview) -> str:
        return country_name(row.country)

    @admin.display(description=_("Tier"), ordering="tier")
    def shown_tier(self, row: DueReview) -> SafeString | str:
        return badge(row.get_tier_display(), TIER_TONES[Tier(row.tier)]) if row.tier else ""

    @admin.display(description=_("Due"), ordering="next_review_on")
    def due(self, row: DueReview) -> SafeString | str:
        day = row.next_review_on
        if day is None or day > today():
            return day_text(day) if day else ""
        return badge(gettext("Due today"), "warn") if day == today() else badge(overdue_text(row), "bad")

    @admin.display(description=_("Decision"))
    def decision(self, row: Any) -> SafeString | str:
        return badge(in_words(row.decision), TONES[DecisionKind(row.decision.kind)]) if row.decision else ""

    @admin.display(description=_("Valid until"))
    def validity(self, row: Any) -> SafeString | str:
        if row.decision is None or row.decision.valid_until is None:
            return ""
        day = day_text(row.decision.valid_until)
        return badge(gettext("Expired"), "warn", day) if is_expired(row.decision) else day


def overdue_text(row: DueReview) -> str:
    day = day_text(row.next_review_on) if row.next_review_on else ""
    return gettext("Overdue since %(day)s") % {"day": day}


class ReviewedFilter(DaysFilter):
    title = _("reviewed")
    parameter_name = "reviewed"
    moment = "reviewed_at"


@admin.register(Review)
class ReviewAdmin(ExportedList, ReadOnlyAdmin):
    list_display = ("shown_company", "when", "due_on", "person", "note")
    list_filter = (ReviewedFilter,)
    search_fields = ("company",)
    search_help_text = _("D-U-N-S number or company name")
    ordering = ("-reviewed_at",)
    sortable_by = ()
    empty_title = _("No completed reviews")
    empty_text = _("A review is completed when a user decides on a company, or marks it as reviewed on its page.")
    empty_template = "monitoring/company_page/choose_company.html"

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        return (of_companies(queryset, search_term, request.user) if search_term.strip() else queryset), False

    def complete_rows(self, rows: list[Any]) -> None:
        with_companies(rows)

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        """To the decision that it led to, else to the company."""
        row: Review = self.object_or_404(request, object_id)
        if row.decision_id:
            return HttpResponseRedirect(reverse("admin:monitoring_decision_change", args=[row.decision_id]))
        return HttpResponseRedirect(reverse("admin:portfolio_company_change", args=[row.company_id]))

    @display(description=_("Company"), header=True)  # type: ignore[untyped-decorator]  # unfold's: two lines
    def shown_company(self, row: Review) -> tuple[str, str]:
        return row.company.name or gettext("Name not yet known"), row.company_id

    @admin.display(description=_("Reviewed"))
    def when(self, row: Review) -> SafeString | str:
        return ago(row.reviewed_at)

    @admin.display(description=_("Reviewed by"))
    def person(self, row: Review) -> str:
        return row.reviewed_by


@admin.register(ReviewSettings)
class ReviewSettingsAdmin(PageAdmin):
    """One row, and so no list."""

    fields = (
        *("critical_days", "important_days", "normal_days"),
        *("second_for_critical", "second_for_important", "second_from"),
    )

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        insert_new(ReviewSettings, [ReviewSettings()])
        return self.change_view(request, KEY)  # type: ignore[no-any-return]

    def save_model(self, request: HttpRequest, obj: ReviewSettings, form: forms.ModelForm[Any], change: bool) -> None:
        super().save_model(request, obj, form, change)
        record_edit(request, obj, form, is_change=True)
        start_update()
