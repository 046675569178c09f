"""Limits to editing users and roles: no one gives permissions beyond their own, or changes their own."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Group, Permission
from django.db.models import Model

from dnbmon_site.accounts.models import User, UserGroup, UserPermission


def rights_of(thing: User | Group) -> set[Any]:
    """By key. Also those of a deactivated user, who may be activated again."""
    if isinstance(thing, Group):
        return set(thing.permissions.values_list("pk", flat=True))
    groups = list(UserGroup.objects.filter(user=thing).values_list("group", flat=True))
    by_role = Permission.objects.filter(group__in=groups).values_list("pk", flat=True)
    by_hand = UserPermission.objects.filter(user=thing).values_list("permission", flat=True)
    return {*by_role, *by_hand}


def may_touch(actor: Any, thing: Model) -> bool:
    """Whether this user or role has only permissions of the actor; a role must not be the actor's own either."""
    if actor.is_superuser or not isinstance(thing, User | Group):
        return True
    if isinstance(thing, User) and thing.is_superuser:
        return False
    if isinstance(thing, Group) and UserGroup.objects.filter(user=actor.pk, group=thing).exists():
        return False
    return rights_of(thing) <= rights_of(actor)


def beyond(actor: Any, roles: list[Group]) -> list[Group]:
    """Those of these roles with a permission that the actor lacks."""
    own = set() if actor.is_superuser else rights_of(actor)
    return [] if actor.is_superuser else [role for role in roles if not rights_of(role) <= own]
