"""Permissions in the words of the pages: “Alert rules: change”, “Imports: confirm imports”."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.db.models import Q, QuerySet
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from dnbmon_site.accounts.roles import ADMINISTERED, HIDDEN

ACTIONS = {"view": _("view"), "add": _("add"), "change": _("change"), "delete": _("delete")}


def permission_name(permission: Permission) -> str:
    kind = ContentType.objects.get_for_id(permission.content_type_id)
    model: Any = kind.model_class()
    things = capfirst(str(model._meta.verbose_name_plural)) if model else kind.model
    action, _sep, rest = permission.codename.partition("_")
    known = ACTIONS.get(action) if rest == kind.model else None
    words = str(known) if known else permission.name.removeprefix("Can ")
    return gettext("%(things)s: %(action)s") % {"things": things, "action": words}


def offered_permissions(role: Group) -> QuerySet[Permission]:
    """Those that open or change a page, and what the role has beside them."""
    pages = Q(content_type__app_label__in=ADMINISTERED) & ~Q(content_type__model__in=HIDDEN)
    own = role.permissions.values_list("pk", flat=True) if role.pk else ()
    return Permission.objects.filter(pages | Q(pk__in=list(own)))


# Also where a role is only shown; Django's name the app and the model as its developers do.
Permission.__str__ = permission_name  # type: ignore[assignment, method-assign]
