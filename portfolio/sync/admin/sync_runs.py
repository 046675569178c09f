"""Pages of a registration's list: adopting it, syncing it, where it differs from what is requested, holding it back."""

from __future__ import annotations

import uuid
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from core import plurals
from core.actors import actor_of
from core.admin.base import ReadOnlyAdmin
from core.admin.row_actions import Outcome, RowAction, RowActions, demand
from core.markup import ago, badge
from core.text import counted
from core.uploads import is_too_large
from direct_plus.errors import DirectPlusError
from portfolio.billing.approval_limits import NeedsSecondPerson
from portfolio.dnb_client import NotConfigured
from portfolio.jobs import have_lists_checked, start_sync_now
from portfolio.models import CheckState, MembershipCheck, Registration, SyncRun
from portfolio.reconciliation.reconcile import DECISIONS
from portfolio.registrations import suppress as registrations_suppress
from portfolio.registrations.adopt import (
    NothingKnown,
    NothingToCheck,
    adopt_as_requested,
    cancel_check,
    read_listing,
    start_check,
)
from portfolio.registrations.dnb_list_files import DnbList
from portfolio.sync import progress
from portfolio.sync.admin.list_upload import EXTENTS, apply_confirmed, confirmed_list, preview_page, uploaded_list
from portfolio.sync.admin.page_context import adopt_page, all_of, drift_page, run_page, suppress_page, tone_of
from portfolio.sync.admin.questions import ask_before_incomplete
from portfolio.sync.run import why_not_to_send
from portfolio.sync.verify import duration_text

MAY_SYNC = "portfolio.change_syncrun"
MAY_DECIDE = "portfolio.change_subject"
DONE = {
    "request": _("%(companies)s requested. Nothing was sent or billed."),
    "stop": _("%(companies)s will be removed at D&B."),
    "send-again": _("%(companies)s will be sent to D&B again."),
    "withdraw": _("Request for %(companies)s withdrawn."),
}
RUN_ACTS = {"pause": progress.pause_run, "resume": progress.resume_run, "cancel": progress.cancel_run}
RUN_SAID = {
    "pause": _("Sync paused. The current call is completed, then nothing more is sent."),
    "resume": _("Sync resumed."),
    "cancel": _("Sync cancelled. Unsent changes are kept; start a sync to send them."),
}


class ListForm(forms.Form):
    file = forms.FileField(required=False, label=_("File from D&B"))
    numbers = forms.CharField(
        required=False,
        strip=True,
        label=_("D-U-N-S numbers"),
        widget=forms.Textarea({"class": "dm-input dm-wide", "rows": 6, "placeholder": _("One per line")}),
    )


def _acts(name: str) -> RowAction:
    def act(request: HttpRequest, row: SyncRun) -> Outcome:
        if RUN_ACTS[name](row, actor_of(request)):
            return RUN_SAID[name]
        return messages.WARNING, gettext("The sync was already changed: its state is “%(state)s”.") % {
            "state": row.get_state_display()
        }

    return act


@admin.register(SyncRun)
class SyncRunAdmin(RowActions, ReadOnlyAdmin):
    list_display = ("started", "reference", "status", "shown_total", "sent", "accepted", "refused", "pending", "calls")
    row_actions = {name: _acts(name) for name in RUN_ACTS}
    ordering = ("-id",)
    sortable_by = ()
    page_template = "portfolio/sync/sync.html"
    empty_title = _("No syncs yet")
    empty_text = _(
        "A sync sends your additions and removals to D&B. It starts automatically after you import companies into an "
        "adopted registration."
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[SyncRun]:
        rows: QuerySet[SyncRun] = super().get_queryset(request).select_related("registration")
        return rows

    def get_urls(self) -> list[URLPattern]:
        def view(route: str, page: Any, name: str) -> URLPattern:
            pattern: URLPattern = path(route, self.admin_site.admin_view(page), name=f"portfolio_syncrun_{name}")
            return pattern

        return [
            view("drift/<uuid:key>/", self.drift, "drift"),
            view("drift/<uuid:key>/<slug:decision>/", require_POST(self.decide), "decide"),
            view("start/<uuid:key>/", require_POST(self.start), "start"),
            view("adopt/<uuid:key>/", self.adopt, "adopt"),
            view("adopt/<uuid:key>/take/", require_POST(self.take), "take"),
            view("adopt/<uuid:key>/list/", require_POST(self.take_list), "take_list"),
            view("check/<uuid:key>/cancel/", require_POST(self.cancel_check), "cancel_check"),
            view("suppress/<uuid:key>/", self.suppress, "suppress"),
            *super().get_urls(),
        ]

    # The list and one run
    @admin.display(description=_("Started"))
    def started(self, row: SyncRun) -> SafeString | str:
        return ago(row.started_at)

    @admin.display(description=_("Registration"))
    def reference(self, row: SyncRun) -> str:
        return row.registration.reference

    @admin.display(description=_("State"))
    def status(self, row: SyncRun) -> SafeString:
        word, tone = tone_of(row)
        return badge(word, tone, row.error)

    @admin.display(description=_("Additions and removals"))
    def shown_total(self, row: SyncRun) -> str:
        return f"+{counted(row.to_add)} −{counted(row.to_remove)}"

    def page_context(self, request: HttpRequest, row: SyncRun) -> dict[str, Any]:
        base = "core/bare.html" if request.GET.get("part") == "live" else "core/page.html"
        return {**run_page(row), "base": base, "may_sync": request.user.has_perm(MAY_SYNC)}

    def may_act(self, request: HttpRequest, row: SyncRun, action: str) -> bool:
        return request.user.has_perm(MAY_SYNC)

    # Drift
    def drift(self, request: HttpRequest, key: uuid.UUID) -> HttpResponse:
        registration = self._registration(request, key)
        if request.method == "POST":
            demand(request.user.has_perm(MAY_DECIDE))
            return self._take_file(request, registration, "drift")
        rights = {"may_sync": request.user.has_perm(MAY_SYNC), "may_decide": request.user.has_perm(MAY_DECIDE)}
        title = gettext("Differences from D&B's list: %(registration)s") % {"registration": registration}
        return self.page(request, "portfolio/sync/drift.html", title=title, **rights, **drift_page(registration))

    def decide(self, request: HttpRequest, key: uuid.UUID, decision: str) -> HttpResponse:
        demand(request.user.has_perm(MAY_DECIDE))
        registration = self._registration(request, key)
        if decision not in DECISIONS:
            raise Http404(
                gettext("The action “%(decision)s” does not exist. Go back and choose one of the buttons.")
                % {"decision": decision}
            )
        chosen = all_of(registration, request.POST["all"]) if "all" in request.POST else request.POST.getlist("duns")
        if not chosen:
            messages.info(request, gettext("Select companies first."))
            return self._to("drift", key)
        try:
            count = DECISIONS[decision](registration, chosen, by=actor_of(request))
            messages.success(request, DONE[decision] % {"companies": plurals.companies(count)})
        except NeedsSecondPerson as why:
            messages.error(request, str(why))
        return self._to("drift", key)

    def start(self, request: HttpRequest, key: uuid.UUID) -> HttpResponse:
        demand(request.user.has_perm(MAY_SYNC))
        registration = self._registration(request, key)
        if reason := why_not_to_send(registration):
            messages.warning(request, reason)
        else:
            start_sync_now(registration, actor_of(request))
            messages.success(request, gettext("Sync started. Its progress is shown here; you may leave the page."))
        return self._to("drift", key)

    # Adopting
    def adopt(self, request: HttpRequest, key: uuid.UUID) -> HttpResponse:
        registration = self._registration(request, key)
        form = ListForm(request.POST or None, request.FILES or None)
        context: dict[str, Any] = {"is_guided": _is_guided(request)}
        if request.method == "POST":
            demand(request.user.has_perm(MAY_DECIDE))
            if is_too_large(request) or (form.is_valid() and form.cleaned_data["file"]):
                return self._take_file(request, registration, "adopt")
            if form.is_valid():
                found = self._ask_about(request, registration, form.cleaned_data["numbers"])
                if found is None:
                    return HttpResponseRedirect(request.get_full_path())
                context |= found
        shown = adopt_page(registration)
        base = "core/bare.html" if request.GET.get("part") == "live" else "core/page.html"
        may = {"may_decide": request.user.has_perm(MAY_DECIDE), "base": base}
        title = gettext("Adopt D&B's list: %(registration)s") % {"registration": registration}
        return self.page(request, "portfolio/sync/adopt.html", title=title, form=form, **may, **shown, **context)

    def _ask_about(self, request: HttpRequest, registration: Registration, text: str) -> dict[str, Any] | None:
        """Says first how long it takes; begins when that was confirmed."""
        listing = read_listing(text.splitlines())
        if "confirmed" not in request.POST and listing.numbers:
            return {"listing": listing, "duration": duration_text(len(listing.numbers))}
        try:
            start_check(registration, listing.numbers, by=actor_of(request))
            have_lists_checked()
        except NothingToCheck as error:
            messages.warning(request, str(error))
        return None

    def take(self, request: HttpRequest, key: uuid.UUID) -> HttpResponse:
        demand(request.user.has_perm(MAY_DECIDE))
        registration = self._registration(request, key)
        back = self._address(request, "adopt", key)
        if question := ask_before_incomplete(request, registration, back):
            return question
        try:
            count = adopt_as_requested(registration, by=actor_of(request), is_empty="empty" in request.POST)
        except NothingKnown as error:
            messages.error(request, str(error))
            return self._to("adopt", key)
        words = plurals.companies(count)
        messages.success(
            request,
            gettext("%(registration)s is adopted: %(companies)s now requested. Nothing was sent or billed.")
            % {"registration": registration, "companies": words},
        )
        return HttpResponseRedirect(reverse("admin:index")) if _is_guided(request) else self._to("drift", key)

    def cancel_check(self, request: HttpRequest, key: uuid.UUID) -> HttpResponse:
        demand(request.user.has_perm(MAY_DECIDE))
        row = MembershipCheck.objects.select_related("registration").filter(pk=key, state=CheckState.RUNNING).first()
        if row is None:
            raise Http404(gettext("This check is no longer running. Reload the page to see its result."))
        cancel_check(row, by=actor_of(request))
        messages.success(request, gettext("Check cancelled. Results so far are kept."))
        return self._to("adopt", row.registration_id)

    def _take_file(self, request: HttpRequest, registration: Registration, name: str) -> HttpResponse:
        """A list is shown first; what else is in the file is applied, and the page says so."""
        listed = uploaded_list(request, registration)
        if listed is None:
            return HttpResponseRedirect(request.get_full_path())
        return self._ask_about_list(request, registration, listed, name)

    def _ask_about_list(
        self, request: HttpRequest, registration: Registration, listed: DnbList, name: str
    ) -> HttpResponse:
        title = gettext("Check the list: %(registration)s") % {"registration": registration}
        guide = "&from=guide" if _is_guided(request) else ""
        shown = {"back": self._address(request, name, registration.pk), "back_to": f"?to={name}{guide}"}
        context = {**preview_page(registration, listed), **shown}
        return self.page(request, "portfolio/sync/list_preview.html", title=title, **context)

    def take_list(self, request: HttpRequest, key: uuid.UUID) -> HttpResponse:
        demand(request.user.has_perm(MAY_DECIDE))
        registration = self._registration(request, key)
        name = "drift" if request.GET.get("to") == "drift" else "adopt"
        listed = confirmed_list(request.POST)
        if listed is None or request.POST.get("extent") not in EXTENTS:
            messages.error(request, gettext("The list was not applied. Upload the file again and choose an answer."))
        elif not apply_confirmed(request, registration, listed):
            return self._ask_about_list(request, registration, listed, name)
        return HttpResponseRedirect(self._address(request, name, key))

    def _address(self, request: HttpRequest, name: str, key: uuid.UUID) -> str:
        return reverse(f"admin:portfolio_syncrun_{name}", args=[key]) + ("?from=guide" if _is_guided(request) else "")

    # Holding back
    def suppress(self, request: HttpRequest, key: uuid.UUID) -> HttpResponse:
        registration = self._registration(request, key)
        demand(request.user.has_perm(MAY_SYNC))
        if request.method == "POST":
            act = registrations_suppress.activate if "activate" in request.POST else registrations_suppress.suppress
            try:
                act(registration, by=actor_of(request))
                messages.success(request, gettext("D&B confirmed the change."))
            except (DirectPlusError, NotConfigured) as error:
                messages.error(request, gettext("D&B refused the change: %(error)s") % {"error": error})
            return HttpResponseRedirect(reverse("admin:portfolio_registration_change", args=[key]))
        title = gettext("Notifications of %(registration)s") % {"registration": registration}
        return self.page(request, "portfolio/sync/suppress.html", title=title, **suppress_page(registration))

    def _registration(self, request: HttpRequest, key: uuid.UUID) -> Registration:
        demand(request.user.has_perm("portfolio.view_registration"))
        row = Registration.objects.select_related("contract").filter(pk=key).first()
        if row is None:
            raise Http404(gettext("This registration does not exist. Open “Registrations” and choose one there."))
        return row

    def _to(self, name: str, key: uuid.UUID) -> HttpResponse:
        return HttpResponseRedirect(reverse(f"admin:portfolio_syncrun_{name}", args=[key]))


def _is_guided(request: HttpRequest) -> bool:
    """Whether the person comes from the guided start, and goes back there."""
    return request.GET.get("from") == "guide"
