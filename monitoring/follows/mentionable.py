"""Whom a comment on an alert or a note on a company can mention: the users who may view the one or the other."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.db.models import Q
from django.utils.translation import gettext

from core.bulk import has_sql
from core.visibility import scope_of
from monitoring.audiences import members_of
from monitoring.follows.mentions import MAY_COMMENT
from monitoring.follows.preferences import can_be_reached, preferences_of
from monitoring.models import Alert
from portfolio.models import Company, Subject, UnitRegistration

MOST = 200
VIEWS, VIEWS_COMPANIES = "view_alert", "view_company"
NAMES = ("pk", "username", "first_name", "last_name", "email", "timezone")
UNRESTRICTED = Q(sees_all=True) | Q(is_superuser=True)


def mentionable(actor: Any, alert: Alert) -> list[Any]:
    """The others, each with a `note` where no message reaches them or they cannot answer; to a business unit, those of
    no other unit."""
    found = _others(actor, _viewers(alert))
    _note_silent(found)
    return found


def mentionable_in_notes(actor: Any, company: Company) -> list[Any]:
    """The same of a company: of business units, those that hold it."""
    held = Subject.objects.filter(company=company, monitored_since__isnull=False, monitored_until=None)
    registrations = held.order_by().values_list("registration_id", flat=True)
    # Without SQL, a subquery would be made for each row.
    return _others(actor, _people(VIEWS_COMPANIES, registrations if has_sql() else list(registrations)))


def _others(actor: Any, people: Any) -> list[Any]:
    people = people.exclude(pk=actor.pk)
    scope = scope_of(actor)
    if not scope.sees_all:
        people = people.filter(UNRESTRICTED | Q(unit_rows__unit__in=scope.units))
    found = list(people.distinct().order_by("username").only(*NAMES)[:MOST])
    _note_unreached(found)
    return found


def _viewers(alert: Alert) -> Any:
    """As the visibility of alerts decides it for each of them, without asking for each."""
    others = frozenset().union(*members_of([alert.audience]).values())
    people = _people(VIEWS, sorted(others.union([alert.registration_id] if alert.registration_id else [])))
    # Of several units, one may have the registration and another one the rule.
    return people.filter(UNRESTRICTED | Q(unit_rows__unit=alert.unit)) if alert.unit else people


def _people(permission: str, registrations: Iterable[uuid.UUID]) -> Any:
    """With this permission, and all registrations or one of these."""
    units = UnitRegistration.objects.filter(registration__in=registrations).values("unit")
    people = get_user_model().objects.filter(_may(permission), is_active=True)
    return people.filter(UNRESTRICTED | Q(unit_rows__unit__in=units))


def _may(permission: str) -> Q:
    roles = Group.objects.filter(permissions__codename=permission)
    return Q(is_superuser=True) | Q(groups__in=roles) | Q(user_permissions__codename=permission)


def _note_unreached(people: list[Any]) -> None:
    """Who has an address is not asked about; without one, a channel may be chosen."""
    without = [person for person in people if not person.email]
    preferences = preferences_of(without) if without else {}
    for person in people:
        row = preferences.get(person.pk)
        person.note = gettext("no email address") if row and not row.paused_at and not can_be_reached(row) else ""


def _note_silent(people: list[Any]) -> None:
    """Before their name is chosen, not only after the comment is saved."""
    permission = MAY_COMMENT.partition(".")[-1]
    rows = get_user_model().objects.filter(_may(permission), pk__in=[person.pk for person in people])
    able = set(rows.values_list("pk", flat=True))
    for person in people:
        if person.pk not in able:
            person.note = ", ".join(filter(None, (gettext("cannot comment"), person.note)))
