"""Subjects: which company is requested in which registration, what D&B says to it, and removals planned for a date."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import DropdownFilter
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextInputWidget

from core import plurals
from core.actors import actor_of
from core.admin.base import PageAdmin
from core.admin.filters import ChoiceFilter, choice_filter
from core.admin.lists import ChosenList
from core.admin.row_actions import chosen_rows, demand, keys_of
from core.audit import record
from core.markup import ago, badge, two_lines
from portfolio.billing.contract_year import cancel_removal, day_text, next_anniversary, today
from portfolio.billing.renewal_elsewhere import RenewsElsewhere, renewing_elsewhere
from portfolio.companies.owners import unreachable_text
from portfolio.companies.search import of_companies
from portfolio.companies.word_index import subject_words
from portfolio.dnb_codes import explain
from portfolio.exports import with_both
from portfolio.imports.admin.actions import UPLOAD
from portfolio.imports.admin.selection import stop_in
from portfolio.imports.planned_removals import plan_removal
from portfolio.jobs import start_import_work
from portfolio.models import Contract, Registration, Subject, SubjectImport, SubjectState
from portfolio.registrations.filters import RegistrationFilter

PERMISSION = "portfolio.change_subject"
AT_ONCE = 500
# The button that also selects the companies' entries in other registrations.
ALSO = "also"
BEFORE_THE_DAY = 3
TONES = {
    SubjectState.UNKNOWN: "calm",
    SubjectState.PENDING_ADD: "info",
    SubjectState.MONITORED: "good",
    SubjectState.PENDING_REMOVE: "info",
    SubjectState.REMOVED: "calm",
    SubjectState.REFUSED: "bad",
}


class PlannedFilter(ChoiceFilter):
    title = _("scheduled removal")
    parameter_name = "planned"
    options = (("yes", _("Scheduled")), ("no", _("Not scheduled")))

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        known = {"yes": False, "no": True}.get(self.value() or "")
        return queryset if known is None else queryset.filter(remove_on__isnull=known)


class RequestedFilter(ChoiceFilter):
    title = _("requested")
    parameter_name = "requested"
    options = (("yes", _("Requested")), ("no", _("Not requested")))

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        known = {"yes": True, "no": False}.get(self.value() or "")
        return queryset if known is None else queryset.filter(requested=known)


class ImportFilter(DropdownFilter):  # type: ignore[misc]
    """What one import added: by a link from its page, so no other import is offered."""

    title = _("import")
    parameter_name = "requested_import"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        key = self._key()
        found = SubjectImport.objects.filter(pk=key).first() if key else None
        return [(self.value() or "", str(found))] if found else []

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(requested_import=self._key()) if self._key() else queryset

    def _key(self) -> uuid.UUID | None:
        try:
            return uuid.UUID(self.value() or "")
        except ValueError:
            return None


@admin.register(Subject)
class SubjectAdmin(ChosenList, PageAdmin):
    list_display = (
        "company_link",
        "reference",
        "requested_badge",
        "state_at_dnb",
        "customer_reference",
        "owner",
    )
    usual_columns = ("duns", "name", "registration", "requested", "state", "customer_reference", "owner")
    cells = {
        **{"company_link": ("duns", "name"), "reference": ("registration",), "requested_badge": ("requested",)},
        **{"state_at_dnb": ("state",), "customer_reference": ("customer_reference",), "owner": ("owner",)},
    }
    list_filter = (
        RegistrationFilter,
        RequestedFilter,
        choice_filter("state", SubjectState.choices, _("state at D&B")),
        PlannedFilter,
        ImportFilter,
    )
    search_fields = ("company",)
    search_help_text = _("D-U-N-S number or company name")
    ordering = ("company_id",)
    sortable_by = ()
    actions = ("stop_selected", "plan_selected", "cancel_selected")
    list_before_template = "portfolio/subjects/intro.html"
    # Not companies: those are counted once each elsewhere.
    thing, things = _("entry"), _("entries")
    fields = ("customer_reference", "tags", "owner")
    change_form_template = "portfolio/subjects/subject.html"
    empty_title = _("No monitored companies yet")
    empty_template = "portfolio/subjects/empty.html"

    # Companies are requested by imports, proposals and the API; here only what is noted about them is edited.
    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.plan)
        return [path("plan/", view, name="portfolio_subject_plan"), *super().get_urls()]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        return (of_companies(queryset, search_term, request.user) if search_term.strip() else queryset), False

    def complete_rows(self, rows: list[Any]) -> None:
        with_both(rows)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """All of them are one line, whatever the column may hold."""
        return super().formfield_for_dbfield(db_field, request, **{**kwargs, "widget": UnfoldAdminTextInputWidget()})

    @display(description=_("Company"), header=True)  # type: ignore[untyped-decorator]  # unfold's: two lines
    def company_link(self, row: Subject) -> tuple[str, str]:
        return row.company.name or gettext("Name not yet known"), row.company_id

    @admin.display(description=_("Registration"))
    def reference(self, row: Subject) -> str:
        return row.registration.reference

    @admin.display(description=_("Requested"))
    def requested_badge(self, row: Subject) -> SafeString:
        if row.remove_on and row.requested:
            return badge(
                gettext("Until %(day)s") % {"day": day_text(row.remove_on)}, "warn", gettext("Scheduled for removal")
            )
        return badge(gettext("Requested"), "good") if row.requested else badge(gettext("Not requested"), "calm")

    @admin.display(description=_("At D&B"))
    def state_at_dnb(self, row: Subject) -> SafeString:
        meaning = self.meaning(row)
        return two_lines(self.state_badge(row), meaning) if meaning else self.state_badge(row)

    def state_badge(self, row: Subject) -> SafeString:
        state = SubjectState(row.state)
        return badge(state.label, TONES[state])

    def meaning(self, row: Subject) -> str:
        return " ".join(filter(None, explain(row)))

    # One subject
    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        row = context["original"]
        with_both([row])
        shown: dict[str, Any] = {
            "state_badge": self.state_badge(row),
            "requested_badge": self.requested_badge(row),
            "meaning": self.meaning(row),
            "requested_ago": ago(row.requested_at),
            "checked_ago": ago(row.checked_at),
            "show_history": False,
        }
        return super().render_change_form(request, {**context, **shown}, *args, **kwargs)

    def save_model(self, request: HttpRequest, obj: Subject, form: forms.ModelForm[Any], change: bool) -> None:
        """Only what was edited: the sync writes the other fields of this row at the same time."""
        if warning := unreachable_text(obj.owner):
            messages.warning(request, warning)
        if not form.changed_data:
            return
        before = {name: form.initial[name] for name in form.changed_data}
        after = {name: form.cleaned_data[name] for name in form.changed_data}
        with subject_words([(obj.company_id, obj.customer_reference, obj.tags)]):
            Subject.objects.filter(pk=obj.pk).update(**after)
        words = gettext("%(company)s: %(fields)s changed") % {
            "company": obj.company_id,
            "fields": ", ".join(name.replace("_", " ") for name in after),
        }
        actor = actor_of(request)
        record(actor=actor, action="edit subject", thing=obj, summary=words, before=before, after=after)

    # Removals planned for a date
    def has_plan_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(PERMISSION)

    def has_import_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(UPLOAD)

    @admin.action(description=_("Stop monitoring"), permissions=["import"])
    def stop_selected(self, request: HttpRequest, queryset: QuerySet[Subject]) -> HttpResponse:
        """An import that removes them, to be confirmed there."""
        found: dict[uuid.UUID, list[str]] = defaultdict(list)
        for registration, duns in (
            queryset.filter(requested=True).order_by().values_list("registration_id", "company_id")
        ):
            found[registration].append(duns)
        return stop_in(request, found)

    @admin.action(description=_("Schedule removal"), permissions=["plan"])
    def plan_selected(self, request: HttpRequest, queryset: QuerySet[Subject]) -> HttpResponse | None:
        rows = chosen_rows(request, queryset, AT_ONCE)
        return self._ask(request, rows, PlanForm(initial={"day": proposed_day(rows)})) if rows else None

    @admin.action(description=_("Cancel scheduled removal"), permissions=["plan"])
    def cancel_selected(self, request: HttpRequest, queryset: QuerySet[Subject]) -> None:
        count = cancel_removal(subjects=list(queryset), by=actor_of(request))
        messages.success(
            request,
            gettext("Scheduled removal of %(companies)s cancelled.") % {"companies": plurals.companies(count)},
        )

    def plan(self, request: HttpRequest) -> HttpResponse:
        demand(self.has_plan_permission(request))
        rows = list(Subject.objects.filter(pk__in=keys_of(request.POST.getlist("key")))[:AT_ONCE])
        if request.method != "POST" or not rows:
            messages.info(request, gettext("Select companies first, then choose “Schedule removal”."))
            return HttpResponseRedirect(reverse("admin:portfolio_subject_changelist"))
        elsewhere = renewing_elsewhere(rows)
        if ALSO in request.POST:
            rows = [*rows, *(entry for one in elsewhere for entry in one.entries)][:AT_ONCE]
            return self._ask(request, rows, PlanForm(initial={"day": request.POST.get("day")}))
        form = PlanForm(request.POST)
        if not form.is_valid():
            return self._ask(request, rows, form)
        day = form.cleaned_data["day"]
        planned = plan_removal(subjects=rows, day=day, by=actor_of(request))
        if planned.waiting:
            return self._to_confirm(request, planned.waiting)
        messages.success(
            request,
            gettext("%(companies)s will be removed on %(day)s. Nothing is sent to D&B until then.")
            % {"companies": plurals.companies(planned.count), "day": day_text(day)},
        )
        if elsewhere:
            messages.warning(request, _renew_elsewhere_text(elsewhere))
        return HttpResponseRedirect(reverse("admin:portfolio_subject_changelist") + "?planned=yes")

    def _to_confirm(self, request: HttpRequest, waiting: list[SubjectImport]) -> HttpResponse:
        for row in waiting:
            start_import_work(row.pk)
        messages.warning(
            request,
            gettext(
                "The removal is larger than one user may make within 30 days, so it is not scheduled yet. "
                "Confirm the removal here, then another user must approve it."
            ),
        )
        if len(waiting) == 1:
            return HttpResponseRedirect(reverse("admin:portfolio_subjectimport_change", args=[waiting[0].pk]))
        return HttpResponseRedirect(reverse("admin:portfolio_subjectimport_changelist"))

    def _ask(self, request: HttpRequest, rows: list[Subject], form: PlanForm) -> HttpResponse:
        with_both(rows)
        days = sorted({day for day in map(anniversary_of, contracts_of(rows)) if day})
        context = {
            "rows": rows,
            "form": form,
            "anniversaries": days,
            "also": ALSO,
            "elsewhere": renewing_elsewhere(rows),
        }
        return self.page(request, "portfolio/subjects/plan_removal.html", title=gettext("Schedule removal"), **context)


def _renew_elsewhere_text(elsewhere: list[RenewsElsewhere]) -> str:
    words = gettext("Still renewing, because other registrations keep them: %(companies)s, in %(references)s.")
    references = sorted({reference for one in elsewhere for reference in one.references})
    return words % {"companies": plurals.companies(len(elsewhere)), "references": ", ".join(references)}


class PlanForm(forms.Form):
    day = forms.DateField(
        widget=forms.DateInput({"type": "date", "class": "dm-input"}, format="%Y-%m-%d"), label=_("Removal date")
    )

    def clean_day(self) -> date:
        day: date = self.cleaned_data["day"]
        if day <= today():
            raise forms.ValidationError(
                gettext("Choose a date in the future. To remove companies now, use “Stop monitoring”.")
            )
        return day


def contracts_of(rows: Iterable[Subject]) -> list[Contract]:
    keys = Registration.objects.filter(pk__in={row.registration_id for row in rows}).values_list("contract", flat=True)
    return list(Contract.objects.filter(pk__in=set(keys)))


def anniversary_of(contract: Contract) -> date | None:
    return next_anniversary(contract)


def proposed_day(rows: list[Subject]) -> date | None:
    """A few days before the next anniversary, so that D&B has it in time."""
    days = [day for day in map(anniversary_of, contracts_of(rows)) if day]
    day = min(days) - timedelta(days=BEFORE_THE_DAY) if days else None
    return day if day and day > today() else None
