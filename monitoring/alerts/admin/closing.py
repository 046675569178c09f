"""Closing alerts: why is asked first, and a comment that was typed is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.core.exceptions import BadRequest
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from core.admin.row_actions import CSRF_FIELD
from core.api.parameters import read_moment
from core.text import counted
from monitoring.alerts.actions import LONGEST
from monitoring.models import Alert, CloseReason

HINTS: dict[CloseReason, Promise] = {
    CloseReason.ACTED: _("You or others have done what was necessary."),
    CloseReason.KNOWN: _("The facts were known before the alert was raised."),
    CloseReason.NOISE: _("The change does not matter. Consider a narrower rule."),
    CloseReason.WRONG_DATA: _("D&B reported something that is not true."),
}
COUNT, UNTIL = "count", "until"
ASKED = ("reason", "text", COUNT, UNTIL, CSRF_FIELD)
# A message carries the keys of so many at most.
REOPENED_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Answer:
    reason: CloseReason
    text: str


def answer_of(request: HttpRequest) -> Answer | None:
    """None where no reason was chosen yet."""
    reason = request.POST.get("reason", "")
    return Answer(CloseReason(reason), request.POST.get("text", "")) if reason in CloseReason.values else None


def as_asked(request: HttpRequest, alerts: QuerySet[Alert]) -> QuerySet[Alert]:
    """Without those that were raised since the question."""
    text = request.POST.get(UNTIL)
    if text is None:
        return alerts
    try:
        return alerts.filter(raised_at__lte=read_moment(text))
    except ValueError as error:
        raise BadRequest from error


def is_beyond_question(request: HttpRequest, count: int) -> bool:
    """Whether more would be closed than the question named: one that arrives late may have been raised before it."""
    named = request.POST.get(COUNT, "")[:9]
    return named.isdecimal() and count > int(named)


def ask_why(request: HttpRequest, count: int, back: str) -> HttpResponse:
    """The same form again, with the question; what was typed already stands in it."""
    fields = [(name, value) for name, values in request.POST.lists() for value in values if name not in ASKED]
    fields += [(COUNT, str(count)), (UNTIL, timezone.now().isoformat())]
    words = ngettext("Close the alert", "Close %(count)s alerts", count)
    shown: dict[str, Any] = {
        "title": words % {"count": counted(count)},
        "choices": [(one.value, one.label, HINTS[one]) for one in CloseReason],
        "text": request.POST.get("text", ""),
        "longest": LONGEST,
        "fields": fields,
        "back": back,
    }
    request.current_app = admin.site.name
    return TemplateResponse(request, "monitoring/alerts/close.html", {**admin.site.each_context(request), **shown})


def closed_text(request: HttpRequest, alerts: Sequence[UUID]) -> SafeString:
    """The message after several were closed: where they are now, and how to have them back."""
    count = len(alerts)
    words = ngettext("%(count)s alert closed.", "%(count)s alerts closed.", count) % {"count": counted(count)}
    keys = alerts if len(alerts) <= REOPENED_AT_ONCE else []
    return render_to_string("monitoring/alerts/closed.html", {"words": words, "keys": keys, "csrf": get_token(request)})
