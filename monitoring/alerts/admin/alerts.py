"""The inbox of alerts, and the page of one: what changed, why it was raised, what else changed lately."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from django.contrib import admin, messages
from django.contrib.auth import get_user_model
from django.db.models import QuerySet
from django.http import Http404, HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import DropdownFilter

from core.admin.base import PageAdmin
from core.admin.filters import choice_filter
from core.admin.lists import ChosenList
from core.admin.row_actions import RowAction, RowActions
from core.markup import ago, badge, two_lines
from core.text import counted
from monitoring.alerts.actions import acknowledge, assign, close, comment, open_again
from monitoring.alerts.new_company_summary import counts_by_rule
from monitoring.alerts.routing import open_channels_of
from monitoring.company_page.timeline import Line, lines_of
from monitoring.jobs import have_it_sent
from monitoring.models import Alert, AlertComment, AlertItem, AlertKind, AlertRule, AlertState, Change, Severity
from monitoring.outbox.permitted_addresses import unconfirmed_addresses, waits_for
from monitoring.story_order import LATEST_FIRST
from portfolio.companies.search import of_companies, with_companies
from portfolio.models import Registration

STATE_TONES = {AlertState.NEW: "bad", AlertState.ACKNOWLEDGED: "info", AlertState.CLOSED: "calm"}
MOST_FACTS = 50
LATELY = 12
MOST_PEOPLE = 200


class StateFilter(DropdownFilter):  # type: ignore[misc]
    """Without a choice the inbox holds what is open."""

    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [*AlertState.choices, ("all", gettext("All"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        if value in AlertState.values:
            return queryset.filter(state=value)
        return queryset if value == "all" else queryset.filter(state__in=(AlertState.NEW, AlertState.ACKNOWLEDGED))


class AssigneeFilter(DropdownFilter):  # type: ignore[misc]
    title = _("person")
    parameter_name = "assignee"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [
            ("me", gettext("Mine")),
            ("nobody", gettext("Nobody's")),
            *((str(person.pk), str(person)) for person in people()),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value() or ""
        if value == "nobody":
            return queryset.filter(assignee=None)
        key = request.user.pk if value == "me" else key_of(value)
        return queryset.filter(assignee=key) if key else queryset


class RuleFilter(DropdownFilter):  # type: ignore[misc]
    title = _("rule")
    parameter_name = "rule"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        rows = AlertRule.objects.order_by("name").values_list("pk", "name")[:200]
        return [(str(key), name) for key, name in rows]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        key = key_of(self.value() or "")
        return queryset.filter(rule=key) if key else queryset


def key_of(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def people() -> list[Any]:
    active = get_user_model().objects.filter(is_active=True)
    return list(active.only("pk", "username").order_by("username")[:MOST_PEOPLE])


def with_people(rows: list[Alert]) -> None:
    """Their assignees in one query."""
    keys = {row.assignee_id for row in rows if row.assignee_id}
    known = get_user_model().objects.only("pk", "username").in_bulk(list(keys)) if keys else {}
    for row in rows:
        row.assignee = known.get(row.assignee_id) if row.assignee_id else None


def _acknowledge(request: HttpRequest, row: Alert) -> str:
    acknowledge([row.pk], by=request.user.get_username())
    return gettext("Acknowledged.")


def _close(request: HttpRequest, row: Alert) -> str:
    close([row.pk], by=request.user.get_username())
    return gettext("Closed.")


def _open(request: HttpRequest, row: Alert) -> str:
    open_again([row.pk], by=request.user.get_username())
    return gettext("Opened again.")


def _comment(request: HttpRequest, row: Alert) -> str:
    written = comment(row.pk, by=request.user.get_username(), text=request.POST.get("text", ""))
    return gettext("Said.") if written else gettext("Nothing was written.")


def _assign(request: HttpRequest, row: Alert) -> tuple[int, str]:
    """To whom, and how they get to know of it: a level of message and its words."""
    text, by = request.POST.get("person", ""), request.user.get_username()
    key = key_of(text)
    person = get_user_model().objects.filter(pk=key, is_active=True).first() if key else None
    if text and person is None:
        raise Http404(gettext("There is no such person."))
    if person and not person.has_perm("monitoring.view_alert"):
        words = gettext("%(person)s may not see alerts: choose somebody else, or give %(person)s a role that may.")
        return messages.ERROR, words % {"person": person}
    assign([row.pk], to=person, by=by)
    have_it_sent()
    if person is None:
        return messages.SUCCESS, gettext("Assigned to nobody.")
    return _notified(person, by)


def _notified(person: Any, by: str) -> tuple[int, str]:
    if person.get_username() == by:
        return messages.SUCCESS, gettext("Assigned to you.")
    channels = open_channels_of(person)
    asked = unconfirmed_addresses(channels)
    if heard := [channel.display_address for channel in channels if channel.pk not in asked]:
        words = gettext("Assigned to %(person)s, who is notified: %(addresses)s.")
        return messages.SUCCESS, words % {"person": person, "addresses": ", ".join(heard)}
    if channels:
        words = gettext("Assigned to %(person)s, whom no message reaches yet. %(why)s It is on their front page.")
        why = waits_for([address for addresses in asked.values() for address in addresses])
        return messages.WARNING, words % {"person": person, "why": why}
    words = gettext(
        "Assigned to %(person)s, whom no message reaches: there is no mail address, and no channel that is switched on."
        " It is on their front page."
    )
    return messages.WARNING, words % {"person": person}


ACTIONS: Mapping[str, RowAction] = {
    "acknowledge": _acknowledge,
    "close": _close,
    "open": _open,
    "comment": _comment,
    "assign": _assign,
}


@admin.register(Alert)
class AlertAdmin(RowActions, ChosenList, PageAdmin):
    list_display = ("severity_badge", "what", "status", "person", "raised")
    list_display_links = ("what",)
    list_filter = (
        StateFilter,
        choice_filter("severity", Severity.choices[::-1], _("severity")),
        AssigneeFilter,
        RuleFilter,
        choice_filter("kind", AlertKind.choices, _("kind")),
    )
    search_fields = ("company",)
    search_help_text = _("A D-U-N-S number, or how the company's name begins")
    ordering = ("-raised_at", "-id")
    sortable_by = ()
    row_actions = ACTIONS
    actions = ("acknowledge_selected", "take_selected", "close_selected", "open_selected")
    page_template = "monitoring/alerts/alert.html"
    empty_title = _("Nothing is open")
    empty_text = _("What the alert rules take appears here by itself. Filters show what was closed.")

    # Rights: alerts are raised by rules; people handle them.
    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("monitoring.acknowledge_alert")

    # The list
    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        return (of_companies(queryset, search_term) if search_term.strip() else queryset), False

    def complete_rows(self, rows: list[Alert]) -> None:
        with_people(rows)

    @admin.display(description=_("Weight"))
    def severity_badge(self, row: Alert) -> SafeString:
        severity = Severity(row.severity)
        return badge(severity.label, severity.name.lower())

    @admin.display(description=_("What"))
    def what(self, row: Alert) -> SafeString:
        more = row.fact_count - 1 if row.kind == AlertKind.CHANGE else 0
        parts = [
            row.rule_name,
            ngettext("and %(count)s more change", "and %(count)s more changes", more) % {"count": counted(more)}
            if more > 0
            else "",
            row.reversal,
        ]
        return two_lines(row.title, " · ".join(filter(None, parts)))

    @admin.display(description=_("State"))
    def status(self, row: Alert) -> SafeString:
        state = AlertState(row.state)
        return badge(state.label, STATE_TONES[state])

    @admin.display(description=_("Person"))
    def person(self, row: Alert) -> str:
        return str(row.assignee or "")

    @admin.display(description=_("Raised"))
    def raised(self, row: Alert) -> SafeString | str:
        return ago(row.raised_at)

    @admin.action(description=_("Acknowledge"), permissions=["change"])
    def acknowledge_selected(self, request: HttpRequest, queryset: QuerySet[Alert]) -> None:
        count = acknowledge(keys_of(queryset), by=request.user.get_username())
        messages.success(
            request,
            ngettext("%(count)s alert acknowledged.", "%(count)s alerts acknowledged.", count)
            % {"count": counted(count)},
        )

    @admin.action(description=_("Assign to me"), permissions=["change"])
    def take_selected(self, request: HttpRequest, queryset: QuerySet[Alert]) -> None:
        count = assign(keys_of(queryset), to=request.user, by=request.user.get_username())
        messages.success(
            request,
            ngettext("%(count)s alert assigned to you.", "%(count)s alerts assigned to you.", count)
            % {"count": counted(count)},
        )

    @admin.action(description=_("Close"), permissions=["change"])
    def close_selected(self, request: HttpRequest, queryset: QuerySet[Alert]) -> None:
        count = close(keys_of(queryset), by=request.user.get_username())
        messages.success(
            request, ngettext("%(count)s alert closed.", "%(count)s alerts closed.", count) % {"count": counted(count)}
        )

    @admin.action(description=_("Open again"), permissions=["change"])
    def open_selected(self, request: HttpRequest, queryset: QuerySet[Alert]) -> None:
        count = open_again(keys_of(queryset), by=request.user.get_username())
        messages.success(
            request,
            ngettext("%(count)s alert opened again.", "%(count)s alerts opened again.", count)
            % {"count": counted(count)},
        )

    # The page of one
    def page_context(self, request: HttpRequest, row: Alert) -> dict[str, Any]:
        with_people([row])
        severity, state = Severity(row.severity), AlertState(row.state)
        facts = list(
            AlertItem.objects.filter(alert=row).order_by("-severity", "changed_at", "place", "id")[:MOST_FACTS]
        )
        lines, lately = lines_of_alert(row, facts)
        return {
            "title": row.title,
            "severity": severity,
            "tone": severity.name.lower(),
            "state_tone": STATE_TONES[state],
            "facts": facts,
            "more_facts": max(row.fact_count - len(facts), 0),
            "lines": lines,
            "by_rule": counts_by_rule(row.pk) if row.kind == AlertKind.BASELINE else {},
            "registration": Registration.objects.filter(pk=row.registration_id).first()
            if row.registration_id
            else None,
            "lately": lately,
            "comments": AlertComment.objects.filter(alert=row).order_by("id"),
            "may_act": self.has_change_permission(request, row),
            "people": people() if self.has_change_permission(request, row) else [],
        }


def keys_of(alerts: QuerySet[Alert]) -> list[uuid.UUID]:
    return list(alerts.values_list("pk", flat=True))


def lines_of_alert(row: Alert, facts: list[AlertItem]) -> tuple[list[Line], list[Line]]:
    """The alert's changes where they are still there, before and after; and what else changed lately, without noise."""
    rows = Change.objects.in_bulk([fact.change for fact in facts if fact.kind != "baseline"])
    own = [rows[fact.change] for fact in facts if fact.change in rows]
    recent = changed_lately(row)
    with_companies([*own, *recent, *([row] if row.company_id else [])])
    lines = lines_of([*own, *recent])
    known = {fact.change for fact in facts}
    lately = [line for line in lines[len(own) :] if not line.is_small and line.change.pk not in known]
    return lines[: len(own)], lately[:LATELY]


def changed_lately(row: Alert) -> list[Change]:
    """The company's last changes."""
    if not row.company_id:
        return []
    changes = Change.objects.filter(company=row.company_id, superseded=False)
    return list(changes.defer("derived_from").order_by(*LATEST_FIRST)[: LATELY * 4])
