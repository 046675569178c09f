"""After an act on a page its open counts are counted again, so that the Overview people go back to is right."""

from __future__ import annotations

import re
from collections.abc import Callable
from http import HTTPStatus

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import resolve_url

from core.cached_counts import update_counts
from core.jobs import ask_worker, queue_errors

# The beginning of an address, and what an act there may change. What workers do they count themselves.
COUNTED = {
    "/monitoring/alert/": ("alerts",),
    "/portfolio/proposal/": ("proposals", "held"),
    "/portfolio/subjectimport/": ("imports",),
    "/portfolio/subject/": ("held",),
    "/portfolio/contract/": ("held",),
    "/portfolio/syncrun/": ("held",),
    "/api/v1/imports/": ("imports",),
    "/accounts/apikey/": ("api_keys",),
    # A channel of a user who was deactivated receives nothing.
    "/accounts/user/": ("unnotified",),
    "/start/dismiss/": ("guided_start",),
}
# Companies that programs request or withdraw.
SUBJECTS_OF_THE_API = re.compile(r"/api/v1/registrations/[^/]+/subjects/")
# Over every monitored company: seconds with some hundred thousand, so a worker counts.
BY_A_WORKER = ("held",)
TALLY = "core.cached_counts.update_counts"
# How a list is looked at and taken along: nothing that is counted changes by it.
ONLY_LOOKING = ("/save/", "/columns/", "/export/")


class CountAfterActs:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        acted = request.method in ("POST", "DELETE") and did_its_work(request, response)
        if acted and (names := touched(request.path)):
            count_again(names)
        return response


def did_its_work(request: HttpRequest, response: HttpResponse) -> bool:
    """Whether a signed-in user was answered: others are sent to sign in."""
    if not request.user.is_authenticated or response.status_code >= HTTPStatus.BAD_REQUEST:
        return False
    return not response.get("Location", "").startswith(resolve_url(settings.LOGIN_URL))


def count_again(names: list[str]) -> None:
    for name in names:
        if name not in BY_A_WORKER or not _a_worker_is_asked(name):
            update_counts(name)


def _a_worker_is_asked(name: str) -> bool:
    """Without its queue the act is done all the same, and health reports the queue."""
    try:
        ask_worker(TALLY, name, task_name=f"Update counts: {name}")
    except queue_errors():
        return False
    return True


def touched(path: str) -> list[str]:
    if path.endswith(ONLY_LOOKING):
        return []
    if SUBJECTS_OF_THE_API.fullmatch(path):
        return ["held", "imports"]
    return [name for beginning, names in COUNTED.items() if path.startswith(beginning) for name in names]
