"""To whom alerts may be assigned."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.db.models import Q
from django.utils.translation import gettext, ngettext

from core.actors import person_text
from core.db import in_batches
from core.text import counted
from core.visibility import scope_of, visible_to
from monitoring.models import Alert

# Who may only view alerts can do nothing about one.
WORKS_ON_ALERTS = "acknowledge_alert"
RIGHTS = ("monitoring.view_alert", f"monitoring.{WORKS_ON_ALERTS}")


def working_on_alerts() -> Any:
    """Active users who may acknowledge alerts, by themselves or by a role."""
    roles = Group.objects.filter(permissions__codename=WORKS_ON_ALERTS)
    may = Q(is_superuser=True) | Q(groups__in=roles) | Q(user_permissions__codename=WORKS_ON_ALERTS)
    return get_user_model().objects.filter(may, is_active=True).distinct().order_by("username")


def assignable(actor: Any) -> Any:
    """Those of one's own business units, and those who see everything."""
    people, scope = working_on_alerts(), scope_of(actor)
    if not scope.sees_all:
        sees_all = Q(sees_all=True) | Q(is_superuser=True)
        people = people.filter(sees_all | Q(unit_rows__unit__in=scope.units))
    return people


def may_receive(person: Any, alerts: Sequence[uuid.UUID]) -> bool:
    return bool(person.is_active and not why_not(person, alerts))


def why_not(person: Any, alerts: Sequence[uuid.UUID]) -> str:
    """Why these alerts cannot be assigned to somebody, in a sentence; nothing if they can."""
    if not person.has_perms(RIGHTS):
        words = gettext(
            "%(person)s is not permitted to work on alerts. Choose another assignee, or assign a role first."
        )
        return words % {"person": person_text(person)}
    hidden = 0 if scope_of(person).sees_all else len(alerts) - _count_seen(person, alerts)
    words = ngettext(
        "%(person)s cannot see %(count)s of these alerts, which no registration of their business units reported."
        " Choose another assignee.",
        "%(person)s cannot see %(count)s of these alerts, which no registration of their business units reported."
        " Choose another assignee.",
        hidden,
    )
    return words % {"person": person_text(person), "count": counted(hidden)} if hidden else ""


def _count_seen(person: Any, alerts: Sequence[uuid.UUID]) -> int:
    rows = visible_to(person, Alert.objects.all())
    return sum(rows.filter(pk__in=batch).count() for batch in in_batches(alerts))
