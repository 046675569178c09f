"""Probes for whoever keeps the process alive: cheap, and without a word that is not for everybody."""

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from health.migrating import migrations_waiting

AWAY = "The database cannot be reached."


@never_cache
@require_safe
def live(request: HttpRequest) -> HttpResponse:
    """The process answers. Asks nothing of anybody, so that a database that is away restarts no web server."""
    return words("alive", 200)


@never_cache
@require_safe
def ready(request: HttpRequest) -> HttpResponse:
    trouble = what_is_missing()
    return words(trouble or "ready", 503 if trouble else 200)


def what_is_missing() -> str | None:
    try:
        waiting = migrations_waiting()
    except DatabaseError:
        return AWAY
    return "The database waits for “manage.py migrate”." if waiting else None


def words(text: str, status: int) -> HttpResponse:
    return HttpResponse(text + "\n", status=status, content_type="text/plain; charset=utf-8")
