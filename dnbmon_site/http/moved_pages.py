"""Addresses that pages had before: bookmarks, and links in mails of long ago, lead on to where they stand now."""

from collections.abc import Callable, Iterator
from functools import partial

from django.http import HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.urls import URLPattern, path

from dnbmon_site.http.older_queries import query_now

# The page and all below it, where it was and where it is; the first that fits counts.
MOVED = {
    "monitoring/dispatch": "monitoring/outboxmessage",
    "monitoring/dailycount": "monitoring/dailystat",
    "portfolio/auditentry": "core/auditentry",
    "portfolio/export": "core/export",
    "portfolio/notice": "core/notice",
    "portfolio/savedfilter": "core/savedfilter",
    "dnbmon_site": "accounts",
    "health/help": "help",
}
# Where they always were, but what they are asked for was called otherwise.
ASKED_OTHERWISE = (
    "/portfolio/subject/",
    "/portfolio/subjectimport/",
    "/monitoring/delivery/",
    "/monitoring/replaypass/",
)
FILE_OF_ROWS = "portfolio/subjectimport/<uuid:key>/verdicts.<slug:form>"


def moved_pages() -> Iterator[URLPattern]:
    for before, now in MOVED.items():
        view = partial(lead_on, before=f"/{before}/", now=f"/{now}/")
        yield path(f"{before}/", view, name="moved")
        yield path(f"{before}/<path:rest>", view, name="moved")
    yield path(FILE_OF_ROWS, partial(lead_on, before="/verdicts.", now="/validations."), name="moved")


def lead_on(request: HttpRequest, before: str, now: str, **rest: object) -> HttpResponsePermanentRedirect:
    """With all that follows, by its names of now."""
    address, _, query = request.get_full_path().replace(before, now, 1).partition("?")
    return HttpResponsePermanentRedirect("?".join(filter(None, (address, query_now(query)))))


def older_queries(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: what a page is asked for by a name of before, it is asked for again by the name of now."""

    def answer(request: HttpRequest) -> HttpResponse:
        address, _, query = request.get_full_path().partition("?")
        is_asked = query and request.method in ("GET", "HEAD") and address.startswith(ASKED_OTHERWISE)
        now = query_now(query) if is_asked else query
        return get_response(request) if now == query else HttpResponsePermanentRedirect(f"{address}?{now}")

    return answer
