"""The page of health, for those who run the program: every check, history, incidents, jobs and errors."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.contrib.messages import get_messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from core.jobs import Task
from health.checks.areas import by_area
from health.checks.registry import all_checks, headline, summary, together, wrong
from health.checks.result import Result, worst
from health.history import availability
from health.models import Incident, State
from health.schedule_status import CHANGE_JOBS, JOB_ANSWER, SEE, all_jobs, next_of
from monitoring.models import Delivery, DeliveryState
from portfolio.exports import with_registrations

LAST = 12


@never_cache
@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """Answers 503 when something is critical, and shows all the same."""
    if not request.user.has_perm(SEE):
        raise PermissionDenied
    results = all_checks()
    state = worst(results)
    status = 503 if state == State.CRITICAL else 200
    if wants_json(request):
        return JsonResponse(as_json(results), status=status)
    request.current_app = admin.site.name
    shared = {**admin.site.each_context(request), **answers(request), "title": gettext("Health")}
    return TemplateResponse(
        request, "health/status_page.html", {**shared, **page_context(request, results)}, status=status
    )


def answers(request: HttpRequest) -> dict[str, Any]:
    """Those about a job stand at the jobs, the others at the top."""
    said = list(get_messages(request))
    return {
        "messages": [one for one in said if one.extra_tags != JOB_ANSWER],
        "job_answers": [one for one in said if one.extra_tags == JOB_ANSWER],
    }


def wants_json(request: HttpRequest) -> bool:
    return request.accepts("application/json") and not request.accepts("text/html")


def as_json(results: list[Result]) -> dict[str, Any]:
    return {
        "state": worst(results).name.lower(),
        "summary": summary(results),
        "version": settings.VERSION,
        "checks": [result.as_json() for result in results],
    }


def page_context(request: HttpRequest, results: list[Result]) -> dict[str, Any]:
    now, state, jobs = timezone.now(), worst(results), all_jobs()
    days = availability.days_until(now)
    open_now = list(Incident.objects.filter(ended_at=None).order_by("-started_at")[:50])
    return {
        "now": now,
        "state": Result("", "", state, ""),
        "headline": headline(results),
        "groups": groups(results, {row.dedup_key: row.started_at for row in open_now}),
        "bars": availability.bars(days),
        "figures": figures(days),
        "promised_at": availability.promised_at(),
        "chart": {
            "width": availability.DAYS * availability.STEP,
            "height": availability.HEIGHT,
            "bar": availability.WIDTH,
            "ticks": availability.ticks(days),
        },
        "speeds": availability.speeds(now),
        "open": open_now,
        "past": list(Incident.objects.exclude(ended_at=None).order_by("-started_at")[:LAST]),
        "jobs": jobs,
        "next_job": next_of(jobs),
        "may_change_jobs": request.user.has_perm(CHANGE_JOBS),
        "errors": list(Task.objects.filter(success=False).order_by("-stopped")[:LAST]),
        "refusals": refusals(),
    }


def refusals() -> list[Delivery]:
    rows = list(Delivery.objects.filter(state=DeliveryState.REFUSED).order_by("-id")[:LAST])
    with_registrations(rows)
    return rows


def groups(results: list[Result], since: Mapping[str, datetime]) -> dict[str, Any]:
    """What is wrong, the worst at the top and since when; and all other checks by what they are about."""
    return {
        "wrong": [(one, since.get(one.dedup_key), also) for one, also in together(wrong(results))],
        "areas": by_area(result for result in results if result.state < State.WARNING),
    }


def figures(days: list[availability.Day]) -> list[tuple[str, str, str]]:
    """Words, number and tone for some spans."""
    found = []
    for last, words in ((1, gettext("Today")), (30, gettext("Last 30 days")), (90, gettext("Last 90 days"))):
        share = availability.availability(days, last=last)
        tone = "calm" if share is None else "good" if share >= availability.PROMISED else "bad"
        if share is not None and (count := availability.known(days, last=last)) < last:
            text = ngettext("%(days)s (%(count)s day of data)", "%(days)s (%(count)s days of data)", count)
            words = text % {"days": words, "count": count}
        found.append((words, "–" if share is None else availability.percent(share), tone))
    return found
