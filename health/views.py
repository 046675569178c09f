"""Probes for whoever keeps the process alive: cheap, and without a word that is not for everybody. And the buttons that
pause, resume or run a job."""

from contextlib import AbstractContextManager, nullcontext

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import DatabaseError, connection
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from core.jobs import Schedule
from health.checks.migrations import EARLIER, is_empty, is_of_earlier_version, migrations_waiting
from health.pausing import ask_for_terms
from health.schedule_status import CHANGE_JOBS, JOB_ANSWER, REFUSED_TEXT, SEE, VERBS, is_refused, job_label, pause

# A MongoDB that is away is looked for ten times as long, and who probes has gone by then.
PATIENCE = 3.0
# Probes are read by programs, in one language; people read these on a page, in theirs.
AWAY = gettext_noop("The database cannot be reached.")
EMPTY = gettext_noop(
    "The database is empty. Check DATABASE_URL, or run “.venv/bin/python manage.py migrate” if the database is new."
)
BUSY = gettext_noop("The database is busy and did not respond in time. Try again.")
BEHIND = gettext_noop("The database has pending migrations. Run “.venv/bin/python manage.py migrate”.")
SAID = {
    "resume": _("“%(name)s” is resumed."),
    "run-now": _("“%(name)s” runs as soon as a worker is free."),
}


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
        with _patience():
            if not migrations_waiting():
                return None
            return EMPTY if is_empty() else EARLIER if is_of_earlier_version() else BEHIND
    except DatabaseError:
        return AWAY


def _patience() -> AbstractContextManager[object]:
    """The other engines' connections have a limit of their own."""
    if connection.vendor != "mongodb":
        return nullcontext()
    import pymongo

    return pymongo.timeout(PATIENCE)


def words(text: str, status: int) -> HttpResponse:
    return HttpResponse(text + "\n", status=status, content_type="text/plain; charset=utf-8")


@require_POST
def change_job(request: HttpRequest, key: str, verb: str) -> HttpResponse:
    if not (request.user.has_perm(SEE) and request.user.has_perm(CHANGE_JOBS)):
        raise PermissionDenied
    if verb not in (*VERBS, "pause"):
        raise Http404(
            gettext("“%(verb)s” is not an action for jobs. Use the buttons on the Health page.") % {"verb": verb}
        )
    row = _schedule(key)
    if is_refused(row):
        messages.error(request, REFUSED_TEXT % {"name": job_label(row)}, JOB_ANSWER)
        return HttpResponseRedirect(reverse("health") + "#jobs")
    if verb == "pause":
        return _pause(request, row)
    VERBS[verb]([row], actor=request.user.get_username())
    messages.success(request, SAID[verb] % {"name": job_label(row)}, JOB_ANSWER)
    return HttpResponseRedirect(_back(request))


def _pause(request: HttpRequest, row: Schedule) -> HttpResponse:
    terms = ask_for_terms(request, [row], _back(request))
    if isinstance(terms, HttpResponse):
        return terms
    if not pause([row], actor=request.user.get_username(), **terms._asdict()):
        words = gettext("No changes made: “%(name)s” was already paused.") % {"name": job_label(row)}
        messages.info(request, words, JOB_ANSWER)
        return HttpResponseRedirect(_back(request))
    words = gettext("“%(name)s” is paused until %(end)s.") if terms.until else gettext("“%(name)s” is paused.")
    messages.success(request, words % {"name": job_label(row), "end": terms.end}, JOB_ANSWER)
    return HttpResponseRedirect(_back(request))


def _back(request: HttpRequest) -> str:
    """The page on which the button was, where it names itself."""
    back = request.POST.get("back", "")
    is_safe = url_has_allowed_host_and_scheme(back, allowed_hosts={request.get_host()})
    return back if is_safe else reverse("health") + "#jobs"


def _schedule(key: str) -> Schedule:
    try:
        row = Schedule.objects.filter(pk=Schedule._meta.pk.to_python(key)).first()
    except (ValidationError, ValueError) as error:
        raise Http404(gettext("The job does not exist, or it was deleted. See the jobs on the Health page.")) from error
    if row is None:
        raise Http404(gettext("The job does not exist, or it was deleted. See the jobs on the Health page."))
    return row
