"""The inbox's filters, and the people that an alert can be assigned to."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

from django.contrib.admin.views.main import PAGE_VAR
from django.contrib.auth import get_user_model
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import DropdownFilter

from core.actors import person_text
from core.admin.chips import Chip
from core.admin.filters import CountryFilter, DaysFilter, start_of
from core.visibility import is_restricted, scope_of
from monitoring.alerts.admin.rule_filters import visible_rules
from monitoring.alerts.workflow.assignees import (
    NAMES,
    assignable,
    not_offered_text,
    viewing_alerts,
    working_on_alerts,
)
from monitoring.alerts.workflow.inbox import OPEN, awake, in_inbox, overdue, snoozed
from monitoring.models import Alert, AlertRule, AlertState
from monitoring.reports.alert_section import raised_between
from portfolio.billing.contract_year import LISTED
from portfolio.models import Subject
from portfolio.registrations.filters import RegistrationFilter

MOST_PEOPLE = 200
ONLY_SOME = _(
    "Only the first 200 users are listed. Other users can assign alerts to themselves, and the API takes any username."
)
SNOOZED = "snoozed"


class StateFilter(DropdownFilter):  # type: ignore[misc]
    """Without a choice the inbox holds what is open. Snoozed alerts stand apart, so each alert is in one of them."""

    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [*AlertState.choices, (SNOOZED, gettext("Snoozed")), ("all", gettext("All"))]

    def __init__(self, request: HttpRequest, params: dict[str, Any], model: Any, model_admin: Any) -> None:
        super().__init__(request, params, model, model_admin)
        rest = request.GET.copy()
        rest[self.parameter_name] = "all"
        rest.pop(PAGE_VAR, None)
        self.everything = f"?{rest.urlencode(safe=',')}"

    @property
    def opening_chips(self) -> list[Chip]:
        """Closed alerts are left out before anything is filtered."""
        return [] if self.value() else [Chip(self.title, gettext("Open"), self.everything)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        if value in OPEN:
            return queryset.filter(awake(), state=value)
        if value in (AlertState.CLOSED, "all"):
            return queryset if value == "all" else queryset.filter(state=value)
        return queryset.filter(snoozed() if value == SNOOZED else in_inbox())


class DueFilter(DropdownFilter):  # type: ignore[misc]
    """Of open alerts: closed ones are due no longer."""

    title = _("due")
    parameter_name = "due"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("overdue", gettext("Overdue")), ("today", gettext("Until today")), ("any", gettext("With a due date"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        if value == "overdue":
            return queryset.filter(overdue())
        if value == "today":
            tomorrow = start_of((timezone.localdate() + timedelta(days=1)).isoformat())
            return queryset.filter(state__in=OPEN, due_at__lt=tomorrow)
        return queryset.filter(state__in=OPEN, due_at__isnull=False) if value else queryset


class AssigneeFilter(DropdownFilter):  # type: ignore[misc]
    title = _("assignee")
    parameter_name = "assignee"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [
            ("me", gettext("Assigned to me")),
            ("nobody", gettext("Unassigned")),
            *((str(person.pk), person_text(person)) for person in people(request.user)),
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
        rules = visible_rules(request, AlertRule.objects.order_by("name"))
        return [(str(key), name) for key, name in rules.values_list("pk", "name")[:200]]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        key = key_of(self.value() or "")
        return queryset.filter(rule=key) if key else queryset


class AlertCountryFilter(CountryFilter):
    field = "company__country"


class AlertRegistrationFilter(RegistrationFilter):
    """Alerts about companies that the registration requests or monitors, and about the registration itself."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        key = key_of(self.value() or "")
        if key is None:
            return queryset
        if is_restricted(request.user) and key not in scope_of(request.user).registrations:
            return queryset.none()
        inside = Subject.objects.filter(Q(requested=True) | Q(state__in=LISTED), registration=key)
        return queryset.filter(Q(registration=key) | Q(company__in=inside.values("company")))


class RaisedFilter(DaysFilter):
    title = _("raised")
    parameter_name = "raised"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        last = self.last_day()
        found: QuerySet[Any] = raised_between(queryset, self.first_day(), last + timedelta(days=1) if last else None)
        return found


def key_of(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def people(actor: Any) -> list[Any]:
    """Those to whom alerts may be assigned, as far as a list can show them."""
    return list(assignable(actor).only(*NAMES)[:MOST_PEOPLE])


def notifiable(actor: Any) -> dict[str, Any]:
    """For the form of a rule: the users whom it can notify, and why others are missing."""
    found = list(viewing_alerts(actor).only(*NAMES)[:MOST_PEOPLE])
    why = gettext("Not listed, because their roles do not permit viewing alerts: %(names)s.")
    missing = {"notify_users": not_offered_text(actor, found, why), "escalate_to": not_assignable_text(actor)}
    return {"people": found, "not_offered": missing}


def not_assignable_text(actor: Any) -> str:
    why = gettext("Not listed, because their roles do not permit work on alerts: %(names)s.")
    return not_offered_text(actor, list(assignable(actor).only("pk")), why)


class ChoosesUsers:
    """For the admin of rows that name a user in their form (before other bases): one who may work on alerts."""

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.related_model is get_user_model():
            kwargs["queryset"] = working_on_alerts()
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)  # type: ignore[misc]
        if db_field.related_model is get_user_model():
            field.help_text = " ".join(filter(None, [str(field.help_text), not_assignable_text(request.user)]))
        return field


def with_people(rows: list[Alert]) -> None:
    """Their assignees in one query."""
    keys = {row.assignee_id for row in rows if row.assignee_id}
    known = get_user_model().objects.only(*NAMES).in_bulk(list(keys)) if keys else {}
    for row in rows:
        row.assignee = known.get(row.assignee_id) if row.assignee_id else None
