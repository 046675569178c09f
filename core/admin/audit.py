"""The audit log: who changed what, before and after. Read only, for everybody."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import DropdownFilter

from core.admin.audit_actions import LABELS, action_label, object_label
from core.admin.audit_differences import differences, model_of, thing_of
from core.admin.audit_words import describe, description
from core.admin.base import ReadOnlyAdmin
from core.admin.exports import ExportedList
from core.admin.filter_words import words_of
from core.admin.filters import DaysFilter
from core.markup import ago, badge, cell, exact
from core.models import AuditEntry

RECENT = 1000
MOST_OFFERED = 200


class RecentFilter(DropdownFilter):  # type: ignore[misc]
    """The values of the last entries, and in long logs those of all; matched by equality, which an index answers."""

    field = ""
    label: Callable[[str], str]
    # Further values that may share a label with one that is offered.
    known: tuple[str, ...] = ()

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """One for each label: what reads the same is found together."""
        chosen = request.GET.get(str(self.parameter_name), "")
        labels = {self.label(value): value for value in sorted({*used_values(self.field), chosen} - {""})}
        if chosen:
            labels[self.label(chosen)] = chosen
        return sorted(((value, label) for label, value in labels.items()), key=lambda pair: pair[1].lower())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if not (value := self.value()):
            return queryset
        label = self.label(value)
        return queryset.filter(
            **{f"{self.field}__in": [value, *(one for one in self.known if self.label(one) == label)]}
        )


def used_values(field: str) -> set[str]:
    """Of all entries, without reading them all: the recent ones, then from one value of the index to the next."""
    recent = list(AuditEntry.objects.order_by("-id").values_list(field, flat=True)[:RECENT])
    found, last = set(recent), ""
    while len(recent) == RECENT and len(found) < MOST_OFFERED:
        above = AuditEntry.objects.filter(**{f"{field}__gt": last}).order_by(field)
        value = above.values_list(field, flat=True).first()
        if value is None:
            break
        last = value
        found.add(value)
    return found


def recent_filter(
    name: str, title: str | Promise, label: Callable[[str], str] = str, known: Iterable[str] = ()
) -> type[RecentFilter]:
    fields = {
        "field": name,
        "parameter_name": name,
        "title": title,
        "label": staticmethod(label),
        "known": tuple(known),
    }
    return type(f"{name.title()}Filter", (RecentFilter,), fields)


@admin.register(AuditEntry)
class AuditEntryAdmin(ExportedList, ReadOnlyAdmin):
    list_display = ("when", "who", "action_badge", "summary_text")
    list_filter = (
        recent_filter("actor", _("user")),
        recent_filter("action", _("action"), action_label, LABELS),
        recent_filter("what", _("object"), object_label),
        DaysFilter,
    )
    ordering = ("-id",)
    sortable_by = ()
    page_template = "core/admin/audit_entry.html"
    empty_title = _("No entries yet")
    empty_text = _(
        "Every change by a user, an API key or a job is recorded here. Entries are never changed or deleted."
    )

    def get_queryset(self, request: HttpRequest) -> Any:
        """Without what was before and after: thousands of numbers, it may be, that only the page of an entry shows."""
        return super().get_queryset(request).defer("before", "after")

    @staticmethod
    def seen(user: Any, rows: list[Any]) -> None:
        """Filters that an entry names are read as this user may see them."""
        for row in rows:
            row.reader = user

    def complete_rows(self, rows: list[AuditEntry]) -> None:
        describe(rows)

    @admin.display(description=_("Date"))
    def when(self, row: AuditEntry) -> SafeString | str:
        return ago(row.at)

    @admin.display(description=_("User"))
    def who(self, row: AuditEntry) -> str:
        return row.actor

    @admin.display(description=_("Description"))
    def summary_text(self, row: AuditEntry) -> SafeString | str:
        return cell(description(row))

    @admin.display(description=_("Action"))
    def action_badge(self, row: AuditEntry) -> SafeString:
        return badge(action_label(row.action), "calm", object_label(row.what))

    def page_context(self, request: HttpRequest, row: AuditEntry) -> dict[str, Any]:
        return {
            "title": description(row)[:100],
            "description": description(row),
            "when": exact(row.at),
            "zone": timezone.get_current_timezone_name(),
            "action": action_label(row.action),
            "thing": name_of(row),
            "link": link_to(row),
            "differences": list(differences(row, words_of(row, request.user))),
        }


def link_to(row: AuditEntry) -> str:
    """The page of the thing; nothing where there is none."""
    model = model_of(row)
    try:
        return reverse(f"admin:{model._meta.app_label}_{row.what}_change", args=[row.key]) if model else ""
    except NoReverseMatch:
        return ""


def name_of(row: AuditEntry) -> str:
    """What the object is called today; its kind where it is gone."""
    thing, kind = thing_of(row), object_label(row.what)
    return gettext("%(kind)s %(name)s") % {"kind": kind, "name": thing} if thing else kind
