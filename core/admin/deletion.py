"""What is asked before rows are deleted, and why rows in use stay: with names and links, nothing of the database."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.admin.utils import NestedObjects
from django.contrib.auth import get_user_model
from django.db import router
from django.db.models import PROTECT, RESTRICT, Model
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.actors import person_text
from core.text import counted

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin

    Base = ModelAdmin[Any]
else:
    Base = object

# Longer lists are not read to their end.
MOST_NAMED = 20


@dataclass(frozen=True, slots=True)
class Part:
    """Rows that are deleted with another one: what they are to people, and the column with the name of each. Without
    one they are counted, or only mentioned."""

    label: str | Promise = ""
    named_by: str = ""
    is_counted: bool = False


# Rows of which people know nothing.
UNSEEN = Part()


@dataclass(frozen=True, slots=True)
class Named:
    """A row as people know it, and its page as far as the reader may open it."""

    name: str
    kind: str = ""
    link: str = ""
    # The rows that it keeps from being deleted.
    uses: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """What deleting rows deletes, and what it keeps."""

    names: Sequence[str] = ()
    parts: Sequence[str] = ()
    kept: Sequence[str | Promise] = ()
    advice: str | Promise = ""

    @property
    def one(self) -> str:
        """The name of the only row; of several none."""
        return self.names[0] if len(self.names) == 1 else ""


class ExplainedDeletion(Base):
    """For the admin of rows that may be deleted: the question before, and the reasons against."""

    # By the name of the model: rows that the database deletes with these.
    deleted_with: Mapping[str, Part] = {}
    # What stays.
    kept_text: Sequence[str | Promise] = ()
    # What to do instead, or to consider.
    deletion_advice: str | Promise = ""
    in_use_hint: str | Promise = _(
        "Open each entry and select something else there, clear the field, or delete the entry. Then try again."
    )

    def deletion_name(self, row: Any) -> str:
        return name_of(row)

    def advice(self, rows: Sequence[Any]) -> str | Promise:
        return self.deletion_advice

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Django's pages and its action ask here. What is returned first and last is shown by our templates."""
        rows, collector = list(objs), NestedObjects(using=router.db_for_write(self.model), origin=objs)
        collector.collect(rows)
        found: Any = collector.model_objs
        names = [self.deletion_name(row) for row in rows]
        question = Question(_few(names), self._parts(found), self.kept_text, self.advice(rows))
        users = self._users(list(collector.protected), found, request)
        return question, {}, self._forbidden(found, request), users

    def _parts(self, found: Mapping[type[Model], Iterable[Any]]) -> list[str]:
        """The related rows, a line for each kind."""
        others = [(model, list(rows)) for model, rows in found.items() if model not in (self.model, *_through(model))]
        lines = (_line(self.deleted_with.get(model._meta.label_lower), rows) for model, rows in others)
        return sorted(filter(None, lines))

    def _forbidden(self, found: Mapping[type[Model], Iterable[Any]], request: HttpRequest) -> list[str]:
        """Rows that this user may not delete."""
        lines = []
        for model, rows in found.items():
            page: Any = self.admin_site._registry.get(model)
            names = [name_of(row) for row in rows if page and not page.has_delete_permission(request, row)]
            if names:
                kind = capfirst(str(model._meta.verbose_name_plural))
                lines.append(_listed(kind, names))
        return lines

    def _users(self, users: Sequence[Any], found: Mapping[type[Model], Iterable[Any]], request: HttpRequest) -> Any:
        """The rows that use these, which therefore stay."""
        going = {(model, row.pk): row for model, rows in found.items() for row in rows}
        named = [self._user(row, going, request) for row in users[:MOST_NAMED]]
        more = gettext("%(count)s more") % {"count": counted(len(users) - MOST_NAMED)}
        named.sort(key=lambda one: (one.kind, one.name.casefold()))
        return [*named, Named(more)] if len(users) > MOST_NAMED else named

    def _user(self, row: Any, going: Mapping[Any, Any], request: HttpRequest) -> Named:
        kind = capfirst(str(row._meta.verbose_name))
        used = [self.deletion_name(going[key]) for key in _protects(row) if key in going]
        uses = ", ".join(dict.fromkeys(used))
        link = _page_of(row, self.admin_site, request)
        return Named(name_of(row) if link else gettext("Not visible to you"), kind, link, uses)

    def render_delete_form(self, request: HttpRequest, context: dict[str, Any]) -> Any:
        return super().render_delete_form(request, self._worded(context))

    def response_action(self, request: HttpRequest, queryset: Any, *more: Any, **named: Any) -> Any:
        answer = super().response_action(request, queryset, *more, **named)
        if isinstance(answer, TemplateResponse) and "deletable_objects" in (context := answer.context_data or {}):
            # As the page of one row has it.
            context["deleted_objects"] = context["deletable_objects"][0]
            self._worded(context)
        return answer

    def _worded(self, context: dict[str, Any]) -> dict[str, Any]:
        """The page's title, and the words of the model's own admin."""
        question = context["deleted_objects"]
        kind = str(self.opts.verbose_name if question.one else self.opts.verbose_name_plural)
        title = gettext("Delete %(things)s") % {"things": kind}
        context.update(title=title, kind=capfirst(kind), question=question, hint=self.in_use_hint)
        return context


def name_of(row: Any) -> str:
    """Never a key: a row without a name of its own is called by its kind."""
    if isinstance(row, get_user_model()):
        return person_text(row)
    kind: Any = type(row)
    return str(row) if kind.__str__ != Model.__str__ else str(row._meta.verbose_name)


def _through(model: type[Model]) -> tuple[type[Model], ...]:
    """Tables that Django makes for a many-to-many field hold nothing but the selection."""
    return (model,) if model._meta.auto_created else ()


def _line(part: Part | None, rows: Sequence[Any]) -> str:
    if part is None:
        model = type(rows[0])
        return _listed(capfirst(str(model._meta.verbose_name_plural)), [counted(len(rows))])
    if not part.label:
        return ""
    if part.named_by:
        return _listed(str(part.label), sorted({name_of(getattr(row, part.named_by)) for row in rows}))
    return _listed(str(part.label), [counted(len(rows))]) if part.is_counted else str(part.label)


def _listed(label: str, names: Sequence[str]) -> str:
    return gettext("%(label)s: %(names)s") % {"label": label, "names": ", ".join(_few(names))}


def _few(names: Sequence[str]) -> list[str]:
    """The first of them, and how many more there are."""
    more = len(names) - MOST_NAMED
    shown = list(names[:MOST_NAMED])
    return [*shown, gettext("%(count)s more") % {"count": counted(more)}] if more > 0 else shown


def _protects(row: Any) -> list[tuple[type[Model], Any]]:
    """The rows that this one keeps from being deleted."""
    fields = [field for field in row._meta.concrete_fields if field.remote_field]
    kept = [field for field in fields if field.remote_field.on_delete in (PROTECT, RESTRICT)]
    return [(field.related_model, getattr(row, field.attname)) for field in kept]


def _page_of(row: Any, site: admin.AdminSite, request: HttpRequest) -> str:
    """Nothing where there is none, or the reader may not see it."""
    page: Any = site._registry.get(type(row))
    if page is None or not page.has_view_permission(request, row) or page.get_object(request, str(row.pk)) is None:
        return ""
    try:
        return reverse(f"{site.name}:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])
    except NoReverseMatch:
        return ""
