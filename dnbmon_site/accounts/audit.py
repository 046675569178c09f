"""Actions on users, roles and API keys are in the audit log like those on the portfolio."""

from __future__ import annotations

from typing import Any

from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from core.actors import actor_of
from core.admin.base import KeyedAdmin
from core.audit import record

SUMMARIES = {
    "added": _("%(kind)s %(thing)s added"),
    "changed": _("%(kind)s %(thing)s changed"),
    "deleted": _("%(kind)s %(thing)s deleted"),
    "rotated": _("%(kind)s %(thing)s rotated"),
    "revoked": _("%(kind)s %(thing)s revoked"),
}


def audit(request: HttpRequest, thing: Model, verb: str, message: Any = None) -> None:
    """The message names the changed fields, and holds no values."""
    kind = thing._meta.verbose_name or thing._meta.model_name
    record(
        actor=actor_of(request),
        action=f"{thing._meta.model_name}.{verb}",
        thing=thing,
        summary=SUMMARIES[verb] % {"kind": capfirst(str(kind)), "thing": thing},
        after={"changed": message} if message else None,
    )


class Audited(KeyedAdmin):
    def audit(self, request: HttpRequest, thing: Model, verb: str, message: Any = None) -> None:
        audit(request, thing, verb, message)

    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        self.audit(request, obj, "added")
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        self.audit(request, obj, "changed", message)
        return super().log_change(request, obj, message)

    def log_deletions(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
        for row in queryset:
            self.audit(request, row, "deleted")
        return super().log_deletions(request, queryset)
