"""Users' permissions, read in one query; and limits to editing users and roles: no one gives permissions beyond their
own, or changes their own."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import BaseBackend, ModelBackend
from django.contrib.auth.models import Group, Permission
from django.db.models import Model

from core.bulk import has_sql
from dnbmon_site.accounts.models import User, UserGroup, UserPermission


class InOneQuery(BaseBackend):
    """Each page asks for the permissions of the user and of the roles; Django reads them one after the other."""

    def get_all_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        is_usual = user_obj.is_active and not user_obj.is_anonymous and not user_obj.is_superuser and obj is None
        if not has_sql() or not is_usual:
            return super().get_all_permissions(user_obj, obj)
        if not hasattr(user_obj, "_perm_cache"):
            user_obj._perm_cache = names_of_permissions(user_obj)
        found: set[str] = user_obj._perm_cache
        return found


class Passwords(InOneQuery, ModelBackend):
    """Local login."""


def names_of_permissions(user: User) -> set[str]:
    by_hand: Any = UserPermission.objects.filter(user=user).values("permission")
    groups = UserGroup.objects.filter(user=user).values("group")
    by_role: Any = Group.permissions.through.objects.filter(group__in=groups).values("permission")
    own, of_roles = (
        Permission.objects.filter(pk__in=keys).order_by().values_list("content_type__app_label", "codename")
        for keys in (by_hand, by_role)
    )
    return {f"{app}.{name}" for app, name in own.union(of_roles)}


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
