"""Buttons on the page of one row: each posts to `<key>/do/<action>/`, needs a right, does one thing, says how it went.

And what the pages behind a list's actions share: rights demanded, keys read, not too many rows at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import UUIDField
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

# Words, a level of message with its words, or an answer of its own.
Outcome = str | Promise | tuple[int, str | Promise] | HttpResponse
CSRF_FIELD = "csrfmiddlewaretoken"
RowAction = Callable[[HttpRequest, Any], Outcome]


class RowActions:
    """For the admin of rows with such buttons (before other bases); `row_actions` says what each word does."""

    row_actions: Mapping[str, RowAction] = {}
    opts: Any
    admin_site: Any

    def get_urls(self) -> list[URLPattern]:
        kind = "uuid" if isinstance(self.opts.pk, UUIDField) else "str"
        view = self.admin_site.admin_view(require_POST(self.do))
        own = path(f"<{kind}:key>/do/<slug:action>/", view, name=self._name("do"))
        return [own, *super().get_urls()]  # type: ignore[misc]

    def may_act(self, request: HttpRequest, row: Any, action: str) -> bool:
        return bool(self.has_change_permission(request, row))  # type: ignore[attr-defined]

    def act(self, request: HttpRequest, row: Any, action: str) -> Outcome:
        return self.row_actions[action](request, row)

    def do(self, request: HttpRequest, key: UUID | str, action: str) -> HttpResponse:
        row = self.object_or_404(request, str(key))  # type: ignore[attr-defined]
        demand(self.may_act(request, row, action))
        if action not in self.row_actions:
            raise Http404(gettext("Unknown action: %(action)s.") % {"action": action})
        outcome = self.act(request, row, action)
        if isinstance(outcome, HttpResponse):
            return outcome
        level, words = outcome if isinstance(outcome, tuple) else (messages.SUCCESS, outcome)
        if words:  # None where the page itself reports how it went
            messages.add_message(request, level, str(words))
        return HttpResponseRedirect(reverse(f"admin:{self._name('change')}", args=[row.pk]))

    def _name(self, page: str) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_{page}"


def demand(is_allowed: bool) -> None:
    if not is_allowed:
        raise PermissionDenied


def keys_of(texts: Iterable[str]) -> list[UUID]:
    """Rows that are named in an address or a form."""
    try:
        return [UUID(text) for text in texts]
    except ValueError:
        raise Http404(
            gettext("The address of the page contains an invalid key. Open the list and choose the row again.")
        ) from None


def confirmation(
    request: HttpRequest, *, title: str, warning: str | Promise, button: str, back: str, rows: Iterable[Any] = ()
) -> HttpResponse | None:
    """A page that asks first, and posts the same form again; None once that was confirmed."""
    if "confirmed" in request.POST:
        return None
    fields = [(name, value) for name, values in request.POST.lists() for value in values if name != CSRF_FIELD]
    request.current_app = admin.site.name
    shown = {"title": title, "warning": warning, "button": button, "back": back, "rows": rows, "fields": fields}
    return TemplateResponse(request, "core/confirm.html", {**admin.site.each_context(request), **shown})


def chosen_rows(request: HttpRequest, rows: Any, most: int) -> list[Any]:
    """The selected rows; none, and a message, where there are too many."""
    found = list(rows[: most + 1])
    if len(found) <= most:
        return found
    messages.error(request, gettext("Select at most %(count)s rows at a time.") % {"count": most})
    return []
