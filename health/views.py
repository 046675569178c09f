"""Probes for whoever keeps the process alive: cheap, and without a word that is not for everybody."""

import pymongo
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_noop
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from health.checks.migrations import EARLIER, is_empty, is_of_earlier_version, migrations_waiting

# A MongoDB that is away is looked for ten times as long, and who probes has gone by then.
PATIENCE = 3.0
# Probes are read by programs, in one language; people read these on a page, in theirs.
AWAY = gettext_noop("The database cannot be reached.")
EMPTY = gettext_noop(
    "The database is empty: DATABASE_URL may mean another one. A new one waits for “manage.py migrate”."
)
BUSY = gettext_noop("The database is busy: something waited too long for its turn.")
BEHIND = gettext_noop("The database waits for “manage.py migrate”.")


@never_cache
@require_safe
def live(request: HttpRequest) -> HttpResponse:
    """The process answers. Asks nothing of anybody, so that a database that is away restarts no web server."""
    return words("alive", 200)


@never_cache
@require_safe
def ready(request: HttpRequest) -> HttpResponse:
    last_error = what_is_missing()
    return words(last_error or "ready", 503 if last_error else 200)


def what_is_missing() -> str | None:
    """Asks the database, and never raises because of it."""
    try:
        with pymongo.timeout(PATIENCE):
            if not migrations_waiting():
                return None
            return EMPTY if is_empty() else EARLIER if is_of_earlier_version() else BEHIND
    except DatabaseError:
        return AWAY


def words(text: str, status: int) -> HttpResponse:
    return HttpResponse(text + "\n", status=status, content_type="text/plain; charset=utf-8")
