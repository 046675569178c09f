"""What a business unit sees of notifications, changes and alerts: what one of its registrations reported."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from django.db.models import OuterRef, Q, QuerySet, Subquery

from core.bulk import has_sql
from core.visibility import Scope, of_parts, scope_of, visibility_rule
from monitoring.audiences import audiences_of
from monitoring.models import (
    Alert,
    AlertItem,
    AlertRule,
    Change,
    Channel,
    DailyStat,
    DailyTotal,
    Decision,
    FetchedCompany,
    FigureMonth,
    Notification,
    Observation,
    OutboxMessage,
    Publication,
    ReportSchedule,
    Review,
    ScheduledExport,
    ScoreChange,
    Verb,
    WebhookEndpoint,
)
from portfolio.visibility import held_companies

OWN = ("registration_id", "notification_id", "delivery_id", "delivered_at", "recorded_at")


def reported_to(scope: Scope) -> tuple[Q, ...]:
    """What a registration of the scope reported first, and what it reported later."""
    own = sorted(scope.registrations)
    # Of one registration in the order of its index.
    first = Q(registration=own[0]) if len(own) == 1 else Q(registration__in=own)
    shared = audiences_of(scope)
    later = Q(audience__in=shared) & ~Q(registration__in=own)
    return (first, later) if shared else (first,)


@visibility_rule(Alert)
def alerts(scope: Scope, rows: QuerySet[Alert]) -> QuerySet[Alert]:
    """Also those of rules that belong to no unit; not those of another unit's rules."""
    return reported(scope, rows).filter(Q(unit="") | Q(unit__in=scope.units))  # type: ignore[no-any-return]


@visibility_rule(AlertItem)
def alert_items(scope: Scope, rows: QuerySet[AlertItem]) -> QuerySet[AlertItem]:
    """Those of changes that the scope shows."""
    if not has_sql():
        # A subquery would be made for each row there is.
        keys = set(rows.order_by().values_list("change", flat=True))
        seen = reported(scope, Change.objects.filter(pk__in=list(keys))).values_list("pk", flat=True)
        return rows.filter(change__in=list(seen))
    # Compared and not asked whether it exists: PostgreSQL makes a join of that, and reads all changes of a registration
    # for each row where its statistics do not know the registration yet.
    seen = reported(scope, Change.objects.filter(pk=OuterRef("change"))).values("pk")
    return rows.filter(change=Subquery(seen))


@visibility_rule(Change, DailyStat, DailyTotal)
def reported(scope: Scope, rows: Any) -> Any:
    """Counts are split by who reported what they count: a unit's rows count each change once."""
    return of_parts(rows, *reported_to(scope)) if scope.registrations else rows.none()


@visibility_rule(FetchedCompany, Notification, Observation, Publication, ScoreChange)
def of_registrations(scope: Scope, rows: Any) -> Any:
    own = sorted(scope.registrations)
    return rows.filter(registration=own[0]) if len(own) == 1 else rows.filter(registration__in=own)


@visibility_rule(FigureMonth, Decision, Review)
def of_held_companies(scope: Scope, rows: Any) -> Any:
    """Shared by all units that hold the company. What a decision froze is cut when it is shown (`known_to`)."""
    return rows.filter(company__in=held_companies(scope))


@visibility_rule(AlertRule, Channel, ReportSchedule, ScheduledExport, WebhookEndpoint)
def of_units(scope: Scope, rows: Any) -> Any:
    return rows.filter(unit__in=scope.units)


@visibility_rule(OutboxMessage)
def messages(scope: Scope, rows: QuerySet[OutboxMessage]) -> QuerySet[OutboxMessage]:
    """Those to the channels and webhooks of the units."""
    targets: tuple[Any, ...] = (Channel.objects.all(), WebhookEndpoint.objects.all())
    keys = [key for found in targets for key in of_units(scope, found).values_list("pk", flat=True)]
    return rows.filter(target__in=keys)


def as_reported_to(actor: Any, changes: Sequence[Change]) -> None:
    """Of changes that another unit's registration reported first: the registration, the notification and the times of
    one's own registration's first report, to be shown instead. Nothing of it is saved."""
    scope = scope_of(actor)
    others = (
        {} if scope.sees_all else {row.pk: row for row in changes if row.registration_id not in scope.registrations}
    )
    if not others:
        return
    own = scope.registrations
    found: dict[uuid.UUID, tuple[Any, ...]] = {
        row.change_id: (row.registration_id, row.notification_id, row.delivery_id, row.observed_at, row.recorded_at)
        for row in Observation.objects.filter(
            change__in=list(others), registration__in=own, verb=Verb.OBSERVED
        ).order_by("-recorded_at", "-id")
    }
    for row in Change.objects.filter(replaced_by__in=list(others), registration__in=own).order_by("-id"):
        if row.replaced_by:
            seen = (row.registration_id, row.notification_id, row.delivery_id, row.delivered_at, row.recorded_at)
            found.setdefault(row.replaced_by, seen)
    for key, values in found.items():
        for name, value in zip(OWN, values, strict=True):
            setattr(others[key], name, value)
        # The documents that were compared are another unit's.
        others[key].derived_from = ""
