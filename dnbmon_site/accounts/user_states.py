"""The state of a user account, in a word: Active, Invited, Deactivated or Blocked."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Sequence

from axes.models import AccessAttempt
from django.conf import settings
from django.db.models import Max, Sum
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from core.actors import is_invited
from core.markup import badge
from core.text import ago
from dnbmon_site.accounts.lockout import WIDER
from dnbmon_site.accounts.models import User, UserGroup


def locked_among(users: Iterable[User]) -> frozenset[str]:
    """The usernames of those who failed to sign in too often, in one query."""
    recent = AccessAttempt.objects.filter(
        username__in=[user.username for user in users],
        attempt_time__gte=timezone.now() - settings.AXES_COOLOFF_TIME,
    )
    rows = (
        recent.order_by()
        .values("username")
        .annotate(most=Max("failures_since_start"), total=Sum("failures_since_start"))
    )
    limit = settings.AXES_FAILURE_LIMIT
    return frozenset(row["username"] for row in rows if row["most"] >= limit or row["total"] >= limit * WIDER)


def role_names(users: Sequence[User]) -> dict[uuid.UUID, list[str]]:
    """By user, sorted. Django's own prefetch cannot read keys of ours in the join."""
    found: dict[uuid.UUID, list[str]] = defaultdict(list)
    rows = UserGroup.objects.filter(user__in=[user.pk for user in users]).select_related("group")
    for row in sorted(rows, key=lambda row: row.group.name):
        found[row.user_id].append(row.group.name)
    return found


def state_badge(user: User, *, is_locked: bool) -> SafeString:
    if not user.is_active:
        return badge(gettext("Deactivated"), "calm", gettext("This user cannot sign in."))
    if is_locked:
        return badge(gettext("Blocked"), "bad", gettext("Too many failed logins. Unblock under “Blocked logins”."))
    if is_invited(user) and user.invited_at:
        invited = gettext("Invited %(when)s. This user has not signed in yet.") % {"when": ago(user.invited_at)}
        return badge(gettext("Invited"), "info", invited)
    return badge(gettext("Active"), "good")
