"""The inbox of alerts, and the page of one: what it means, what changed, why it was raised, what else changed."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from core import plurals
from core.actors import names_of, person_text
from core.admin.base import PageAdmin
from core.admin.filters import choice_filter
from core.admin.lists import ChosenList
from core.admin.row_actions import RowActions
from core.markup import ago, badge, exact, two_lines
from core.text import counted, moment_text
from core.visibility import Scope, scope_of, visible_to
from monitoring.alerts.admin.acts import ACTIONS
from monitoring.alerts.admin.bulk import ask_or_do
from monitoring.alerts.admin.filters import (
    MOST_PEOPLE,
    ONLY_SOME,
    AlertCountryFilter,
    AlertRegistrationFilter,
    AssigneeFilter,
    DueFilter,
    RaisedFilter,
    RuleFilter,
    StateFilter,
    people,
    with_people,
)
from monitoring.alerts.admin.neighbours import BY_DUE, FILTERS, neighbours_of
from monitoring.alerts.admin.search import find_alerts
from monitoring.alerts.auto_resolve import PROGRAM
from monitoring.alerts.facts.seen import as_seen_by, comments_seen_by
from monitoring.alerts.guidance import guidance_for, is_about_a_gone_company, with_proposal
from monitoring.alerts.new_company_summary import counts_by_rule
from monitoring.alerts.rules import few
from monitoring.alerts.workflow.inbox import is_overdue, is_snoozed
from monitoring.alerts.workflow.snooze import snooze_text
from monitoring.company_page.timeline import Line, lines_of, without_company
from monitoring.follows.mentionable import mentionable
from monitoring.follows.mentions import with_names
from monitoring.models import Alert, AlertItem, AlertKind, AlertState, Change, CloseReason, Severity
from monitoring.story_order import LATEST_FIRST
from portfolio.companies.columns import EXPOSURE_HEADING
from portfolio.companies.search import with_companies
from portfolio.exposure.money import amount_text, money_text
from portfolio.exposure.rates import exposure_settings
from portfolio.models import Registration
from portfolio.proposals.pending import pending_proposal

STATE_TONES = {AlertState.NEW: "bad", AlertState.ACKNOWLEDGED: "info", AlertState.CLOSED: "calm"}
MOST_FACTS = 50
LATELY = 12


@admin.register(Alert)
class AlertAdmin(RowActions, ChosenList, PageAdmin):
    list_display = ("severity_badge", "what", "company_name", "status", "person", "raised")
    usual_columns = ("severity", "title", "duns", "name", "exposure", "state", "assignee", "raised_at")
    cells = {
        **{"severity_badge": ("severity",), "what": ("title",), "company_name": ("duns", "name")},
        **{"at_stake": ("exposure",), "status": ("state",), "person": ("assignee",)},
        **{"due_cell": ("due_at",), "raised": ("raised_at",)},
    }
    list_display_links = ("what",)
    list_filter = (
        StateFilter,
        choice_filter("severity", Severity.choices[::-1], _("severity")),
        AlertCountryFilter,
        AlertRegistrationFilter,
        RaisedFilter,
        AssigneeFilter,
        DueFilter,
        RuleFilter,
        choice_filter("close_reason", CloseReason.choices, _("reason for closing")),
        choice_filter("kind", AlertKind.choices, _("type")),
    )
    search_fields = ("company",)
    search_help_text = _("D-U-N-S number, name, title or rule")
    # The most serious first.
    ordering = ("-severity", "-raised_at", "-id")
    sortable_by = ("severity_badge", "at_stake", "due_cell", "raised")
    largest_first = ("at_stake",)
    column_order = {"severity": "severity", "raised_at": "raised_at"}
    seen = staticmethod(as_seen_by)
    row_actions = ACTIONS
    actions = (
        *("acknowledge_selected", "take_selected", "assign_selected", "snooze_selected", "wake_selected"),
        *("close_selected", "open_selected"),
    )
    list_before_template = "monitoring/alerts/alerts_intro.html"
    page_template = "monitoring/alerts/alert.html"
    empty_title = _("No open alerts")
    empty_text = _(
        "Alerts appear here when a change matches an enabled alert rule. Use the state filter to see closed alerts."
    )

    # Rights: alerts are raised by rules; people handle them.
    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("monitoring.acknowledge_alert")

    # The list
    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        """Where all have a due date: the longest overdue first."""
        return BY_DUE if request.GET.get(DueFilter.parameter_name) else self.ordering

    def get_list_display(self, request: HttpRequest) -> Any:
        """With the money at stake for those who may see it. With due dates, by which the list can be sorted, where all
        have one: engines place those without one differently."""
        shown = super().get_list_display(request)
        if shown is not self.list_display:
            return shown
        money = ("at_stake",) if may_see_exposure(request) else ()
        due = ("due_cell",) if request.GET.get(DueFilter.parameter_name) else ()
        return (*shown[:3], *money, *shown[3:], *due)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        found = find_alerts(queryset, search_term, request.user) if search_term.strip() else queryset
        return found, False

    def complete_rows(self, rows: list[Alert]) -> None:
        with_people(rows)
        with_companies([row for row in rows if row.company_id])

    @admin.display(description=_("Severity"), ordering="severity")
    def severity_badge(self, row: Alert) -> SafeString:
        severity = Severity(row.severity)
        return badge(severity.label, severity.name.lower())

    @admin.display(description=_("Alert"))
    def what(self, row: Alert) -> SafeString:
        more = row.fact_count - 1 if row.kind == AlertKind.CHANGE else 0
        parts = [
            row.rule_name,
            ngettext("and %(count)s more change", "and %(count)s more changes", more) % {"count": counted(more)}
            if more > 0
            else "",
            row.reversal,
        ]
        title = without_company(row.title, row.company_id) if row.company_id else row.title
        return two_lines(title, " · ".join(filter(None, parts)))

    @admin.display(description=_("Company"))
    def company_name(self, row: Alert) -> SafeString | str:
        if not row.company_id or not row.company:
            # A title that is its rule's name hides the others' companies from this reader.
            is_counted = row.kind == AlertKind.BASELINE and row.total and row.title != row.rule_name
            return plurals.companies(row.total) if is_counted else ""
        address = reverse("admin:portfolio_company_change", args=[row.company_id])
        link = format_html('<a href="{}">{}</a>', address, row.company.name or gettext("Name not yet known"))
        return two_lines(link, row.company_id)

    @admin.display(description=_("State"))
    def status(self, row: Alert) -> SafeString:
        if is_snoozed(row):
            return badge(gettext("Snoozed"), "calm", snooze_text(row))
        state = AlertState(row.state)
        shown, due = badge(state.label, STATE_TONES[state], row.reopened_because), due_text(row)
        return format_html("{}<br><small>{}</small>", shown, due) if due else shown

    @admin.display(description=_("Due"), ordering="due_at")
    def due_cell(self, row: Alert) -> SafeString | str:
        return exact(row.due_at) if row.state != AlertState.CLOSED else ""

    @admin.display(description=_("Assignee"))
    def person(self, row: Alert) -> str:
        return person_text(row.assignee) if row.assignee else gettext("Unassigned")

    @admin.display(description=EXPOSURE_HEADING, ordering="exposure")
    def at_stake(self, row: Alert) -> str:
        return amount_text(row.exposure) if row.exposure else ""

    @admin.display(description=_("Raised"), ordering="raised_at")
    def raised(self, row: Alert) -> SafeString | str:
        """Old changes are raised today where their company's history arrives today."""
        changed = format_html(gettext("changed {}"), ago(row.happened_at))
        return two_lines(ago(row.raised_at), changed)

    @admin.action(description=_("Acknowledge"), permissions=["change"])
    def acknowledge_selected(self, request: HttpRequest, queryset: QuerySet[Alert]) -> HttpResponse | None:
        return ask_or_do(request, "acknowledge", queryset, self.get_queryset(request))

    @admin.action(description=_("Assign to me"), permissions=["change"])
    def take_selected(self, request: HttpRequest, queryset: QuerySet[Alert]) -> HttpResponse | None:
        return ask_or_do(request, "take", queryset, self.get_queryset(request))

    @admin.action(description=_("Assign"), permissions=["change"])
    def assign_selected(self, request: HttpRequest, queryset: QuerySet[Alert]) -> HttpResponse | None:
        return ask_or_do(request, "assign", queryset, self.get_queryset(request))

    @admin.action(description=_("Snooze"), permissions=["change"])
    def snooze_selected(self, request: HttpRequest, queryset: QuerySet[Alert]) -> HttpResponse | None:
        return ask_or_do(request, "snooze", queryset, self.get_queryset(request))

    @admin.action(description=_("End snooze"), permissions=["change"])
    def wake_selected(self, request: HttpRequest, queryset: QuerySet[Alert]) -> HttpResponse | None:
        return ask_or_do(request, "wake", queryset, self.get_queryset(request))

    @admin.action(description=_("Close"), permissions=["change"])
    def close_selected(self, request: HttpRequest, queryset: QuerySet[Alert]) -> HttpResponse | None:
        return ask_or_do(request, "close", queryset, self.get_queryset(request))

    @admin.action(description=_("Reopen"), permissions=["change"])
    def open_selected(self, request: HttpRequest, queryset: QuerySet[Alert]) -> HttpResponse | None:
        return ask_or_do(request, "reopen", queryset, self.get_queryset(request))

    # The page of one
    def do(self, request: HttpRequest, key: uuid.UUID | str, action: str) -> HttpResponse:
        """Back to the page in the list that it was opened from."""
        answer = super().do(request, key, action)
        if isinstance(answer, HttpResponseRedirect) and (filters := filters_of(request)):
            return HttpResponseRedirect(f"{answer.url}?{filters}")
        return answer

    def page_context(self, request: HttpRequest, row: Alert) -> dict[str, Any]:
        with_people([row])
        severity, state = Severity(row.severity), AlertState(row.state)
        items = AlertItem.objects.filter(alert=row).order_by("-severity", "changed_at", "place", "id")
        as_seen_by(request.user, [row])
        scope = scope_of(request.user)
        # Without others that reported something of it, the alert is as a whole the reader's.
        items = visible_to(scope, items) if row.audience else items
        facts = list(items[:MOST_FACTS])
        lines, lately = lines_of_alert(row, facts, scope)
        comments: list[Any] = comments_seen_by(scope, [row])
        gone = row.company_id if is_about_a_gone_company(facts) else ""
        pending = pending_proposal(gone, request.user) if gone else None
        guidance = guidance_for(row, row.rule, facts)
        may_act = self.has_change_permission(request, row)
        assignees, mentioned = (people(request.user), mentionable(request.user, row)) if may_act else ([], [])
        return {
            "title": row.title,
            "told": without_company(row.title, row.company_id) if row.company_id else "",
            "severity": severity,
            "tone": severity.name.lower(),
            "state_tone": STATE_TONES[state],
            "snooze": snooze_text(row) if is_snoozed(row) else "",
            "is_overdue": is_overdue(row),
            "facts": [(fact, Severity(fact.severity).name.lower()) for fact in facts],
            "more_facts": max(row.fact_count - len(facts), 0),
            "more_companies": max(row.total - len({fact.company for fact in facts}), 0),
            "lines": lines,
            "guidance": with_proposal(guidance) if pending else guidance,
            "pending": pending,
            "neighbours": neighbours_of(self, request, row),
            "filters": filters_of(request),
            **names_on(row, comments),
            "by_rule": counts_by_rule(items) if row.kind == AlertKind.BASELINE else {},
            "registration": visible_to(scope, Registration.objects.filter(pk=row.registration_id)).first()
            if row.registration_id
            else None,
            "lately": lately,
            "exposure": exposure_text(row) if may_see_exposure(request) else "",
            "comments": comments,
            "may_act": may_act,
            "people": assignees,
            "mentionable": mentioned,
            **not_assignable(request.user, assignees, mentioned),
        }


def not_assignable(actor: Any, assignees: Sequence[Any], viewers: Sequence[Any]) -> dict[str, Any]:
    """Who works on alerts and does not see this one, and who sees it and may not work on it."""
    if max(len(assignees), len(viewers)) >= MOST_PEOPLE:
        return {"only_some_people": ONLY_SOME}
    able, seeing = {one.pk for one in assignees}, {actor.pk, *(one.pk for one in viewers)}
    names = [person_text(one) for one in viewers if one.pk not in able]
    words = gettext("Not listed, because their roles do not permit work on alerts: %(names)s.")
    return {"blind": able - seeing, "only_some_people": words % {"names": few(names)} if names else ""}


def names_on(row: Alert, comments: list[Any]) -> dict[str, str]:
    """Who did what on an alert's page, by full names."""
    said = (row.acknowledged_by, row.closed_by, row.assigned_by, row.snoozed_by)
    names = {**names_of([*said, *(one.by for one in comments)]), PROGRAM: "D&B Monitoring"}
    for one, words in zip(comments, with_names([one.text for one in comments]), strict=True):
        one.by, one.words = names.get(one.by, one.by), words
    acknowledged, closed, assigned, asleep = (names.get(name, name) for name in said)
    return {"acknowledged_by": acknowledged, "closed_by": closed, "assigned_by": assigned, "snoozed_by": asleep}


def due_text(row: Alert) -> SafeString | str:
    if row.due_at is None or row.state == AlertState.CLOSED:
        return ""
    if is_overdue(row):
        return badge(gettext("Overdue"), "bad", moment_text(row.due_at))
    return format_html(gettext("due {}"), ago(row.due_at))


def may_see_exposure(request: HttpRequest) -> bool:
    return request.user.has_perm("portfolio.view_exposure")


def exposure_text(row: Alert) -> str:
    return money_text(row.exposure, exposure_settings().reporting_currency) if row.exposure else ""


def filters_of(request: HttpRequest) -> str:
    """The list's filters as the page's address carries them."""
    return urlencode({FILTERS: request.GET[FILTERS]}) if request.GET.get(FILTERS) else ""


def lines_of_alert(row: Alert, facts: list[AlertItem], scope: Scope) -> tuple[list[Line], list[Line]]:
    """The alert's changes where they are still there, before and after; and what else changed lately, without noise."""
    rows = Change.objects.in_bulk([fact.change for fact in facts if fact.kind != "baseline"])
    own = [rows[fact.change] for fact in facts if fact.change in rows]
    recent = changed_lately(row, scope)
    with_companies([*own, *recent, *([row] if row.company_id else [])])
    lines = lines_of([*own, *recent])
    known = {fact.change for fact in facts}
    lately = [line for line in lines[len(own) :] if not line.is_small and line.change.pk not in known]
    return lines[: len(own)], lately[:LATELY]


def changed_lately(row: Alert, scope: Scope) -> list[Change]:
    """The company's last changes."""
    if not row.company_id:
        return []
    changes = visible_to(scope, Change.objects.filter(company=row.company_id, superseded=False))
    return list(changes.defer("derived_from").order_by(*LATEST_FIRST)[: LATELY * 4])
