"""Actions on users, roles and API keys are in the audit log like those on the portfolio."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.actors import actor_of
from core.admin.base import KeyedAdmin
from core.audit import plain, record

SUMMARIES = {
    "added": _("%(kind)s %(thing)s added"),
    "changed": _("%(kind)s %(thing)s changed"),
    "deleted": _("%(kind)s %(thing)s deleted"),
}


# Never written down, whatever a form holds.
SECRET = ("password", "secret", "token")


@dataclass(frozen=True, slots=True)
class Edit:
    """What a form changed: labels, and values as people read them."""

    labels: tuple[str, ...] = ()
    before: Mapping[str, Any] = field(default_factory=dict)
    after: Mapping[str, Any] = field(default_factory=dict)


def audit(request: HttpRequest, thing: Model, verb: str, edit: Edit | None = None) -> None:
    kind = capfirst(str(thing._meta.verbose_name or thing._meta.model_name))
    fields = ", ".join(edit.labels if edit else ())
    summary = summary_of(verb, edit) % {"kind": kind, "thing": thing, "fields": fields}
    record(
        actor=actor_of(request),
        action=f"{thing._meta.model_name}.{verb}",
        thing=thing,
        summary=summary,
        before=edit.before if edit else None,
        after=edit.after if edit else None,
    )


class Audited(KeyedAdmin):
    def audit(self, request: HttpRequest, thing: Model, verb: str, edit: Edit | None = None) -> None:
        audit(request, thing, verb, edit)

    def construct_change_message(self, request: HttpRequest, form: Any, formsets: Any, add: bool = False) -> Any:
        """Django passes the form no further than here."""
        request.audited_edit = edit_of(form)  # type: ignore[attr-defined]
        return super().construct_change_message(request, form, formsets, add)

    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        edit: Edit = getattr(request, "audited_edit", Edit())
        self.audit(request, obj, "added", Edit(edit.labels, after=edit.after))
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        self.audit(request, obj, "changed", getattr(request, "audited_edit", None))
        return super().log_change(request, obj, message)

    def log_deletions(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
        for row in queryset:
            form = self.get_form(request, row, change=True)(instance=row)
            self.audit(request, row, "deleted", Edit(before=contents_of(form)))
        return super().log_deletions(request, queryset)


def summary_of(verb: str, edit: Edit | None) -> str:
    if verb != "changed" or edit is None or not edit.labels:
        return str(SUMMARIES[verb])
    if [*edit.after] == ["is_active"]:
        is_active = edit.after["is_active"]
        return gettext("%(kind)s %(thing)s activated") if is_active else gettext("%(kind)s %(thing)s deactivated")
    return gettext("%(kind)s %(thing)s changed: %(fields)s")


def edit_of(form: Any) -> Edit:
    names = [name for name in form.changed_data if name in form.fields]
    shown = [name for name in names if not any(word in name for word in SECRET)]
    return Edit(
        tuple(str(form[name].label) for name in names),
        {name: plain(form.fields[name], form[name].initial) for name in shown},
        {name: plain(form.fields[name], form.cleaned_data.get(name)) for name in shown},
    )


def contents_of(form: Any) -> dict[str, Any]:
    """All that a form shows before anything is changed, as `edit_of` writes it down."""
    shown = [name for name in form.fields if not any(word in name for word in SECRET)]
    values = {name: plain(form.fields[name], form[name].initial) for name in shown}
    return {name: value for name, value in values.items() if value not in (None, "", [])}
