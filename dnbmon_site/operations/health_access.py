"""Health and metrics for people who run the program, and for programs that watch it by key."""

from __future__ import annotations

from django.contrib import admin
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from core.api.scopes import METRICS
from dnbmon_site.accounts.api_keys import presented_key
from dnbmon_site.accounts.models import ApiKey
from health import status_page
from health.checks.registry import all_checks
from health.checks.result import worst
from health.metrics.prometheus import CONTENT_TYPE, exposition
from health.models import State
from health.views import BUSY, what_is_missing, words

REFUSED = "Send an API key with the scope “metrics”: Authorization: Bearer dnbmon_…"


def health(request: HttpRequest) -> HttpResponse:
    """The page for people; the same as JSON for a program with a key."""
    if presented_key(request) is None:
        return admin.site.admin_view(status_page.page)(request)
    return refusal(request) or health_for_programs(request)


@never_cache
@require_safe
def health_for_programs(request: HttpRequest) -> HttpResponse:
    results = all_checks()
    status = 503 if worst(results) == State.CRITICAL else 200
    return JsonResponse(status_page.as_json(results), status=status)


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """For Prometheus. By key and never by address: behind a proxy everybody comes from this machine."""
    try:
        return refusal(request) or HttpResponse(exposition(), content_type=CONTENT_TYPE)
    except DatabaseError:
        return words(what_is_missing() or BUSY, 503)


def refusal(request: HttpRequest) -> HttpResponse | None:
    """Nothing for a key that may."""
    key = ApiKey.authenticate(presented_key(request) or "")
    if key is not None and key.allows(METRICS):
        return None
    answer = words(REFUSED, 401 if key is None else 403)
    answer["WWW-Authenticate"] = 'Bearer realm="metrics"'
    return answer
