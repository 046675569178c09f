"""Whom a comment on an alert can mention: the users who may view the alert."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.db.models import Q
from django.utils.translation import gettext

from core.visibility import scope_of
from monitoring.audiences import members_of
from monitoring.follows.preferences import can_be_reached, preferences_of
from monitoring.models import Alert
from portfolio.models import UnitRegistration

MOST = 200
VIEWS = "view_alert"
NAMES = ("pk", "username", "first_name", "last_name", "email", "timezone")
UNRESTRICTED = Q(sees_all=True) | Q(is_superuser=True)


def mentionable(actor: Any, alert: Alert) -> list[Any]:
    """The others, each with a `note` where no message reaches them; to a business unit, those of no other unit."""
    people = _viewers(alert).exclude(pk=actor.pk)
    scope = scope_of(actor)
    if not scope.sees_all:
        people = people.filter(UNRESTRICTED | Q(unit_rows__unit__in=scope.units))
    found = list(people.distinct().order_by("username").only(*NAMES)[:MOST])
    _note_unreached(found)
    return found


def _viewers(alert: Alert) -> Any:
    """As the visibility of alerts decides it for each of them, without asking for each."""
    roles = Group.objects.filter(permissions__codename=VIEWS)
    may = Q(is_superuser=True) | Q(groups__in=roles) | Q(user_permissions__codename=VIEWS)
    others = frozenset().union(*members_of([alert.audience]).values())
    reporters = sorted(others.union([alert.registration_id] if alert.registration_id else []))
    units = UnitRegistration.objects.filter(registration__in=reporters).values("unit")
    people = get_user_model().objects.filter(may, is_active=True).filter(UNRESTRICTED | Q(unit_rows__unit__in=units))
    # Of several units, one may have the registration and another one the rule.
    return people.filter(UNRESTRICTED | Q(unit_rows__unit=alert.unit)) if alert.unit else people


def _note_unreached(people: list[Any]) -> None:
    """Who has an address is not asked about; without one, a channel may be chosen."""
    without = [person for person in people if not person.email]
    preferences = preferences_of(without) if without else {}
    for person in people:
        row = preferences.get(person.pk)
        person.note = gettext("no email address") if row and not row.paused_at and not can_be_reached(row) else ""
