"""Addresses that pages had before: bookmarks, and links in mails of long ago, lead on to where they stand now."""

from collections.abc import Iterator
from functools import partial

from django.http import HttpRequest, HttpResponsePermanentRedirect
from django.urls import URLPattern, path

# The page and all below it, where it was and where it is; the first that fits counts.
MOVED = {
    "monitoring/dispatch": "monitoring/outboxmessage",
    "monitoring/dailycount": "monitoring/dailystat",
    "portfolio/auditentry": "core/auditentry",
    "portfolio/export": "core/export",
    "portfolio/notice": "core/notice",
    "portfolio/savedfilter": "core/savedfilter",
    "dnbmon_site": "accounts",
}


def moved_pages() -> Iterator[URLPattern]:
    for before, now in MOVED.items():
        view = partial(lead_on, before=f"/{before}/", now=f"/{now}/")
        yield path(f"{before}/", view)
        yield path(f"{before}/<path:rest>", view)


def lead_on(request: HttpRequest, before: str, now: str, rest: str = "") -> HttpResponsePermanentRedirect:
    """With all that follows, as it was asked for."""
    return HttpResponsePermanentRedirect(request.get_full_path().replace(before, now, 1))
