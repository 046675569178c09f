"""Permissions in the words of the pages: “Alert rules: change”, “Imports: confirm imports”."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.db.models import Q, QuerySet
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from dnbmon_site.accounts.roles import ADMINISTERED, HIDDEN

# Rows of other packages that no page shows.
UNUSED = ("accessattemptexpiration", "accessfailurelog")
ACTIONS = {"view": _("view"), "add": _("add"), "change": _("change"), "delete": _("delete")}


def permission_name(permission: Permission) -> str:
    things, action = _words(permission)
    return gettext("%(things)s: %(action)s") % {"things": things, "action": action}


def grouped(permissions: Iterable[Permission]) -> list[tuple[str, list[tuple[Any, str]]]]:
    """For check boxes: the actions of each kind of rows."""
    found: dict[str, list[tuple[Any, str]]] = {}
    for permission in sorted(permissions, key=_place):
        things, action = _words(permission)
        found.setdefault(things, []).append((permission.pk, capfirst(action)))
    return sorted(found.items(), key=lambda one: one[0].casefold())


def _place(permission: Permission) -> tuple[int, str]:
    """“View” first, which the others need, and what only this kind of rows has last."""
    action = permission.codename.partition("_")[0]
    return [*ACTIONS, action].index(action), permission.name


def _words(permission: Permission) -> tuple[str, str]:
    kind = ContentType.objects.get_for_id(permission.content_type_id)
    model: Any = kind.model_class()
    things = capfirst(str(model._meta.verbose_name_plural)) if model else kind.model
    action, _sep, rest = permission.codename.partition("_")
    known = ACTIONS.get(action) if rest == kind.model else None
    return things, str(known) if known else permission.name.removeprefix("Can ")


def offered_permissions(role: Group) -> QuerySet[Permission]:
    """Those that open or change a page, and what the role has beside them."""
    pages = Q(content_type__app_label__in=ADMINISTERED) & ~Q(content_type__model__in=(*HIDDEN, *UNUSED))
    own = role.permissions.values_list("pk", flat=True) if role.pk else ()
    return Permission.objects.filter(pages | Q(pk__in=list(own)))


# Also where a role is only shown; Django's name the app and the model as its developers do.
Permission.__str__ = permission_name  # type: ignore[assignment, method-assign]
