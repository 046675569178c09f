"""Which users have to use two-step verification: those with a role that requires it.

The answer stands on each user's own row, which a request has at hand. It is brought up to date whenever roles, a
role's policy or the authenticator change, and at each login.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib.auth.models import Group
from django.contrib.auth.signals import user_logged_in
from django.db.models.signals import m2m_changed, post_delete

from dnbmon_site.accounts.models import RolePolicy, SecondFactor, SecondFactorState, User, UserGroup


def is_required(user: User) -> bool:
    roles = list(UserGroup.objects.filter(user=user).values_list("group", flat=True))
    return RolePolicy.objects.filter(role__in=roles, needs_second_factor=True).exists()


def note_state(user: User) -> None:
    """Write on the user's row what follows from the others."""
    state = SecondFactorState.OFF
    if SecondFactor.objects.filter(user=user).exists():
        state = SecondFactorState.ON
    elif is_required(user):
        state = SecondFactorState.DUE
    if user.second_factor != state:
        User.objects.filter(pk=user.pk).update(second_factor=state)
        user.second_factor = state


def require(role: Group, *, needs_second_factor: bool) -> None:
    """Of all users of the role, from their next request on."""
    RolePolicy.objects.update_or_create(role=role, defaults={"needs_second_factor": needs_second_factor})
    note_states(UserGroup.objects.filter(group=role).values_list("user", flat=True))


def note_states(keys: Iterable[Any]) -> None:
    for user in User.objects.filter(pk__in=list(keys)):
        note_state(user)


def roles_changed(sender: Any, instance: Any, action: str, pk_set: set[Any] | None, **kwargs: Any) -> None:
    """Whichever way they were given: by hand, by an invitation, by the identity provider."""
    if action in ("post_add", "post_remove", "post_clear"):
        note_states([instance.pk] if isinstance(instance, User) else pk_set or ())


def role_gone(sender: Any, instance: UserGroup, **kwargs: Any) -> None:
    """Also with a role that was deleted."""
    note_states([instance.user_id])


def logged_in(sender: Any, user: Any, **kwargs: Any) -> None:
    note_state(user)


def connect() -> None:
    m2m_changed.connect(roles_changed, sender=UserGroup, dispatch_uid="second_factor.roles")
    post_delete.connect(role_gone, sender=UserGroup, dispatch_uid="second_factor.role_gone")
    user_logged_in.connect(logged_in, dispatch_uid="second_factor.login")
