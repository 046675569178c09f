"""What the admin's pages share: unfold's look, reading without counting, and pages that are no forms."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.contrib.admin import ShowFacets
from django.contrib.admin.exceptions import DisallowedModelAdminLookup
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.views.main import ORDER_VAR
from django.contrib.admin.views.main import ChangeList as DjangoChangeList
from django.contrib.auth.context_processors import PermWrapper
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.db import models
from django.db.models import Model
from django.db.models.constants import LOOKUP_SEP
from django.http import Http404, HttpRequest, HttpResponseRedirect
from django.shortcuts import render
from django.template.response import TemplateResponse
from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.admin.chips import chips_of
from core.admin.deletion import ExplainedDeletion
from core.admin.filters import names_filters, shows_no_page
from core.admin.pickers import DayPicker, MomentPicker, ZonePicker
from core.lists.saved_filters import declared, undeclared_words
from core.text import is_clean
from core.visibility import parts_of, visible_to

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin as DjangoModelAdmin

    ModelAdmin = DjangoModelAdmin[Any]
    AnyPaginator = Paginator[Any]
else:
    # Unfold carries no types: they are Django's, the look is unfold's.
    from unfold.admin import ModelAdmin

    AnyPaginator = Paginator

COUNTED = 10_000
# What columns are called that hold the name of a time zone.
ZONES = ("zone", "timezone", "cadence_zone")


class BoundedPaginator(AnyPaginator):
    """Counts up to a limit only, so that a page of a million rows costs what a page of ten thousand does."""

    template_name = "core/bounded_pagination.html"

    @cached_property
    def found(self) -> int:
        rows: Any = self.object_list
        return sum(int(part.order_by()[: COUNTED + 1].count()) for part in parts_of(rows))

    @cached_property
    def count(self) -> int:
        return min(self.found, COUNTED)

    @property
    def has_more(self) -> bool:
        return self.found > COUNTED


class KeyChangeList(DjangoChangeList):
    """A list in the order of an index: ties are broken in the direction of the first column."""

    def _get_deterministic_ordering(self, ordering: list[str]) -> list[str]:
        pk = self.lookup_opts.pk
        names = {str(name).lstrip("-") for name in ordering}
        if pk is None or names & {"pk", pk.name}:
            return ordering
        descending = bool(ordering) and str(ordering[0]).startswith("-")
        return [*ordering, "-pk" if descending else "pk"]

    def get_query_string(self, new_params: dict[str, Any] | None = None, remove: Iterable[str] | None = None) -> str:
        """The first click on a column of amounts puts the largest first."""
        if new_params and ORDER_VAR in new_params:
            first, dot, others = str(new_params[ORDER_VAR]).partition(".")
            if first.isdecimal() and self._begins_largest(int(first)):
                new_params = {**new_params, ORDER_VAR: f"-{first}{dot}{others}"}
        return str(super().get_query_string(new_params, remove))

    def _begins_largest(self, column: int) -> bool:
        amounts = getattr(self.model_admin, "largest_first", ())
        shown = {getattr(one, "column_name", one) for one in self.list_display[column : column + 1]}
        return bool(shown & set(amounts)) and column not in self.get_ordering_field_columns()

    def get_results(self, request: HttpRequest) -> None:
        if shows_no_page(request) or names_filters(request):
            # Only its rows, or its filters, are asked for: no page of them is read, and nothing is counted.
            return
        super().get_results(request)
        if not self.result_count:
            # What was counted is not looked for again: where nothing is found, all rows were looked at.
            self.result_list = self.queryset.none()
        self.result_list = self.page_rows()
        # Django's is “Select … to change”: a list's title says what is there.
        self.title = capfirst(str(self.opts.verbose_name_plural))
        self.chips = chips_of(self, request)
        # What stands in place of the rows is drawn without the request.
        self.perms = PermWrapper(request.user)
        self.may_add = self.model_admin.has_add_permission(request)
        # The number of all rows is never counted; the header would offer to show them "all".
        self.full_result_count = self.result_count
        if seen := getattr(self.model_admin, "seen", None):
            self.result_list = list(self.result_list)
            seen(request.user, self.result_list)
        # `complete` where the reader has chosen columns, which need something else than the page's own.
        complete: Any = getattr(self, "complete", None) or getattr(self.model_admin, "complete_rows", None)
        if complete:
            self.result_list = list(self.result_list)
            complete(self.result_list)

    def page_rows(self) -> Any:
        """The rows of the page that is shown."""
        return self.result_list


def name_model(model: type[Model], one: str | Promise, many: str | Promise) -> None:
    """Our words for another package's model. Migrations read what its class was declared with, and that stays."""
    options: Any = model._meta
    options.verbose_name, options.verbose_name_plural = one, many


class KeyedAdmin(ExplainedDeletion, ModelAdmin):
    """Keys come from addresses and selected rows and may be anything: an invalid one is reported, or not found."""

    # What is shown differently to someone who sees some rows only: of a user and rows.
    seen: Callable[[Any, list[Any]], None] | None = None

    formfield_overrides = {
        models.DateField: {"widget": DayPicker},
        models.DateTimeField: {"widget": MomentPicker},
    }

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[DjangoChangeList]:
        return KeyChangeList

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Time zones are chosen from a list wherever a form has one."""
        if db_field.name in ZONES:
            kwargs["widget"] = ZonePicker(blank=_("Default") if db_field.blank else None)
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def get_queryset(self, request: HttpRequest) -> Any:
        """Every list, page, action and export begins here: of a model without a rule, only who sees all sees any."""
        return visible_to(request.user, super().get_queryset(request))

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        return super().get_object(request, object_id, from_field) if self.is_key(object_id) else None

    def response_action(self, request: HttpRequest, queryset: Any, *more: Any, **named: Any) -> Any:
        if all(self.is_key(key) for key in request.POST.getlist(ACTION_CHECKBOX_NAME)):
            return super().response_action(request, queryset, *more, **named)
        messages.error(
            request, gettext("The selected rows are not in this list. Reload the list and select them again.")
        )
        return HttpResponseRedirect(request.get_full_path())

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Django allows every look-up on a list's own fields, also those that try a pattern on each row."""
        names = declared(self.get_list_filter(request) if request else self.list_filter)
        # Ticked rows are exported by their keys.
        return lookup in names or lookup in ("pk__in", f"{self.opts.pk.name}__in")

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        try:
            return super().changelist_view(request, extra_context)
        except DisallowedModelAdminLookup:
            names = [name for name in request.GET if LOOKUP_SEP in name] or list(request.GET)
            return render(request, "400.html", {"message": undeclared_words(names)}, status=400)

    def is_key(self, text: str) -> bool:
        field: Any = self.opts.pk
        try:
            # Of a relation the key that it leads to: it is not looked up here.
            getattr(field, "target_field", field).clean(text, None)
        except (ValidationError, ValueError, TypeError, OverflowError):
            return False
        return is_clean(text)


class PageAdmin(KeyedAdmin):
    """Lists that never count everything, and `page()` for what is shown instead of a form."""

    paginator = BoundedPaginator
    show_full_result_count = False
    list_per_page = 50
    list_max_show_all = 0
    # Counts beside each choice of a filter would read the whole table.
    show_facets = ShowFacets.NEVER
    list_filter_submit = True
    list_fullwidth = False
    compressed_fields = True
    empty_value_display = ""
    empty_title: str | Promise = _("Nothing here yet")
    # What the button that adds a row says, where that is not “Add” and the model's name.
    add_title: str | Promise = ""
    empty_text: str | Promise = ""
    empty_template = ""
    page_template = ""
    # The part of the page that renews itself, at `?part=live`.
    live_template = ""

    def get_queryset(self, request: HttpRequest) -> Any:
        """Without an order of its own, which Django would add behind a column that a user sorts by."""
        return super().get_queryset(request).order_by()

    def object_or_404(self, request: HttpRequest, object_id: str) -> Any:
        row = self.get_object(request, object_id)
        if row is None:
            raise Http404(
                gettext("No %(verbose_name)s has the key %(object_id)s. It may have been deleted.")
                % {"verbose_name": self.opts.verbose_name, "object_id": object_id}
            )
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        return row

    def page(self, request: HttpRequest, template: str, *, title: str, **context: Any) -> TemplateResponse:
        request.current_app = self.admin_site.name
        shared = self.admin_site.each_context(request)
        return TemplateResponse(request, template, {**shared, "opts": self.opts, "title": title, **context})

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> Any:
        """A page that is read, where the model has one; else the form."""
        if not self.page_template:
            return super().change_view(request, object_id, form_url, extra_context)
        row = self.object_or_404(request, object_id)
        context = self.page_context(request, row)
        is_live = bool(self.live_template) and request.GET.get("part") == "live"
        template = self.live_template if is_live else self.page_template
        return self.page(request, template, **{"title": str(row), "row": row, **context})

    def page_context(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        return {}


class ReadOnlyAdmin(PageAdmin):
    """What D&B or the program writes, and people read."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret to copy, and the name of its owner."""

    name: str
    text: str


def shown_once(
    request: HttpRequest, secrets: Sequence[Secret], *, title: str, lead: str, note: str, back: str
) -> TemplateResponse:
    """In this response only: a message would keep secrets in a cookie or a session. `lead` names what they are."""
    request.current_app = admin.site.name
    context = {"secrets": secrets, "title": title, "lead": lead, "note": note, "back": back}
    answer = TemplateResponse(request, "core/shown_once.html", {**admin.site.each_context(request), **context})
    answer["Cache-Control"] = "no-store"
    return answer
