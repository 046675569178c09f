"""What needs a person: trouble with registrations, critical alerts, and what waits for a decision."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

from django.db.models import Q
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext

from core.cached_counts import OpenCounts, up_to
from core.text import ago, counted
from dnbmon_site.accounts.api_key_rights import unknown_words
from dnbmon_site.accounts.models import ApiKey, User
from health.models import Incident, State
from monitoring.alerts.own_alerts import own_alerts
from monitoring.alerts.rules import few
from monitoring.elements.formatting import lower_first
from monitoring.models import AlertState, Channel, Severity
from monitoring.outbox.permitted_addresses import why_refused
from monitoring.pull.admin.registrations import marks_of
from portfolio.models import ImportState, ProposalState, Registration
from portfolio.registrations.status import countdown, loss_sentence, status

URGENCY = ("info", "bad", "warn", "calm")
LATE_AFTER = timedelta(minutes=12)
# Checks of health whose matter this page tells by registration and by number.
SHOWN_HERE = ("stopped", "reading", "gap", "replay", "pulling", "fresh", "jobs", "dead-letters", "in-doubt")


@dataclass(frozen=True, slots=True)
class Need:
    """Something a person should look at; `act` is what to do there, in a word or two."""

    tone: str
    title: str
    text: str
    link: str = ""
    act: str = ""
    # Its newest, each as words, link and time.
    newest: Sequence[tuple[str, str, datetime]] = ()

    @property
    def urgency(self) -> str:
        return {"info": gettext("Yours"), "bad": gettext("Now"), "warn": gettext("Soon"), "calm": gettext("Know")}[
            self.tone
        ]


def needs_of(request: HttpRequest, registrations: Sequence[Registration], numbers: OpenCounts) -> list[Need]:
    """Of all registrations, whatever the page is filtered by; the reader's own first, then the most urgent."""
    found = [
        *_own_alerts(request),
        *_worker(request, registrations, numbers),
        *_critical_alerts(numbers),
        *_unnotified(request, numbers),
        *(need for row in registrations for need in _needs_of(row, numbers)),
        *_unreadable(request, numbers),
        *_health(request),
        *_decisions(request, numbers),
        *_keys(request),
        *_channels(request),
    ]
    return sorted(found, key=lambda need: URGENCY.index(need.tone))


def _worker(request: HttpRequest, registrations: Sequence[Registration], numbers: OpenCounts) -> Iterator[Need]:
    """The numbers themselves tell: a worker counts them anew every five minutes."""
    counted_at = numbers.counted_at
    if not registrations or (counted_at and timezone.now() - counted_at < LATE_AFTER):
        return
    may_start = request.user.has_perm("health.change_incident")
    act = gettext("Start one: manage.py worker.") if may_start else gettext("Tell whoever runs this program.")
    text = f"{gettext('Nothing is pulled.')} {act}"
    if counted_at:
        text += " " + gettext("What you see was counted %(when)s.") % {"when": ago(counted_at)}
    yield Need("bad", gettext("No worker runs"), text)


def _own_alerts(request: HttpRequest) -> Iterator[Need]:
    own = own_alerts(request.user)
    if count := own["open"]:
        title = ngettext("%(count)s alert is assigned to you", "%(count)s alerts are assigned to you", count)
        text = gettext("Acknowledge what you look after, and close what is settled.")
        link = reverse("admin:monitoring_alert_changelist") + "?assignee=me"
        newest = [_alert(told) for told in own["newest"]]
        yield Need("info", title % {"count": up_to(count)}, text, link, gettext("Look"), newest)


def _unnotified(request: HttpRequest, numbers: OpenCounts) -> Iterator[Need]:
    """Alerts that nobody would be notified of; for whoever may change that."""
    rules, may = numbers.of("unnotified").get("rules", []), request.user.has_perm
    may_rule = may("monitoring.change_alertrule")
    if not rules or not (may("monitoring.change_channel") or may_rule):
        return
    title = ngettext(
        "No channel takes the alerts of %(count)s rule", "No channel takes the alerts of %(count)s rules", len(rules)
    )
    text = gettext("%(rules)s: where a company has no owner, nobody is notified.") % {"rules": few(rules)}
    text = f"{text} {_way_out(numbers, may_rule)}"
    yield Need("warn", title % {"count": counted(len(rules))}, text, *_where(numbers))


def _way_out(numbers: OpenCounts, may_rule: bool) -> str:
    found = numbers.of("unnotified")
    if waiting := found.get("waiting"):
        words = gettext("%(channels)s: nobody who reads there has followed the link in the mail that asks.")
        return words % {"channels": few(waiting)}
    if not found["channels"]:
        return gettext("A new channel takes the alerts of every rule from high on.")
    if may_rule:
        return gettext("Tick a channel in the rules, or let a channel take the alerts of every rule.")
    return gettext("Let a channel take the alerts of every rule.")


def _where(numbers: OpenCounts) -> tuple[str, str]:
    if numbers.of("unnotified")["channels"]:
        return reverse("admin:monitoring_channel_changelist"), gettext("Look")
    return reverse("admin:monitoring_channel_add"), gettext("Make a channel")


def _critical_alerts(numbers: OpenCounts) -> Iterator[Need]:
    if count := numbers.of("alerts").get("critical", 0):
        title = ngettext("%(count)s critical alert", "%(count)s critical alerts", count) % {"count": up_to(count)}
        link = reverse("admin:monitoring_alert_changelist")
        link += f"?state={AlertState.NEW.value}&severity={Severity.CRITICAL.value}"
        newest = [_alert(told) for told in numbers.of("alerts").get("newest", ())]
        yield Need("bad", title, gettext("Nobody has acknowledged them yet."), link, gettext("Look"), newest)


def _alert(told: Mapping[str, str]) -> tuple[str, str, datetime]:
    link = reverse("admin:monitoring_alert_change", args=[told["key"]])
    return told["title"], link, datetime.fromisoformat(told["raised_at"])


def _needs_of(row: Registration, numbers: OpenCounts) -> Iterator[Need]:
    link, look = reverse("admin:portfolio_registration_change", args=[row.pk]), gettext("Look")
    found = status(row)
    if found.tone in ("bad", "warn"):
        yield Need(found.tone, f"{row.reference}: {lower_first(found.word)}", found.sentence, link, look)
    for word, tone, why in marks_of(row):
        if why != found.sentence:
            yield Need(tone, f"{row.reference}: {lower_first(word)}", why, link, look)
    if left := countdown(row):
        tone = "bad" if left == "now" else "warn"
        title = gettext("%(registration)s: loss %(when)s") % {"registration": row.reference, "when": left}
        yield Need(tone, title, loss_sentence(row), link, look)
    if in_doubt := numbers.of("in_doubt").get(str(row.pk), 0):
        title = ngettext(
            "%(registration)s: %(count)s call in doubt", "%(registration)s: %(count)s calls in doubt", in_doubt
        ) % {"registration": row.reference, "count": counted(in_doubt)}
        text = gettext("Something may have been taken and not received. Replay repairs it by itself.")
        yield Need("calm", title, text, reverse("admin:monitoring_delivery_changelist") + "?state=doubtful", look)


def _unreadable(request: HttpRequest, numbers: OpenCounts) -> Iterator[Need]:
    if count := numbers.of("unreadable").get("open", 0):
        title = ngettext("%(count)s item could not be read", "%(count)s items could not be read", count)
        link = reverse("admin:monitoring_deadletter_changelist") + "?state=open"
        may = request.user.has_perm("monitoring.change_deadletter")
        text = gettext("Look at them, then try again or set them aside.") if may else gettext("Their bytes are safe.")
        yield Need("warn", title % {"count": up_to(count)}, text, link, gettext("Look"))


def _keys(request: HttpRequest) -> Iterator[Need]:
    """Keys that do less than whoever issued them believes, for those who issue keys."""
    if not request.user.has_perm("accounts.change_apikey"):
        return
    for key in ApiKey.objects.valid():
        if key.unknown_scopes:
            title = gettext("API key “%(name)s” has a scope that does not exist") % {"name": key.name}
            link = reverse("admin:accounts_apikey_change", args=[key.pk])
            yield Need("warn", title, unknown_words(key), link, gettext("Correct"))


def _channels(request: HttpRequest) -> Iterator[Need]:
    """Channels that nothing is sent to any more, whatever was allowed when they were made: one's own, and shared ones
    for those who look after them."""
    looked_after = Q(person=request.user.pk)
    if request.user.has_perm("monitoring.change_channel"):
        looked_after |= Q(person=None)
    for row in Channel.objects.filter(looked_after, active=True, unsubscribed_at=None).order_by("name"):
        # The reader is known here: no further query for each.
        row.person = cast(User, request.user) if row.person_id else None
        if why := why_refused(row):
            title = gettext("Nothing is sent to the channel “%(name)s”") % {"name": row.name}
            link = reverse("admin:monitoring_channel_change", args=[row.pk])
            yield Need("warn", title, why, link, gettext("Correct"))


def _health(request: HttpRequest) -> Iterator[Need]:
    """What health has found, without what this page tells of itself; for those who may see health."""
    if not request.user.has_perm("health.change_incident"):
        return
    for row in Incident.objects.filter(ended_at=None).order_by("-started_at"):
        if row.dedup_key.partition(":")[0] not in SHOWN_HERE:
            tone = "bad" if row.state == State.CRITICAL else "warn"
            yield Need(tone, row.title, row.latest_detail, reverse("health"), gettext("Look"))


# What waits for a decision, for those with the right to it


def _decisions(request: HttpRequest, numbers: OpenCounts) -> Iterator[Need]:
    may = request.user.has_perm
    yield from _proposals(numbers, may("portfolio.decide_proposal"), may("portfolio.approve_import"))
    yield from _imports(numbers, may("portfolio.confirm_import"), may("portfolio.approve_import"))
    if may("portfolio.change_subject"):
        yield from _refused(numbers)


def _proposals(numbers: OpenCounts, may_decide: bool, may_approve: bool) -> Iterator[Need]:
    counts, link = numbers.of("proposals"), reverse("admin:portfolio_proposal_changelist")
    if may_decide and (count := counts.get(ProposalState.OPEN, 0)):
        title = ngettext("%(count)s proposal to decide", "%(count)s proposals to decide", count)
        text = gettext(
            "D&B has merged, deleted or refused companies that you want watched. Accept or dismiss what is proposed."
        )
        yield Need("warn", title % {"count": up_to(count)}, text, f"{link}?state=open", gettext("Decide"))
    if may_approve and (count := counts.get(ProposalState.AWAITING_APPROVAL, 0)):
        title = ngettext(
            "%(count)s proposal to approve as a second person",
            "%(count)s proposals to approve as a second person",
            count,
        )
        text = gettext("They are more than one person may decide alone.")
        link = f"{link}?state=awaiting_approval"
        yield Need("warn", title % {"count": up_to(count)}, text, link, gettext("Approve"))


def _imports(numbers: OpenCounts, may_confirm: bool, may_approve: bool) -> Iterator[Need]:
    counts, link = numbers.of("imports"), reverse("admin:portfolio_subjectimport_changelist")
    text = gettext("Nothing is sent before.")
    if may_confirm and (count := counts.get(ImportState.READ, 0)):
        title = ngettext("%(count)s import to confirm", "%(count)s imports to confirm", count)
        yield Need("warn", title % {"count": up_to(count)}, text, f"{link}?state=read", gettext("Confirm"))
    if may_approve and (count := counts.get(ImportState.AWAITING_APPROVAL, 0)):
        title = ngettext(
            "%(count)s import to approve as a second person", "%(count)s imports to approve as a second person", count
        )
        awaiting = f"{link}?state=awaiting_approval"
        yield Need("warn", title % {"count": up_to(count)}, text, awaiting, gettext("Approve"))
    if may_approve and (count := counts.get(ImportState.AWAITING_UNDO, 0)):
        title = ngettext(
            "%(count)s import to be undone, to approve as a second person",
            "%(count)s imports to be undone, to approve as a second person",
            count,
        )
        link, text = f"{link}?state=awaiting_undo", gettext("Until then it stays as it is.")
        yield Need("warn", title % {"count": up_to(count)}, text, link, gettext("Approve"))


def _refused(numbers: OpenCounts) -> Iterator[Need]:
    if count := sum(numbers.of("refused").values()):
        title = ngettext("%(count)s company refused by D&B", "%(count)s companies refused by D&B", count)
        link = reverse("admin:portfolio_subject_changelist") + "?state=refused&requested=yes"
        text = gettext("They are wanted and not watched. See why, and decide.")
        yield Need("warn", title % {"count": up_to(count)}, text, link, gettext("Look"))
