"""Problem documents in the API's description: which an operation may answer with, each with a true example."""

from __future__ import annotations

from typing import Any

from rest_framework.request import Request

from core.api.parameters import LIMITS
from core.api.scopes import ALERTS, READ
from core.urls import site_url
from dnbmon_site.accounts.api_keys import scope_missing
from dnbmon_site.accounts.rate_limit import Pace, too_many_words
from dnbmon_site.api.problems import (
    BY_STATUS,
    MEDIA_TYPE,
    NO_KEY,
    NO_OTHER_FORMAT,
    PAGE,
    REFUSED,
    REUSED,
    too_large,
)
from monitoring.corporate_groups.api import UNKNOWN_GROUP
from monitoring.feed.feed import removed_words
from portfolio.companies.parameters import UNKNOWN_COMPANY, UNKNOWN_REGISTRATION
from portfolio.exposure.api import no_such_book

PROBLEM_SCHEMA: dict[str, Any] = {
    "type": "object",
    "description": "A problem document (RFC 9457).",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {
            "type": "string",
            "format": "uri-reference",
            "description": "Links to an explanation of this type of error.",
        },
        "title": {"type": "string", "description": "The type of error, in a few words."},
        "status": {"type": "integer", "description": "The HTTP status code."},
        "detail": {"type": "string", "description": "What happened, and what to do."},
        "errors": {
            "type": "array",
            "description": "With 400: each invalid parameter with the reason.",
            "items": {
                "type": "object",
                "required": ["parameter", "detail"],
                "properties": {"parameter": {"type": "string"}, "detail": {"type": "string"}},
            },
        },
        "confirm_calls": {
            "type": "object",
            "description": "With 409, if other calls to D&B were confirmed: the calls that the request would make.",
            "additionalProperties": {"type": "integer"},
        },
        "start_again": {
            "type": "object",
            "description": "With 410: the snapshot to restart from, and the oldest available change.",
            "properties": {"snapshot": {"type": "string"}, "oldest": {"type": "string"}},
        },
    },
}


IDEMPOTENCY_KEY: dict[str, Any] = {
    "in": "header",
    "name": "Idempotency-Key",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]+$"},
    "description": "A unique key of your choice. A request that is repeated with the same key takes effect once.",
}


A_KEYS_PACE = Pace(limit=600, ahead=60, wait=1)
# The detail of an operation that does not find what its path names.
NOT_FOUND = {
    "companies": UNKNOWN_COMPANY,
    "groups": UNKNOWN_GROUP,
    "registrations": UNKNOWN_REGISTRATION,
    "imports": "This import does not exist.",
    "company-searches": "This search does not exist.",
    "data-fetches": "This data fetch does not exist.",
    "family-trees": "This family tree does not exist.",
    "files": "This file does not exist.",
    "alerts": "This alert does not exist.",
    "decisions": "This decision does not exist.",
    "changes": "This change does not exist.",
    "references": "This reference does not exist.",
    "exposures": no_such_book("receivable", ["receivables"]),
}
# A parameter names what is asked for there.
NAMED_BY_PARAMETERS = {("delete", "references"), ("delete", "exposures"), ("get", "exposures")}
DETAILS = {
    401: NO_KEY,
    405: 'Method "PATCH" not allowed.',
    406: NO_OTHER_FORMAT,
    409: REUSED,
    410: removed_words(first=5120, cursor=17),
    413: too_large(),
    415: 'Unsupported media type "text/plain" in request.',
    429: too_many_words(A_KEYS_PACE),
    500: "An unexpected error occurred. It was logged.",
}
NO_JSON = "The body is not valid JSON: Expecting value: line 1 column 1 (char 0)"


def describe_problems(result: dict[str, Any], generator: Any, request: Request | None, public: bool) -> dict[str, Any]:
    """A drf-spectacular hook: each operation's errors, which are the same document everywhere."""
    result["components"]["schemas"]["Problem"] = PROBLEM_SCHEMA
    for path, methods in result["paths"].items():
        for method, operation in methods.items():
            for status in statuses_of(path, method):
                operation["responses"].setdefault(str(status), _response(status, example(status, path, operation)))
            if method != "get":
                operation.setdefault("parameters", []).append(IDEMPOTENCY_KEY)
            operation["responses"]["default"] = {**_response(500, document(500)), "description": "Any other error"}
    return result


def describe_servers(result: dict[str, Any], generator: Any, request: Request | None, public: bool) -> dict[str, Any]:
    """A drf-spectacular hook: where this API is, as people and programs reach it."""
    url = request.build_absolute_uri("/") if request else site_url()
    return {**result, "servers": [{"url": url.rstrip("/")}]}


def statuses_of(path: str, method: str) -> list[int]:
    return sorted(
        [
            *(400, 401, 403, 405, 406, 429),
            *([] if method == "get" else [409, 413, 415]),
            *([404] if "{" in path or (method, path.split("/")[-2]) in NAMED_BY_PARAMETERS else []),
            *([410] if path.endswith("v1/changes/") else []),
        ]
    )


def example(status: int, path: str, operation: dict[str, Any]) -> dict[str, Any]:
    """As this operation answers."""
    if status == 400:
        return _bad_request(operation)
    if status == 403:
        return document(status, _not_allowed(operation))
    if status == 404:
        return document(status, NOT_FOUND[path.split("/")[3]])
    return document(status)


def document(status: int, detail: str = "", **members: Any) -> dict[str, Any]:
    kind = BY_STATUS[status]
    said = {"title": kind.title, "status": status, "detail": detail or DETAILS[status]}
    return {"type": f"{PAGE}#{kind.slug}", **said, **members}


def _bad_request(operation: dict[str, Any]) -> dict[str, Any]:
    if any(parameter["name"] == "limit" for parameter in operation.get("parameters", ())):
        return document(400, f"limit: {LIMITS}", errors=[{"parameter": "limit", "detail": LIMITS}])
    return document(400, NO_JSON if "requestBody" in operation else REFUSED)


def _not_allowed(operation: dict[str, Any]) -> str:
    scope = next((names[0] for way in operation["security"] if (names := way.get("key"))), "")
    return scope_missing(scope, READ if scope != READ else ALERTS)


def _response(status: int, example: dict[str, Any]) -> dict[str, Any]:
    content = {"schema": {"$ref": "#/components/schemas/Problem"}, "example": example}
    return {"description": BY_STATUS[status].title, "content": {MEDIA_TYPE: content}}
