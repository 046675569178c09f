"""Family trees as requests: their list, and the page of one with its progress."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.actors import actor_of
from core.admin.base import ReadOnlyAdmin
from core.admin.filters import choice_filter
from core.admin.row_actions import Outcome, RowActions
from core.markup import ago, badge
from core.text import counted
from monitoring.family_tree.admin.request_page import may_fetch_trees, request_page
from monitoring.family_tree.plan import CannotFetchTree, calls_to_resume
from monitoring.family_tree.request import discard_tree, may_resume, resume_tree, stop_tree
from monitoring.family_tree.rivals import rival_of
from monitoring.models import FamilyTree, TreeKind, TreeState
from portfolio.call_budgets.calls import BudgetUsedUp, CallsChanged
from portfolio.call_budgets.confirmation import confirmed_in, planned_calls

TONES = {TreeState.RUNNING: "info", TreeState.STOPPED: "warn", TreeState.DONE: "good", TreeState.NONE: "calm"}


def _stop(request: HttpRequest, row: FamilyTree) -> str:
    stopped = stop_tree(row, by=actor_of(request))
    return gettext("Stopped. No further call is made.") if stopped else gettext("The fetch had already ended.")


def _resume(request: HttpRequest, row: FamilyTree) -> Outcome:
    if not may_resume(row):
        return messages.ERROR, gettext("No companies are left to fetch.")
    try:
        resume_tree(row, confirmed_in(request.POST), by=actor_of(request))
    except (CallsChanged, BudgetUsedUp, CannotFetchTree) as error:
        return messages.ERROR, str(error)
    return gettext("The fetch continues.")


def _discard(request: HttpRequest, row: FamilyTree) -> Outcome:
    if not discard_tree(row, by=actor_of(request)):
        return messages.ERROR, gettext("Only a tree that has stopped can be discarded. Stop it first.")
    messages.success(request, gettext("Discarded."))
    return HttpResponseRedirect(reverse("admin:monitoring_familytree_changelist"))


ACTIONS: Mapping[str, Callable[[HttpRequest, FamilyTree], Outcome]] = {
    "stop": _stop,
    "resume": _resume,
    "discard": _discard,
}


@admin.register(FamilyTree)
class FamilyTreeAdmin(RowActions, ReadOnlyAdmin):
    row_actions = ACTIONS
    list_display = ("name", "status", "progress", "requested_by", "when")
    list_filter = (
        choice_filter("state", TreeState.choices, _("state")),
        choice_filter("kind", TreeKind.choices, _("type")),
    )
    ordering = ("-requested_at",)
    sortable_by = ()
    list_before_template = "monitoring/family_tree/bar.html"
    page_template = "monitoring/family_tree/fetch.html"
    empty_title = _("No family trees yet")
    empty_text = _("Open a company, select “Ownership”, and fetch its upward chain or its family tree.")
    empty_template = "monitoring/company_page/choose_company.html"

    def get_urls(self) -> list[URLPattern]:
        request_view = self.admin_site.admin_view(request_page)
        return [path("request/", request_view, name="monitoring_familytree_request"), *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("contract")

    @admin.display(description=_("Family tree"))
    def name(self, row: FamilyTree) -> str:
        return str(row)

    @admin.display(description=_("State"))
    def status(self, row: FamilyTree) -> SafeString:
        return badge(row.get_state_display(), TONES[TreeState(row.state)], row.reason)

    @admin.display(description=_("Pages"))
    def progress(self, row: FamilyTree) -> str:
        return progress_text(row)

    @admin.display(description=_("Requested"))
    def when(self, row: FamilyTree) -> SafeString | str:
        return ago(row.requested_at)

    def may_act(self, request: HttpRequest, row: FamilyTree, action: str) -> bool:
        return may_fetch_trees(request)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> Any:
        if request.GET.get("part") != "live":
            return super().change_view(request, object_id, form_url, extra_context)
        row = self.object_or_404(request, object_id)
        context = self.page_context(request, row)
        return self.page(request, "monitoring/family_tree/live.html", title=str(row), row=row, **context)

    def page_context(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        may_act = self.may_act(request, row, "")
        resumes = may_act and may_resume(row)
        rival = rival_of(row) if resumes else None
        return {
            "tone": TONES[TreeState(row.state)],
            "progress": progress_text(row),
            "percent": f"{100 * row.pages_read / max(row.page_count or 1, 1):.1f}",
            "is_running": row.state == TreeState.RUNNING,
            "may_act": may_act,
            "may_discard": resumes,
            "rival": rival,
            "calls": planned_calls(row.contract, calls_to_resume(row)) if resumes and not rival else None,
        }


def progress_text(row: FamilyTree) -> str:
    words = {"read": counted(row.pages_read), "pages": counted(row.page_count or 0)}
    return gettext("%(read)s of %(pages)s") % words if row.page_count else words["read"]
