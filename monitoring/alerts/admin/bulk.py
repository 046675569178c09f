"""Actions on many alerts: how many is said first, and exactly those are changed.

The question carries each alert's key with a check of its columns. What was raised since is not among them; what was
changed since is left as it is, and the answer says how many that were.
"""

from __future__ import annotations

import uuid
import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from core.bulk import find_rows
from core.db import in_batches
from core.text import counted
from monitoring.alerts.actions import HANDLED, acknowledge, assign, close, reopen
from monitoring.alerts.admin.questions import AssignQuestion, CloseQuestion, Question, SnoozeQuestion, ask
from monitoring.alerts.workflow.inbox import OPEN, snoozed
from monitoring.alerts.workflow.snooze import snooze, wake
from monitoring.follows.admin.mentions import notify_of_comments
from monitoring.jobs import have_it_sent
from monitoring.models import Alert, AlertState
from portfolio.models import Company

CHOSEN = "chosen"
MOST = 10_000
# So many of the companies are named.
NAMED = 20
# Whoever acts on one has seen these.
SEEN = ("state", "assignee_id", "snoozed_until", "fact_count", "reversed_by")
KEY, CHECK = 16, 4
# A message carries the keys of so many at most.
REOPENED_AT_ONCE = 100

Chosen = dict[uuid.UUID, int]
Rows = QuerySet[Alert]
# A sentence about so many.
Words = Callable[[int], str]
# What is done, with the answer, by whom; returns how many alerts it changed.
Act = Callable[[Sequence[uuid.UUID], dict[str, Any], Any], int]


@dataclass(frozen=True, slots=True)
class Bulk:
    """An action: to which alerts it applies, what is asked, and the words of question, button and answer."""

    act: Act
    applies: Callable[[], Q]
    title: Words
    done: Words
    button: str | Promise
    question: type[Question] = Question


def _assigned(keys: Sequence[uuid.UUID], to: Any, by: Any) -> int:
    count = assign(keys, to=to, by=by.get_username())
    have_it_sent()
    return count


def _close(keys: Sequence[uuid.UUID], asked: dict[str, Any], by: Any) -> int:
    return len(close(keys, by=by.get_username(), reason=asked["reason"], text=asked["text"]))


def _snooze(keys: Sequence[uuid.UUID], asked: dict[str, Any], by: Any) -> int:
    done = snooze(keys, by=by.get_username(), until=asked["end"], wakes_if_worse=asked["worse"], text=asked["text"])
    return len(done)


ACTIONS: Mapping[str, Bulk] = {
    "acknowledge": Bulk(
        lambda keys, asked, by: acknowledge(keys, by=by.get_username()),
        lambda: Q(state=AlertState.NEW),
        lambda count: ngettext("Acknowledge %(count)s alert", "Acknowledge %(count)s alerts", count),
        lambda count: ngettext("%(count)s alert acknowledged.", "%(count)s alerts acknowledged.", count),
        _("Acknowledge"),
    ),
    "take": Bulk(
        lambda keys, asked, by: _assigned(keys, by, by),
        Q,
        lambda count: ngettext("Assign %(count)s alert to yourself", "Assign %(count)s alerts to yourself", count),
        lambda count: ngettext("%(count)s alert assigned to you.", "%(count)s alerts assigned to you.", count),
        _("Assign to me"),
    ),
    "assign": Bulk(
        lambda keys, asked, by: _assigned(keys, asked["person"], by),
        Q,
        lambda count: ngettext("Assign %(count)s alert", "Assign %(count)s alerts", count),
        lambda count: ngettext("%(count)s alert assigned.", "%(count)s alerts assigned.", count),
        _("Assign"),
        AssignQuestion,
    ),
    "snooze": Bulk(
        _snooze,
        lambda: Q(state__in=OPEN),
        lambda count: ngettext("Snooze %(count)s alert", "Snooze %(count)s alerts", count),
        lambda count: ngettext("%(count)s alert snoozed.", "%(count)s alerts snoozed.", count),
        _("Snooze"),
        SnoozeQuestion,
    ),
    "wake": Bulk(
        lambda keys, asked, by: len(wake(keys, by=by.get_username())),
        snoozed,
        lambda count: ngettext("End the snooze for %(count)s alert", "End the snooze for %(count)s alerts", count),
        lambda count: ngettext(
            "%(count)s alert returned to the inbox.", "%(count)s alerts returned to the inbox.", count
        ),
        _("End snooze"),
    ),
    "close": Bulk(
        _close,
        lambda: Q(state__in=OPEN),
        lambda count: ngettext("Close %(count)s alert", "Close %(count)s alerts", count),
        lambda count: ngettext("%(count)s alert closed.", "%(count)s alerts closed.", count),
        _("Close"),
        CloseQuestion,
    ),
    "reopen": Bulk(
        lambda keys, asked, by: reopen(keys, by=by.get_username()),
        lambda: Q(state__in=HANDLED),
        lambda count: ngettext("Reopen %(count)s alert", "Reopen %(count)s alerts", count),
        lambda count: ngettext("%(count)s alert reopened.", "%(count)s alerts reopened.", count),
        _("Reopen"),
    ),
}


def ask_or_do(request: HttpRequest, name: str, selected: Rows, visible: Rows) -> HttpResponse | None:
    """`selected` are those of the list, which may be others by the time of the answer; `visible` all there are."""
    bulk = ACTIONS[name]
    if CHOSEN not in request.POST:
        return _ask(request, bulk, bulk.question(actor=request.user), visible, *_chosen_of(bulk, selected))
    chosen, question = unpacked(request.POST[CHOSEN]), bulk.question(request.POST, actor=request.user)
    keys = [key for key, check in _checks(visible, chosen) if chosen[key] == check]
    if question.is_valid() and (objection := question.objection(keys)):
        question.add_error(None, objection)
    if not question.is_valid():
        return _ask(request, bulk, question, visible, chosen, 0)
    begun = timezone.now()
    count = bulk.act(keys, question.cleaned_data, request.user)
    notify_of_comments(request, keys, question.cleaned_data.get("text", ""), begun)
    words = _text(bulk.done, count)
    messages.success(request, _with_reopen(request, keys, words) if name == "close" else words)
    _say_what_changed(request, len(chosen) - len(keys), len(keys) - count)
    return None


def _chosen_of(bulk: Bulk, selected: Rows) -> tuple[Chosen, int]:
    """Those that it applies to, and how many are left out."""
    keys = list(selected.values_list("pk", flat=True)[: MOST + 1])
    chosen = dict(_checks(Alert.objects.filter(bulk.applies()), keys))
    return chosen, len(keys) - len(chosen)


def _ask(
    request: HttpRequest, bulk: Bulk, question: Question, visible: Rows, chosen: Chosen, left_out: int
) -> HttpResponse | None:
    if len(chosen) + left_out > MOST:
        messages.error(request, gettext("Select at most %(count)s alerts at a time.") % {"count": counted(MOST)})
        return None
    if not chosen:
        messages.warning(request, gettext("No changes made: the selected alerts already have this state."))
        return None
    words = ngettext(
        "%(count)s selected alert already has this state and is not included.",
        "%(count)s selected alerts already have this state and are not included.",
        left_out,
    )
    notes = [words % {"count": counted(left_out)}] if left_out else []
    notes += [named] if (named := companies_text(visible, chosen)) else []
    title, back = _text(bulk.title, len(chosen)), request.get_full_path()
    fields = {CHOSEN: packed(chosen)}
    return ask(request, question, title=title, button=bulk.button, back=back, notes=notes, fields=fields)


def companies_text(alerts: Rows, keys: Iterable[uuid.UUID]) -> str:
    """Those that the alerts are about, by name; of very many the first."""
    found: set[str] = set()
    for batch in in_batches(list(keys)):
        found.update(alerts.filter(pk__in=batch).exclude(company=None).order_by().values_list("company_id", flat=True))
    names = sorted(name or duns for duns, name in find_rows(Company, ("duns", "name"), sorted(found)))
    if not names:
        return ""
    text = gettext("Companies: %(names)s") % {"names": "; ".join(names[:NAMED])}
    more = len(names) - NAMED
    return gettext("%(names)s; and %(count)s more") % {"names": text, "count": counted(more)} if more > 0 else text


def _text(words: Words, count: int) -> str:
    return words(count) % {"count": counted(count)}


def _say_what_changed(request: HttpRequest, count: int, already: int) -> None:
    """What was left as it was: what others changed since the question, and what was so already."""
    if already > 0:
        words = ngettext(
            "%(count)s alert already had this state and was not changed.",
            "%(count)s alerts already had this state and were not changed.",
            already,
        )
        messages.info(request, words % {"count": counted(already)})
    words = ngettext(
        "%(count)s alert was updated after you selected it, and was not changed.",
        "%(count)s alerts were updated after you selected them, and were not changed.",
        count,
    )
    if count > 0:
        messages.warning(request, words % {"count": counted(count)})


def _with_reopen(request: HttpRequest, keys: Sequence[uuid.UUID], words: str) -> SafeString:
    """Where closed alerts are now, and how to have them back."""
    closed = Alert.objects.filter(state=AlertState.CLOSED, closed_by=request.user.get_username())
    chosen = packed(dict(_checks(closed, keys))) if len(keys) <= REOPENED_AT_ONCE else ""
    context = {"words": words, "chosen": chosen, "key": keys[0] if keys else "", "csrf": get_token(request)}
    return render_to_string("monitoring/alerts/closed.html", context)


# The alerts that a question is about, in a hidden field


def _checks(alerts: Rows, keys: Iterable[uuid.UUID]) -> Iterator[tuple[uuid.UUID, int]]:
    for batch in in_batches(list(keys)):
        for key, *columns in alerts.filter(pk__in=batch).order_by("pk").values_list("pk", *SEEN):
            yield key, zlib.crc32("|".join(map(str, columns)).encode())


def packed(chosen: Chosen) -> str:
    parts = (key.bytes + check.to_bytes(CHECK, "big") for key, check in chosen.items())
    return urlsafe_b64encode(b"".join(parts)).decode()


def unpacked(text: str) -> Chosen:
    size = KEY + CHECK
    try:
        data = urlsafe_b64decode(text.encode("ascii"))
    except ValueError as error:
        raise BadRequest from error
    if len(data) % size or not 0 < len(data) <= MOST * size:
        raise BadRequest
    parts = (data[at : at + size] for at in range(0, len(data), size))
    return {uuid.UUID(bytes=part[:KEY]): int.from_bytes(part[KEY:], "big") for part in parts}
