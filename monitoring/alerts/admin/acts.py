"""What people do on an alert's page: each act says how it went, and offers to undo it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext

from core.admin.row_actions import Outcome, RowAction
from monitoring.alerts.actions import acknowledge, assign, close, comment, reopen
from monitoring.alerts.admin.filters import key_of
from monitoring.alerts.admin.questions import CloseQuestion, Question, SnoozeQuestion, ask
from monitoring.alerts.routing import open_channels_of
from monitoring.alerts.undo import columns_of, undo, undo_token
from monitoring.alerts.workflow.assignees import assignable, why_not
from monitoring.alerts.workflow.snooze import snooze, wake
from monitoring.company_page.timeline import without_company
from monitoring.follows.admin.mentions import notify_of, notify_of_comments
from monitoring.jobs import have_it_sent
from monitoring.models import Alert, AlertState
from monitoring.outbox.permitted_addresses import unconfirmed_addresses, waits_for


def _acknowledge(request: HttpRequest, row: Alert) -> Outcome:
    done = acknowledge([row.pk], by=request.user.get_username())
    return gettext("Alert acknowledged.") if done else _somebody_was_faster()


def _close(request: HttpRequest, row: Alert) -> Outcome:
    answer = CloseQuestion.answered(request)
    if answer is None or not answer.is_valid():
        return _ask(request, row, answer or CloseQuestion(), gettext("Close the alert"), gettext("Close"))
    by, asked, begun = request.user.get_username(), answer.cleaned_data, timezone.now()
    done = close([row.pk], by=by, reason=asked["reason"], text=asked["text"])
    if not done:
        # About this one alert it was written anyway.
        comment(row.pk, by=by, text=asked["text"])
    notify_of_comments(request, [row.pk], asked["text"], begun)
    return gettext("Alert closed.") if done else _somebody_was_faster()


def _snooze(request: HttpRequest, row: Alert) -> Outcome:
    answer = SnoozeQuestion.answered(request)
    if answer is None or not answer.is_valid():
        return _ask(request, row, answer or SnoozeQuestion(), gettext("Snooze the alert"), gettext("Snooze"))
    by, asked, begun = request.user.get_username(), answer.cleaned_data, timezone.now()
    done = snooze([row.pk], by=by, until=asked["end"], wakes_if_worse=asked["worse"], text=asked["text"])
    notify_of_comments(request, done, asked["text"], begun)
    return gettext("Alert snoozed.") if done else _somebody_was_faster()


def _wake(request: HttpRequest, row: Alert) -> Outcome:
    done = wake([row.pk], by=request.user.get_username())
    return gettext("The alert is back in the inbox.") if done else _somebody_was_faster()


def _ask(request: HttpRequest, row: Alert, question: Question, title: str, button: str) -> HttpResponse:
    back = reverse("admin:monitoring_alert_change", args=[row.pk])
    back = f"{back}?{query}" if (query := request.GET.urlencode()) else back
    return ask(request, question, title=title, button=button, back=back, notes=_about(row))


def _about(row: Alert) -> list[str]:
    """The company, with its number, and what happened to it."""
    if not row.company_id:
        return [row.title]
    name = row.company.name if row.company else ""
    return [f"{name} ({row.company_id})" if name else row.company_id, without_company(row.title, row.company_id)]


def _open(request: HttpRequest, row: Alert) -> Outcome:
    done = reopen([row.pk], by=request.user.get_username())
    return gettext("Alert reopened.") if done else _somebody_was_faster()


def _somebody_was_faster() -> Outcome:
    return messages.WARNING, gettext(
        "No changes made: the alert was updated in the meantime. The page shows its current status."
    )


def _comment(request: HttpRequest, row: Alert) -> Outcome:
    written = comment(row.pk, by=request.user.get_username(), text=request.POST.get("text", ""))
    if written:
        notify_of(request, [written])
    return gettext("Comment added.") if written else (messages.WARNING, gettext("Enter a comment first."))


def _assign(request: HttpRequest, row: Alert) -> Outcome:
    """To whom, and how they get to know of it."""
    text, by = request.POST.get("person", ""), request.user.get_username()
    key = key_of(text)
    person = assignable(request.user).filter(pk=key).first() if key else None
    if text and person is None:
        raise Http404(
            gettext("This user does not exist, was deactivated, or may not work on alerts. Choose another assignee.")
        )
    if person and (objection := why_not(person, [row.pk])):
        return messages.ERROR, objection
    assign([row.pk], to=person, by=by)
    have_it_sent()
    return _notified(person, by) if person else gettext("Assignee removed.")


def _notified(person: Any, by: str) -> Outcome:
    if person.get_username() == by:
        return gettext("Assigned to you.")
    channels = open_channels_of(person)
    asked = unconfirmed_addresses(channels)
    if reached := [channel.display_address for channel in channels if channel.pk not in asked]:
        words = gettext("Assigned to %(person)s. A notification is sent to %(addresses)s.")
        return words % {"person": person, "addresses": ", ".join(reached)}
    if channels:
        words = gettext("Assigned to %(person)s. No notification is sent yet. %(why)s")
        why = waits_for([address for addresses in asked.values() for address in addresses])
        return messages.WARNING, words % {"person": person, "why": why}
    words = gettext(
        "Assigned to %(person)s. No notification is sent, because they have no email address and no enabled channel."
        " The alert is on their Overview."
    )
    return messages.WARNING, words % {"person": person}


def _undo(request: HttpRequest, row: Alert) -> Outcome:
    if undo(row.pk, request.POST.get("token", ""), by=request.user):
        is_reopened = row.state == AlertState.CLOSED != columns_of(row.pk)["state"]
        return gettext("Alert reopened.") if is_reopened else gettext("Undone.")
    words = gettext("The action cannot be undone: the alert was updated in the meantime. Check its status below.")
    return messages.WARNING, words


def _may_be_undone(name: str, act: RowAction) -> RowAction:
    """The act's message carries a button that undoes it."""

    def do(request: HttpRequest, row: Alert) -> Outcome:
        before = columns_of(row.pk)
        outcome = act(request, row)
        if isinstance(outcome, HttpResponse):
            return outcome
        level, words = outcome if isinstance(outcome, tuple) else (messages.SUCCESS, outcome)
        token = undo_token(row.pk, name, before, request.user.pk)
        if not token:
            return outcome
        context: dict[str, Any] = {"row": row, "words": words, "token": token, "csrf": get_token(request)}
        context |= {"query": request.GET.urlencode(), "is_close": name == "close"}
        return level, render_to_string("monitoring/alerts/undo.html", context)

    return do


ACTIONS: Mapping[str, RowAction] = {
    "acknowledge": _may_be_undone("acknowledge", _acknowledge),
    "close": _may_be_undone("close", _close),
    "open": _may_be_undone("open", _open),
    "assign": _may_be_undone("assign", _assign),
    "snooze": _may_be_undone("snooze", _snooze),
    "wake": _may_be_undone("wake", _wake),
    "comment": _comment,
    "undo": _undo,
}
