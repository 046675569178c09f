"""Probes for whoever keeps the process alive."""

from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe


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
        return "The database cannot be reached."
    return "The database waits for “manage.py migrate”." if waiting else None


def migrations_waiting() -> bool:
    """One query: which migrations were applied."""
    executor = MigrationExecutor(connections[DEFAULT_DB_ALIAS])
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def words(text: str, status: int) -> HttpResponse:
    return HttpResponse(text + "\n", status=status, content_type="text/plain; charset=utf-8")
