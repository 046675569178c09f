"""What one reader sees of the table in `navigation.py`: the menu, the tabs of a page, and where the page stands."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.contrib.admin.views.main import PAGE_VAR
from django.http import HttpRequest, QueryDict
from django.urls import NoReverseMatch, get_script_prefix, get_urlconf, resolve, reverse

from core.visibility import is_restricted
from dnbmon_site.dashboard.menu_entries import Entry, Page, Text
from dnbmon_site.dashboard.navigation import GROUPS
from dnbmon_site.dashboard.waiting import waiting_badge
from dnbmon_site.http.unit_pages import is_open


@dataclass(frozen=True, slots=True)
class Place:
    """Where an address stands: its entry, its page, and whether it is that page itself or one below it."""

    entry: Entry
    page: Page
    is_below: bool

    @property
    def title(self) -> Text:
        return self.page.heading or self.page.title


def menu(request: HttpRequest) -> list[dict[str, Any]]:
    """As unfold's sidebar takes it."""
    here = place_of(request)
    groups = [
        {
            "title": group.title,
            "separator": bool(group.title),
            "items": [_line(request, entry, here) for entry in group.entries if pages_of(request, entry)],
        }
        for group in GROUPS
    ]
    return [group for group in groups if group["items"]]


def _line(request: HttpRequest, entry: Entry, here: Place | None) -> dict[str, Any]:
    pages = pages_of(request, entry)
    return {
        "title": entry.title,
        "icon": entry.icon,
        "link": next((address(page) for page in pages if not page.query), address(pages[0])),
        **waiting_badge(request, entry.waiting),
        "active": here is not None and here.entry is entry,
    }


def frame(request: HttpRequest) -> dict[str, Any]:
    """For every page's template: its tabs, and the way to it from the menu."""
    here = place_of(request)
    if here is None or not may_see(request, here.page):
        return {"place": None}
    pages = pages_of(request, here.entry)
    has_tabs = len(pages) > 1 and (not here.is_below or here.page.has_tabs_below)
    tabs = [_tab(request, page, here) for page in pages] if has_tabs else []
    return {"place": here, "place_tabs": tabs, "place_trail": list(_trail(request, here))}


def _tab(request: HttpRequest, page: Page, here: Place) -> dict[str, Any]:
    return {
        "title": page.title,
        "link": _tab_link(request, page),
        **waiting_badge(request, page.waiting),
        "active": page is here.page if here.is_below else _is_active(request, page),
    }


def _tab_link(request: HttpRequest, page: Page) -> str:
    """Between tabs that filter one list, the list's other filters are kept."""
    link, siblings = address(page), _filtered(page)
    path, _, query = link.partition("?")
    if not siblings or request.path != path:
        return link
    kept = request.GET.copy()
    own = {name for other in siblings for name in QueryDict(other.query)}
    for name in (*own, PAGE_VAR):
        kept.pop(name, None)
    kept.update(QueryDict(query))
    return f"{path}?{kept.urlencode()}" if kept else path


def _trail(request: HttpRequest, here: Place) -> Iterator[tuple[Text, str]]:
    """The pages above this one."""
    pages = pages_of(request, here.entry)
    if here.title != here.entry.title and pages:
        yield here.entry.title, address(pages[0])
    if here.is_below:
        yield here.title, address(here.page)


# Which pages there are


def pages_of(request: HttpRequest, entry: Entry) -> list[Page]:
    """Those of the entry that the reader may see; none where the entry is no task of theirs. Asked once a request."""
    known: dict[int, list[Page]] | None = getattr(request, "pages_of_menu", None)
    if known is None:
        known = {}
        setattr(request, "pages_of_menu", known)  # noqa: B010  the request has no such field in its type
    if id(entry) not in known:
        known[id(entry)] = _visible(request, entry)
    return known[id(entry)]


def _visible(request: HttpRequest, entry: Entry) -> list[Page]:
    if entry.rights and not any(map(request.user.has_perm, entry.rights)):
        return []
    return [page for page in entry.pages if address(page) and may_see(request, page)]


def may_see(request: HttpRequest, page: Page) -> bool:
    if not page.model:
        return True
    if is_restricted(request.user) and not is_open(route_of(page)):
        return False
    owner = admin.site._registry.get(apps.get_model(page.model))
    return owner is not None and owner.has_view_permission(request)


def route_of(page: Page) -> str:
    """The name of its address."""
    if page.address:
        return resolve(page.address).view_name
    return f"admin:{page.model.replace('.', '_')}_{page.name}" if page.model else f"admin:{page.name}"


def address(page: Page) -> str:
    """Nothing for what is not there, such as the queue's rows where Redis holds the queue."""
    if page.address:
        return page.address
    path = _path(route_of(page))
    return f"{path}?{page.query}" if path and page.query else path


def _path(name: str) -> str:
    return _reversed(name, get_script_prefix(), get_urlconf())


@cache
def _reversed(name: str, _prefix: str, _urlconf: str | None) -> str:
    """Each page asks for a hundred of them, several times."""
    try:
        return reverse(name)
    except NoReverseMatch:
        return ""


# Where an address stands


def place_of(request: HttpRequest) -> Place | None:
    """The page whose address the request's begins with; of several the longest, and the one whose filter is chosen."""
    found = [
        (len(path), bool(page.query), Place(entry, page, request.path != path))
        for group in GROUPS
        for entry in group.entries
        for page in entry.pages
        for path in filter(None, (address(page).partition("?")[0], page.below))
        if _leads_here(request, path) and (not page.query or _is_active(request, page))
    ]
    return max(found, key=lambda one: one[:2])[2] if found else None


def _leads_here(request: HttpRequest, path: str) -> bool:
    is_home = path == _path("admin:index")
    return request.path == path if is_home else request.path.startswith(path)


def _is_active(request: HttpRequest, page: Page) -> bool:
    path, _, query = address(page).partition("?")
    if request.path != path:
        return False
    if query:
        return all(request.GET.getlist(name) == values for name, values in QueryDict(query).lists())
    return not any(_is_active(request, other) for other in _filtered(page))


def _filtered(page: Page) -> list[Page]:
    """The pages that are this one's list, filtered."""
    every = (other for group in GROUPS for entry in group.entries for other in entry.pages)
    return [other for other in every if other.query and (other.model, other.name) == (page.model, page.name)]
