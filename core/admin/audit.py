"""The audit log: who did what to which object, before and after. Read only, for all users."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import DropdownFilter

from core.admin.base import ReadOnlyAdmin
from core.admin.exports import ExportedList
from core.admin.filters import DaysFilter
from core.markup import ago, badge, exact
from core.models import AuditEntry
from core.text import counted

RECENT = 1000
SHOWN = 300
SYNONYMS = {
    "subjectimport": _("import"),
    "subject": _("monitored company"),
    "syncrun": _("sync"),
    "request": _("Requested"),
    "withdraw": _("No longer requested"),
    "duns": _("D-U-N-S numbers"),
}
APPS = ("core", "portfolio", "monitoring", "health", "accounts", "auth", "django_q")


class RecentFilter(DropdownFilter):  # type: ignore[misc]
    """The values of the latest entries, and the chosen one; matched by equality, which an index answers."""

    field = ""

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        recent = AuditEntry.objects.order_by("-id").values_list(self.field, flat=True)[:RECENT]
        chosen = request.GET.get(str(self.parameter_name), "")
        text = TEXTS.get(self.field, str)
        return [(value, text(value)) for value in sorted({*recent, chosen} - {""})]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        return queryset.filter(**{self.field: value}) if value else queryset


def recent_filter(name: str, title: str | Promise) -> type[RecentFilter]:
    return type(f"{name.title()}Filter", (RecentFilter,), {"field": name, "parameter_name": name, "title": title})


def words(value: str) -> str:
    return str(SYNONYMS.get(value, value))


def action_text(action: str) -> str:
    """ "Import upload" for "import.upload": the keys themselves are for filters and other systems."""
    return str(SYNONYMS.get(action) or capfirst(re.sub(r"[._-]", " ", action)))


def object_text(what: str) -> str:
    """The name of the model."""
    if what in SYNONYMS:
        return words(what)
    models = (apps.all_models[app][what] for app in APPS if what in apps.all_models[app])
    return next((str(model._meta.verbose_name) for model in models), what)


TEXTS: Mapping[str, Callable[[str], str]] = {"action": action_text, "what": object_text}


@admin.register(AuditEntry)
class AuditEntryAdmin(ExportedList, ReadOnlyAdmin):
    list_display = ("when", "who", "action_badge", "summary_text")
    list_filter = (
        recent_filter("actor", _("user")),
        recent_filter("action", _("action")),
        recent_filter("what", _("object")),
        DaysFilter,
    )
    ordering = ("-id",)
    sortable_by = ()
    page_template = "core/admin/audit_entry.html"
    empty_title = _("No audit entries yet")
    empty_text = _("Every change that users, API keys and jobs make is recorded here permanently.")

    def get_queryset(self, request: HttpRequest) -> Any:
        """Without the values before and after: they may be thousands of numbers. Only an entry shows them."""
        return super().get_queryset(request).defer("before", "after")

    @admin.display(description=_("Date"))
    def when(self, row: AuditEntry) -> SafeString | str:
        return ago(row.at)

    @admin.display(description=_("User"))
    def who(self, row: AuditEntry) -> str:
        return row.actor

    @admin.display(description=_("Description"))
    def summary_text(self, row: AuditEntry) -> str:
        return row.summary

    @admin.display(description=_("Action"))
    def action_badge(self, row: AuditEntry) -> SafeString:
        return badge(action_text(row.action), "calm", object_text(row.what))

    def page_context(self, request: HttpRequest, row: AuditEntry) -> dict[str, Any]:
        return {
            "title": row.summary[:100],
            "when": exact(row.at),
            "action": action_text(row.action),
            "thing": object_text(row.what),
            "link": link_to(row),
            "differences": list(differences(row)),
        }


def link_to(row: AuditEntry) -> str:
    """The page of the object; empty where it has none."""
    for app in ("core", "portfolio", "monitoring"):
        if row.what in apps.all_models[app]:
            try:
                return reverse(f"admin:{app}_{row.what}_change", args=[row.key])
            except NoReverseMatch:
                return ""
    return ""


def differences(row: AuditEntry) -> Iterator[tuple[str, str, str]]:
    """Name, before and after, of each field that either side has."""
    before, after = read(row.before), read(row.after)
    for name in dict.fromkeys([*before, *after]):
        yield words(name).replace("_", " "), value_text(before.get(name)), value_text(after.get(name))


def read(text: str) -> dict[str, Any]:
    value = json.loads(text) if text else {}
    return value if isinstance(value, dict) else {"": value}


def value_text(value: Any) -> str:
    if isinstance(value, list):
        more = gettext(" … and %(count)s more") % {"count": counted(len(value) - SHOWN)} if len(value) > SHOWN else ""
        return ", ".join(map(value_text, value[:SHOWN])) + more
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    return "" if value is None else str(value)
