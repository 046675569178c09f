"""To whom alerts may be assigned."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.db.models import Q
from django.utils.translation import gettext, ngettext

from core.actors import person_text
from core.db import in_batches
from core.text import counted
from core.visibility import scope_of, visible_to
from monitoring.alerts.rules import few
from monitoring.models import Alert

# Who may only view alerts can do nothing about one.
WORKS_ON_ALERTS = "acknowledge_alert"
NAMES = ("pk", "username", "first_name", "last_name")
RIGHTS = ("monitoring.view_alert", f"monitoring.{WORKS_ON_ALERTS}")


def working_on_alerts() -> Any:
    """Active users who may acknowledge alerts, by themselves or by a role."""
    return _permitted(WORKS_ON_ALERTS)


def viewing_alerts(actor: Any) -> Any:
    """Active users who may view alerts, as far as this one knows them."""
    return _known_to(actor, _permitted("view_alert"))


def assignable(actor: Any) -> Any:
    return _known_to(actor, working_on_alerts())


def not_offered_text(actor: Any, offered: Collection[Any], why: str) -> str:
    """The active users who cannot be chosen, and why; to a user of business units, only those whom they know."""
    keys = {person.pk for person in offered}
    people = _known_to(actor, get_user_model().objects.filter(is_active=True)).order_by("username").distinct()
    names = [person_text(person) for person in people.only(*NAMES) if person.pk not in keys]
    others = "" if scope_of(actor).sees_all else gettext("Users of other business units are not listed.")
    return " ".join(filter(None, [why % {"names": few(names)} if names else "", others]))


def _permitted(codename: str) -> Any:
    roles = Group.objects.filter(permissions__codename=codename)
    may = Q(is_superuser=True) | Q(groups__in=roles) | Q(user_permissions__codename=codename)
    return get_user_model().objects.filter(may, is_active=True).distinct().order_by("username")


def _known_to(actor: Any, people: Any) -> Any:
    """Those of one's own business units, and those who see everything."""
    scope = scope_of(actor)
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
