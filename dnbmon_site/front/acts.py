"""After what people do on a page, what waits is counted anew, so that the front page they go back to is right."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django_q.tasks import async_task
from redis.exceptions import RedisError

from portfolio.tallying import tally

# The beginning of an address, and what an act there may change. What programs do by the API is counted by the job.
COUNTED = {
    "/monitoring/alert/": "alerts",
    "/portfolio/proposal/": "proposals",
    "/portfolio/subjectimport/": "imports",
    "/portfolio/subject/": "held",
    "/portfolio/contract/": "held",
    "/portfolio/syncrun/": "held",
}
# Over every company that is watched: seconds with some hundred thousand, so a worker counts.
BY_A_WORKER = ("held",)
TALLY = "portfolio.tallying.tally"
# How a list is looked at and taken along: nothing that is counted changes by it.
ONLY_LOOKING = ("/save/", "/columns/", "/export/")


class CountAfterActs:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        acted = request.method == "POST" and response.status_code < 400
        if acted and (names := touched(request.path)):
            count_again(names)
        return response


def count_again(names: list[str]) -> None:
    for name in names:
        if name not in BY_A_WORKER or not _a_worker_is_asked(name):
            tally(name)


def _a_worker_is_asked(name: str) -> bool:
    """Without its queue the act is done all the same, and health tells of the queue."""
    try:
        async_task(TALLY, name, task_name=f"Count what is {name}")
    except RedisError:
        return False
    return True


def touched(path: str) -> list[str]:
    if path.endswith(ONLY_LOOKING):
        return []
    return [name for beginning, name in COUNTED.items() if path.startswith(beginning)]
