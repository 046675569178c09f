"""Lists as their readers want them: with saved filters above them, and in the columns that the reader chose.

The columns stand in the address (`?columns=name,country`), so that a link shows what its sender saw; without them the
reader's own choice is taken, and without one the list is drawn in its usual way. Chosen columns are drawn as usual too,
where the list has a cell of its own for them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from django.contrib import messages
from django.contrib.admin.views.main import ORDER_VAR
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from core.admin.base import KeyChangeList
from core.admin.exports import ExportedList
from core.admin.filters import shows_no_page
from core.lists.listings import LISTINGS, Column, Listing
from core.lists.saved_filters import (
    COLUMNS,
    Kept,
    columns_of,
    filters_in,
    kept_for,
    save_columns,
    save_filter,
    undeclared_in,
    unit_to_share_in,
)
from core.markup import cell
from core.models import SavedFilter
from core.visibility import scope_of

MAY_SHARE = "core.share_savedfilter"
Shown = Callable[[Any], SafeString | str]


class ChosenChangeList(KeyChangeList):
    """Knows that the columns in the address filter nothing, and what stands above the list."""

    def get_filters_params(self, params: Any = None) -> Any:
        return {name: value for name, value in super().get_filters_params(params).items() if name != COLUMNS}

    def get_results(self, request: HttpRequest) -> None:
        model_admin: Any = self.model_admin
        self.chosen = model_admin.chosen_columns(request)
        self.complete = partial(model_admin.complete_chosen, request) if self.chosen else None
        super().get_results(request)
        self.above = model_admin.above(request)


class ChosenList(ExportedList):
    """For the admin of a list with saved filters and columns of one's own (before other bases)."""

    # Columns by which such a list can be sorted, each with the indexed field behind it.
    column_order: dict[str, str] = {}
    # What the list shows in its usual way, by the names of its columns.
    usual_columns: tuple[str, ...] = ()
    # The list's own cells that stand for columns where all of these are chosen: what each shows.
    cells: dict[str, tuple[str, ...]] = {}
    # What the address says where nothing is left out, for a list that leaves something out when it is opened.
    everything = ""

    @property
    def listing(self) -> Listing:
        return LISTINGS[self.model._meta.label_lower]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[KeyChangeList]:
        return ChosenChangeList

    def get_urls(self) -> list[URLPattern]:
        def view(route: str, page: Any) -> URLPattern:
            name = f"{self.opts.app_label}_{self.opts.model_name}_{route}"
            pattern: URLPattern = path(f"{route}/", self.admin_site.admin_view(require_POST(page)), name=name)
            return pattern

        return [view("save", self.save), view("columns", self.choose), *super().get_urls()]

    # What the reader has chosen
    def kept(self, request: HttpRequest) -> Kept:
        """Read once a request; not where only rows are asked for, in no order of columns."""
        if shows_no_page(request) and ORDER_VAR not in request.GET:
            return Kept([], "")
        known: Any = getattr(request, "kept_of_list", None)
        if known is None:
            known = kept_for(request.user.get_username(), self.listing.name, scope_of(request.user))
            setattr(request, "kept_of_list", known)  # noqa: B010  the request has no such field in its type
        return known  # type: ignore[no-any-return]

    def chosen_columns(self, request: HttpRequest) -> tuple[Column, ...]:
        visible = self.listing.visible_to(request.user)
        if COLUMNS in request.GET:
            return columns_of(visible, ",".join(request.GET.getlist(COLUMNS)))
        return columns_of(visible, self.kept(request).columns)

    def get_list_display(self, request: HttpRequest) -> Any:
        return self._chosen_display(request) or super().get_list_display(request)  # type: ignore[misc]

    def _chosen_display(self, request: HttpRequest) -> list[str | Shown]:
        """In the order of the chosen columns, each in the list's own cell or in one of its own."""
        chosen = self.chosen_columns(request)
        names = {column.name for column in chosen}
        cells = {name: cell for cell, shown in self.cells.items() if names.issuperset(shown) for name in shown}
        return list(dict.fromkeys(cells.get(column.name) or self._column_function(column) for column in chosen))

    def complete_chosen(self, request: HttpRequest, rows: list[Any]) -> None:
        """What the list's own cells need, and what the other columns need."""
        display = self._chosen_display(request)
        complete_rows: Any = getattr(self, "complete_rows", None)
        if complete_rows and any(isinstance(one, str) for one in display):
            complete_rows(rows)
        if any(callable(one) for one in display):
            self.listing.complete(rows)

    def get_list_display_links(self, request: HttpRequest, list_display: Any) -> Any:
        usual = super().get_list_display_links(request, list_display)  # type: ignore[misc]
        if not self.chosen_columns(request):
            return usual
        return [one for one in list_display if one in (usual or ())] or list(list_display)[:1]

    def get_sortable_by(self, request: HttpRequest) -> Any:
        usual = super().get_sortable_by(request)  # type: ignore[misc]
        chosen = self.chosen_columns(request)
        return [*usual, *(self._column_function(column) for column in chosen if column.name in self.column_order)]

    def _column_function(self, column: Column) -> Shown:
        """One function a column, always the same, as the admin compares them."""
        known: dict[str, Shown] = self.__dict__.setdefault("_shown_columns", {})
        if column.name not in known:
            known[column.name] = _reader_of(column, self.column_order.get(column.name))
        return known[column.name]

    # What stands above the list
    def above(self, request: HttpRequest) -> dict[str, Any]:
        chosen = {column.name for column in self.chosen_columns(request)}
        ticked = chosen or set(self.usual_columns)
        now = filters_in(request.GET.urlencode())
        filters = [_chip(row, now, request) for row in self.kept(request).filters if _is_visible(row, request)]
        return {
            "filters": filters,
            "nothing_is_filtered": not now and not self.everything or f"?{request.GET.urlencode()}" == self.everything,
            "active": next((one for one in filters if one["is_active"]), None),
            "query": request.GET.urlencode(),
            "columns": [
                (column.name, column.heading, column.name in ticked) for column in self._offered_columns(request)
            ],
            "are_chosen": bool(chosen),
            "chosen": ",".join(column.name for column in self.chosen_columns(request)),
            "may_share": _may_share(request),
            "list_url": self._url("changelist") + self.everything,
            "save_url": self._url("save"),
            "columns_url": self._url("columns"),
        }

    def _offered_columns(self, request: HttpRequest) -> list[Column]:
        """Those of the usual list first, in its order."""
        visible = self.listing.visible_to(request.user)
        return list(dict.fromkeys((*columns_of(visible, self.usual_columns), *visible.columns)))

    def _url(self, page: str) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_{page}")

    # What its forms do
    def save(self, request: HttpRequest) -> HttpResponse:
        self._demand(request)
        shared = "shared" in request.POST
        if shared and not _may_share(request):
            raise PermissionDenied
        unit = unit_to_share_in(scope_of(request.user)) if shared else None
        asked = {name: request.POST.get(name, "") for name in ("name", "query", "columns")}
        by = request.user.get_username()
        try:
            row = save_filter(listing=self.listing.name, shared=shared, by=by, unit=unit, **asked)
        except ValidationError as error:
            messages.warning(request, " ".join(error.messages))
            return self._to("" if undeclared_in(self.listing.name, asked["query"]) else asked["query"])
        words = gettext("Filter “%(name)s” saved and shared.") if shared else gettext("Filter “%(name)s” saved.")
        messages.success(request, words % {"name": row.name})
        return self._to(row.address)

    def choose(self, request: HttpRequest) -> HttpResponse:
        self._demand(request)
        names = ",".join(request.POST.getlist("column")) if "usual" not in request.POST else ""
        address = QueryDict(request.POST.get("query", ""), mutable=True)
        address[COLUMNS] = names
        if "keep" in request.POST or not names:
            save_columns(listing=self.listing.name, columns=names, by=request.user.get_username())
            del address[COLUMNS]
        return self._to(address.urlencode(safe=","))

    def _demand(self, request: HttpRequest) -> None:
        if not self.has_view_permission(request):  # type: ignore[attr-defined]
            raise PermissionDenied

    def _to(self, query: str) -> HttpResponse:
        return HttpResponseRedirect(self._url("changelist") + (f"?{query}" if query else ""))


def _reader_of(column: Column, order: str | None) -> Shown:
    def show(row: Any) -> SafeString | str:
        return cell(column.read(row))

    show.short_description = column.heading  # type: ignore[attr-defined]
    show.admin_order_field = order  # type: ignore[attr-defined]
    show.column_name = column.name  # type: ignore[attr-defined]
    return show


def _may_share(request: HttpRequest) -> bool:
    scope = scope_of(request.user)
    return request.user.has_perm(MAY_SHARE) and (scope.sees_all or unit_to_share_in(scope) is not None)


def _is_visible(row: SavedFilter, request: HttpRequest) -> bool:
    """One that is switched off, or not for this user, stands there for its owner alone."""
    return row.owner == request.user.get_username() or not undeclared_in(row.listing, row.query, request.user)


def _chip(row: SavedFilter, now: str, request: HttpRequest) -> dict[str, Any]:
    is_own = row.owner == request.user.get_username()
    return {
        "key": row.pk,
        "name": row.name,
        "query": row.address,
        "is_active": row.query == now and (COLUMNS not in request.GET or request.GET[COLUMNS] == row.columns),
        "is_own": is_own,
        "owner": "" if is_own else row.owner,
        "shared": row.shared,
        "refused": ", ".join(undeclared_in(row.listing, row.query, request.user)),
    }
