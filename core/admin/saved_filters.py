"""Saved filters: renamed, shared and deleted here, used above the lists."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.admin.base import PageAdmin
from core.admin.lists import MAY_SHARE
from core.admin.removal import WatchedRemoval
from core.audit import record
from core.lists.listings import LISTINGS
from core.lists.saved_filters import undeclared_in, undeclared_words
from core.markup import badge
from core.models import SavedFilter
from core.visibility import is_restricted

# Further links of a filter, by other apps.
LINKS: list[Callable[[SavedFilter], SafeString | str]] = []


class SavedFilterForm(forms.ModelForm):  # type: ignore[type-arg]  # Django's takes no parameter when it runs
    class Meta:
        model = SavedFilter
        fields = ("name", "shared")

    def clean_name(self) -> str:
        name = str(self.cleaned_data["name"]).strip()
        same = SavedFilter.objects.filter(owner=self.instance.owner, listing=self.instance.listing, name=name)
        if same.exclude(pk=self.instance.pk).exists():
            raise ValidationError(gettext("This list already has a filter with that name. Choose another name."))
        return name


@admin.register(SavedFilter)
class SavedFilterAdmin(WatchedRemoval, PageAdmin):
    form = SavedFilterForm
    list_display = ("name", "of_list", "whose", "use")
    ordering = ("listing", "name", "id")
    sortable_by = ()
    kept_text = (_("The list and its rows"),)
    in_use_hint = _("Open each entry and select another saved filter, or delete the entry. Then delete the filter.")
    empty_title = _("No saved filters yet")
    empty_text = _("Filter a list and choose “Save filter” above it. The filter then appears here and above that list.")

    # Rights: all users have filters of their own; users with the right to change filters can change all.
    def has_add_permission(self, request: HttpRequest) -> bool:
        """They are saved where they filter: above a list."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: SavedFilter | None = None) -> bool:
        return super().has_change_permission(request, obj) or _is_own(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: SavedFilter | None = None) -> bool:
        return super().has_delete_permission(request, obj) or _is_own(request, obj)

    def get_queryset(self, request: HttpRequest) -> Any:
        rows = super().get_queryset(request).exclude(name="")
        if super().has_change_permission(request):
            return rows
        return rows.filter(Q(owner=request.user.get_username()) | Q(shared=True))

    def get_readonly_fields(self, request: HttpRequest, obj: SavedFilter | None = None) -> tuple[str, ...]:
        may_share = request.user.has_perm(MAY_SHARE) and not is_restricted(request.user)
        return () if may_share else ("shared",)

    # Every change is recorded
    def save_model(self, request: HttpRequest, obj: SavedFilter, form: forms.ModelForm[Any], change: bool) -> None:
        before = {name: form.initial[name] for name in form.changed_data}
        after = {name: form.cleaned_data[name] for name in form.changed_data}
        SavedFilter.objects.filter(pk=obj.pk).update(**after)
        if after:
            self._record(
                request,
                "change filter",
                gettext("Filter “%(name)s” changed") % {"name": obj.name},
                obj,
                before=before,
                after=after,
            )

    def before_removal(self, request: HttpRequest, rows: Sequence[Any]) -> None:
        for row in rows:
            before = {"listing": row.listing, "query": row.query, "columns": row.columns}
            words = gettext("Filter “%(name)s” deleted") % {"name": row.name}
            self._record(request, "delete filter", words, row, before=before)

    def _record(self, request: HttpRequest, action: str, words: str, row: SavedFilter, **what: Any) -> None:
        record(actor=request.user.get_username(), action=action, thing=row, summary=words, **what)

    # The list
    @admin.display(description=_("List"))
    def of_list(self, row: SavedFilter) -> str:
        listing = LISTINGS.get(row.listing)
        return str(listing.model._meta.verbose_name_plural).capitalize() if listing else row.listing

    @admin.display(description=_("Owner"))
    def whose(self, row: SavedFilter) -> SafeString:
        return (
            badge(gettext("shared"), "info", gettext("by %(owner)s") % {"owner": row.owner})
            if row.shared
            else badge(row.owner, "calm")
        )

    @admin.display(description=_("Use"))
    def use(self, row: SavedFilter) -> SafeString | str:
        if row.listing not in LISTINGS:
            return ""
        if refused := undeclared_in(row.listing, row.query):
            return badge(gettext("disabled"), "warn", undeclared_words(refused))
        link = reverse(f"admin:{row.listing.replace('.', '_')}_changelist")
        opened = format_html('<a class="dm-company" href="{}?{}">{}</a>', link, row.address, gettext("Open list"))
        return format_html_join(" · ", "{}", ((one,) for one in (opened, *(read(row) for read in LINKS)) if one))


def _is_own(request: HttpRequest, row: SavedFilter | None) -> bool:
    return row is not None and row.owner == request.user.get_username()
