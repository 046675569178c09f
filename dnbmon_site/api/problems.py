"""Errors of the API as problem documents (RFC 9457), and the page that explains their types."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any, NamedTuple

from django.conf import settings
from django.core.exceptions import DisallowedHost, RequestDataTooBig
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import Resolver404, ResolverMatch, resolve
from django.views import defaults
from django.views.decorators.csrf import csrf_exempt
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import exception_handler

from core.urls import site_url
from dnbmon_site.database_down_page import away
from health.views import BUSY, what_is_missing

PAGE = "/api/docs/problems/"
MOST_IN_DETAIL = 5
MEDIA_TYPE = "application/problem+json"
NO_KEY = (
    "The request has no API key. Send the header Authorization: Bearer dnbmon_… An administrator issues keys under"
    " “API keys”."
)
NO_BEARER = "Write Bearer before the key: Authorization: Bearer dnbmon_…"
NO_OTHER_FORMAT = "The API responds with JSON only. Send the header Accept: application/json, or omit the header."
REFUSED = "The request could not be read."
NONE_SAVED = "No entry was saved. Correct these entries and send the request again."
REUSED = "This Idempotency-Key was already used for a different request. Use a new key for each request."


class Kind(NamedTuple):
    status: int
    slug: str
    title: str
    advice: str


KINDS = (
    Kind(
        400,
        "bad-request",
        "Bad request",
        "A parameter or the body is invalid. `errors` lists each parameter with the reason; `references[2].duns` is the"
        " D-U-N-S number of the third entry. Nothing was saved. Correct the request and send it again.",
    ),
    Kind(
        401,
        "not-authenticated",
        "Not authenticated",
        "The API key is missing or invalid. Send `Authorization: Bearer dnbmon_…`. Keys can expire or be revoked;"
        " ask an administrator for a new one.",
    ),
    Kind(
        403,
        "not-allowed",
        "Not allowed",
        "`detail` names the missing scope of the key, or the missing permission of the user. An administrator can"
        " add it.",
    ),
    Kind(
        404,
        "not-found",
        "Not found",
        "The path is misspelled or contains an invalid D-U-N-S number, or the company, registration, alert, import or"
        " reference does not exist, or the book of an amount. Companies are known once they are requested.",
    ),
    Kind(405, "method-not-allowed", "Method not allowed", "The header `Allow` lists the methods of this endpoint."),
    Kind(406, "not-acceptable", "Not acceptable", "Responses are JSON. Send `Accept: application/json`."),
    Kind(
        409,
        "conflict",
        "Conflict",
        "The object has changed since you read it, or the Idempotency-Key was used for a different request or one still"
        " in progress. `detail` gives the reason.",
    ),
    Kind(
        410,
        "gone",
        "Cursor not usable",
        "The feed cannot continue from this cursor: the changes after it were deleted because their retention period is"
        " over, a backup was restored, or the cursor is from another installation. Read a new snapshot of"
        " /api/v1/companies/ and continue from its changes_cursor.",
    ),
    Kind(413, "too-large", "Request too large", "Split the request into smaller ones."),
    Kind(
        415,
        "unsupported-media-type",
        "Unsupported media type",
        "Send the body as JSON with `Content-Type: application/json`.",
    ),
    Kind(
        429,
        "too-many-requests",
        "Too many requests",
        "Wait for the number of seconds in the header `Retry-After`, then retry.",
    ),
    Kind(
        500,
        "server-error",
        "Internal server error",
        "The error was logged. Retry later, or contact your administrator.",
    ),
    Kind(
        503,
        "unavailable",
        "Service unavailable",
        "The database cannot be reached, or numbers are being counted. `detail` gives the reason. Retry in a minute.",
    ),
)
BY_STATUS = {kind.status: kind for kind in KINDS}


def problem(
    status: int,
    detail: str,
    *,
    errors: list[dict[str, str]] | None = None,
    headers: dict[str, str] | None = None,
    members: Mapping[str, Any] | None = None,
) -> HttpResponse:
    kind = BY_STATUS.get(status)
    document: dict[str, Any] = {
        "type": f"{PAGE}#{kind.slug}" if kind else "about:blank",
        "title": kind.title if kind else HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        **(members or {}),
    }
    if errors:
        document["errors"] = errors
    if status == HTTPStatus.GONE:
        document["start_again"] = {"snapshot": "/api/v1/companies/", "oldest": "/api/v1/changes/"}
    headers = {"Cache-Control": "no-store", **(headers or {})}
    # As the documentation shows it, also in a terminal; half a surrogate stays an escape.
    content = json.dumps(document, ensure_ascii=False).encode("utf-8", "backslashreplace")
    return HttpResponse(content, status=status, headers=headers, content_type=MEDIA_TYPE)


def handle(error: Exception, context: dict[str, Any]) -> HttpResponse | None:
    """DRF's way to answer an exception: what it knows becomes a problem document, the rest goes on to Django."""
    response = exception_handler(error, context)
    if response is None:
        return None
    headers = {name: value for name, value in response.items() if name.lower() != "content-type"}
    if isinstance(error, exceptions.NotAuthenticated):
        return problem(response.status_code, NO_BEARER if _has_other_scheme(context) else NO_KEY, headers=headers)
    if isinstance(error, exceptions.NotAcceptable):
        return problem(response.status_code, NO_OTHER_FORMAT, headers=headers)
    if isinstance(error, exceptions.ValidationError):
        errors = list(flat(error.detail))
        return problem(response.status_code, sentence(errors), errors=errors, headers=headers)
    return problem(response.status_code, said(response), headers=headers, members=getattr(error, "members", None))


def _has_other_scheme(context: dict[str, Any]) -> bool:
    return bool(context["request"].META.get("HTTP_AUTHORIZATION", "").strip())


def said(response: Response) -> str:
    data = response.data
    return str(data.get("detail", "")) if isinstance(data, dict) else " ".join(map(str, data or []))


def flat(detail: Any, name: str = "") -> Iterator[dict[str, str]]:
    """DRF's nested errors as a list: each with the parameter it is about, such as `references[2].duns`."""
    if isinstance(detail, dict):
        for key, below in detail.items():
            yield from flat(below, _below(name, key, below))
    elif isinstance(detail, list):
        for below in detail:
            yield from flat(below, name)
    else:
        yield {"parameter": name, "detail": str(detail)}


def _below(name: str, key: Any, below: Any) -> str:
    """One of several values of a parameter is named by its text; an entry of a list by its place, counted from 0."""
    if key == "non_field_errors":
        return name
    if isinstance(key, int):
        return f"{name}[{key}]" if isinstance(below, dict) else name
    return f"{name}.{key}" if name else str(key)


def sentence(errors: list[dict[str, str]]) -> str:
    shown = [
        f"{error['parameter']}: {error['detail']}" if error["parameter"] else error["detail"]
        for error in errors[:MOST_IN_DETAIL]
    ]
    if len(errors) > MOST_IN_DETAIL:
        shown.append(f"{len(errors) - MOST_IN_DETAIL} more are in `errors`.")
    if any("[" in error["parameter"] for error in errors):
        shown.append(NONE_SAVED)
    return " ".join(shown)


@csrf_exempt
def unknown_route(request: HttpRequest) -> HttpResponse:
    """Every address under /api/ that is none. One without its last slash is the same address: no method loses it."""
    if (match := with_slash(request.path_info)) is None:
        return problem(404, "This endpoint does not exist. /api/docs/ lists all endpoints.")
    request.path, request.path_info, request.resolver_match = f"{request.path}/", f"{request.path_info}/", match
    answer: HttpResponse = match.func(request, *match.args, **match.kwargs)
    return answer


def with_slash(path: str) -> ResolverMatch | None:
    if path.endswith("/"):
        return None
    try:
        match = resolve(f"{path}/")
    except Resolver404:
        return None
    return None if match.func is unknown_route else match


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's `handler400`: what was refused before a view was reached."""
    if isinstance(exception, DisallowedHost):
        return unknown_host(request)
    if not request.path_info.startswith("/api/"):
        return defaults.bad_request(request, exception)
    if isinstance(exception, RequestDataTooBig):
        return problem(413, too_large())
    return problem(400, REFUSED)


def too_large() -> str:
    return f"The request is larger than {settings.DATA_UPLOAD_MAX_MEMORY_SIZE // 1024**2} MB. Send smaller requests."


def unknown_host(request: HttpRequest) -> HttpResponse:
    """For a host name that ALLOWED_HOSTS does not list: where the pages are, and what the operator does."""
    asked = request.META.get("HTTP_HOST", "")[:100]
    if request.path_info.startswith("/api/"):
        return problem(400, f"“{asked}” is not a configured host name. Use one of the names in ALLOWED_HOSTS.")
    address = site_url() if settings.ALLOWED_HOSTS else ""
    return HttpResponseBadRequest(
        render_to_string("dnbmon_site/unknown_host.html", {"asked": asked, "address": address})
    )


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's `handler500`."""
    outage = what_is_missing() or (BUSY if isinstance(sys.exception(), OperationalError) else None)
    if request.path_info.startswith("/api/"):
        return problem(503, outage) if outage else problem(500, "An unexpected error occurred. It was logged.")
    return away(request, outage) if outage else defaults.server_error(request)


def problem_page(request: HttpRequest) -> HttpResponse:
    """The page that `type` of a problem document links to."""
    return render(request, "dnbmon_site/problems.html", {"kinds": KINDS})
