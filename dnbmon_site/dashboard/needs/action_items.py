"""What needs attention: problems with registrations, critical alerts, and open decisions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import cast

from django.db.models import Q
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext

from core.cached_counts import OpenCounts, up_to
from core.outbound.mail_server import OPERATES, has_mail_server, set_up_text, set_up_text_for
from core.text import ago, counted
from core.visibility import is_restricted
from dnbmon_site.accounts.api_key_rights import unknown_words
from dnbmon_site.accounts.models import ApiKey, User
from dnbmon_site.dashboard.needs.alerts import critical_alert_needs, own_alert_needs
from dnbmon_site.dashboard.needs.mentions import mention_needs
from dnbmon_site.dashboard.needs.need import URGENCY, Need
from dnbmon_site.dashboard.needs.reviews import company_decision_needs
from health.models import Incident, State
from health.schedule_status import CHANGE_JOBS, SEE
from monitoring.alerts.rules import few
from monitoring.elements.formatting import lower_first
from monitoring.models import Channel
from monitoring.outbox.permitted_addresses import why_refused
from monitoring.pull.admin.details import marks_of
from portfolio.models import ImportState, ProposalState, Registration, RegistrationState
from portfolio.open_counts import LACKS_NUMBERS
from portfolio.registrations.pull_job import Pause
from portfolio.registrations.status import countdown, first_loss, loss_sentence, loss_tone, status

LATE_AFTER = timedelta(minutes=12)
# Checks of health whose results this page shows by registration and by number.
SHOWN_HERE = ("stopped", "reading", "gap", "replay", "pulling", "fresh", "jobs", "dead-letters", "in-doubt")
# And those that the guided start has as steps.
GUIDED = ("configuration", "dnb")


def needs_of(
    request: HttpRequest,
    registrations: Sequence[Registration],
    numbers: OpenCounts,
    paused: Pause | None,
    *,
    is_guided: bool = False,
    has_steps: bool = False,
) -> list[Need]:
    """Of all registrations, whatever the page is filtered by; the reader's own first, then the most urgent. What the
    guided start shows as a step is not shown twice: it may stay when there is data (`has_steps`)."""
    if is_restricted(request.user):
        alerts = (*own_alert_needs(request, numbers), *critical_alert_needs(request, numbers))
        return [*mention_needs(request.user), *alerts, *company_decision_needs(numbers, request.user.has_perm)]
    shown = (*SHOWN_HERE, *GUIDED) if is_guided else SHOWN_HERE
    found = [
        *mention_needs(request.user),
        *own_alert_needs(request, numbers),
        *_worker(request, registrations, numbers),
        *_paused_pulls(request, paused, registrations),
        *critical_alert_needs(request, numbers),
        *_unnotified(request, numbers, is_guided=is_guided),
        *_unconfirmed(request, numbers, is_guided=is_guided),
        *(need for row in registrations for need in _needs_of(row, numbers, pulls_paused=paused is not None)),
        *_unreadable(request, numbers),
        *_health(request, (*shown, "paused") if paused else shown),
        *_decisions(request, numbers),
        *_keys(request, numbers),
        *_channels(request, numbers),
        *([] if has_steps else _unadopted(request, registrations)),
    ]
    return sorted(found, key=lambda need: URGENCY.index(need.tone))


def _worker(request: HttpRequest, registrations: Sequence[Registration], numbers: OpenCounts) -> Iterator[Need]:
    """Seen by the counts: a worker counts again every five minutes."""
    counted_at = numbers.counted_at
    if not registrations or (counted_at and timezone.now() - counted_at < LATE_AFTER):
        return
    may_start = request.user.has_perm("health.change_incident")
    if may_start:
        text = gettext(
            "No registration is pulled until a worker runs. Start one with: .venv/bin/python manage.py worker."
        )
    else:
        text = gettext("No registration is pulled until a worker runs. Ask an administrator to start one.")
    if counted_at:
        text += " " + gettext("The numbers on this page are from %(when)s.") % {"when": ago(counted_at)}
    yield Need("bad", gettext("No worker is running"), text)


def _paused_pulls(request: HttpRequest, paused: Pause | None, registrations: Sequence[Registration]) -> Iterator[Need]:
    if paused is None or not any(row.state == RegistrationState.ACTIVE for row in registrations):
        return
    title, text = gettext("Pulls are paused"), f"{paused.sentence} {first_loss(registrations)}"
    severity = str(State.WARNING.label)
    if request.user.has_perms((SEE, CHANGE_JOBS)):
        link = reverse("health_job", args=[paused.schedule, "resume"])
        yield Need("warn", title, text, link, gettext("Resume pulls"), is_post=True, severity=severity)
    else:
        text = f"{text} {gettext('Ask an operator to resume the job.')}"
        yield Need("warn", title, text, severity=severity)


def _unnotified(request: HttpRequest, numbers: OpenCounts, *, is_guided: bool) -> Iterator[Need]:
    """Alerts that would notify no one; for those who may change that."""
    rules, may = numbers.of("unnotified").get("rules", []), request.user.has_perm
    may_rule = may("monitoring.change_alertrule")
    if not rules or not (may("monitoring.change_channel") or may_rule):
        return
    if is_guided and not numbers.of("unnotified")["channels"]:
        return
    title, text = _no_one_notified(len(rules)) if has_mail_server() else _no_one_emailed(len(rules))
    parts = text % {"rules": few(rules)}, _way_out(numbers, may_rule), _set_up(request, numbers)
    text = " ".join(filter(None, parts))
    yield Need("warn", title % {"count": counted(len(rules))}, text, *_where(numbers))


def _no_one_notified(count: int) -> tuple[str, str]:
    title = ngettext(
        "%(count)s rule of high or critical severity has no channel",
        "%(count)s rules of high or critical severity have no channel",
        count,
    )
    return title, gettext("%(rules)s: no one is notified about companies without an owner.")


def _no_one_emailed(count: int) -> tuple[str, str]:
    """Emails to the users of a rule, and to the owners of companies, do not leave either."""
    title = ngettext(
        "%(count)s rule of high or critical severity notifies no one",
        "%(count)s rules of high or critical severity notify no one",
        count,
    )
    return title, gettext(
        "%(rules)s: users and owners of companies receive no emails because no email server is set up."
    )


def _way_out(numbers: OpenCounts, may_rule: bool) -> str:
    """What is left to select; channels that wait for confirmation are a task of their own."""
    found = numbers.of("unnotified")
    if not found["channels"]:
        return ""
    if not found.get("open", 1):
        words = gettext("%(channels)s: emails are not sent because no email server is set up.")
        return words % {"channels": few(found["muted"])} if found.get("muted") else ""
    if may_rule:
        return gettext("Select a channel in the rules, or set a channel to receive alerts from every rule.")
    return gettext("Set a channel to receive alerts from every rule.")


def _set_up(request: HttpRequest, numbers: OpenCounts) -> str:
    """Without an email server: the steps for those who operate D&B Monitoring, and what others can do."""
    if has_mail_server():
        return ""
    if numbers.of("unnotified")["channels"]:
        return set_up_text_for(request.user)
    if request.user.has_perm(OPERATES):
        return f"{gettext('Add a chat channel, or set up an email server.')} {set_up_text()}"
    return gettext("Ask your administrator to set up an email server, or add a chat channel.")


def _where(numbers: OpenCounts) -> tuple[str, str]:
    if numbers.of("unnotified")["channels"]:
        return reverse("admin:monitoring_channel_changelist"), gettext("View channels")
    return reverse("admin:monitoring_channel_add"), gettext("Add channel")


def _unconfirmed(request: HttpRequest, numbers: OpenCounts, *, is_guided: bool) -> Iterator[Need]:
    waiting = numbers.of("unnotified").get("waiting", [])
    if not waiting or is_guided or not request.user.has_perm("monitoring.change_channel"):
        return
    title = ngettext(
        "%(count)s channel awaiting confirmation", "%(count)s channels awaiting confirmation", len(waiting)
    )
    text = gettext(
        "%(channels)s: no recipient has confirmed the address yet. Ask them to follow the link in the email."
    )
    link = reverse("admin:monitoring_channel_changelist")
    words = title % {"count": counted(len(waiting))}
    yield Need("warn", words, text % {"channels": few(waiting)}, link, gettext("View channels"))


def _needs_of(row: Registration, numbers: OpenCounts, *, pulls_paused: bool) -> Iterator[Need]:
    """Where all pulls are paused, that is one task and not one for each registration."""
    link, look = reverse("admin:portfolio_registration_change", args=[row.pk]), gettext("View registration")
    found = status(row)
    is_held = pulls_paused and row.state == RegistrationState.ACTIVE
    if found.tone in ("bad", "warn") and not is_held:
        yield Need(found.tone, f"{row.reference}: {lower_first(found.word)}", found.sentence, link, look)
    for word, tone, why in marks_of(row):
        if why != found.sentence:
            yield Need(tone, f"{row.reference}: {lower_first(word)}", why, link, look)
    if not is_held and (left := countdown(row)):
        title = gettext("%(registration)s: data loss %(when)s") % {"registration": row.reference, "when": left}
        yield Need(loss_tone(row), title, loss_sentence(row), link, look)
    if in_doubt := numbers.of("in_doubt").get(str(row.pk), 0):
        title = ngettext(
            "%(registration)s: %(count)s call in doubt", "%(registration)s: %(count)s calls in doubt", in_doubt
        ) % {"registration": row.reference, "count": counted(in_doubt)}
        text = gettext("A response from D&B may not have arrived. A replay recovers it automatically.")
        in_log = reverse("admin:monitoring_delivery_changelist") + "?state=doubtful"
        yield Need("calm", title, text, in_log, gettext("View calls"))


def _unadopted(request: HttpRequest, registrations: Sequence[Registration]) -> Iterator[Need]:
    """One task for all of them; for those who may adopt."""
    rows = [row for row in registrations if not row.adopted]
    if rows and request.user.has_perm("portfolio.change_subject"):
        title = ngettext("%(count)s list not adopted", "%(count)s lists not adopted", len(rows))
        text = gettext(
            "%(registrations)s: D&B may monitor and bill companies that are not listed here. Adopt D&B's list to see "
            "all of them; until then, numbers of billed companies are minimums."
        )
        link = reverse("admin:portfolio_syncrun_adopt", args=[rows[0].pk])
        words = text % {"registrations": few([row.reference for row in rows])}
        yield Need("calm", title % {"count": counted(len(rows))}, words, link, gettext("Adopt list"))


def _unreadable(request: HttpRequest, numbers: OpenCounts) -> Iterator[Need]:
    if count := numbers.of("unreadable").get("open", 0):
        title = ngettext("%(count)s parsing error", "%(count)s parsing errors", count)
        link = reverse("admin:monitoring_deadletter_changelist") + "?state=open"
        may = request.user.has_perm("monitoring.change_deadletter")
        text = gettext("Some received items could not be processed. Their data is kept.")
        if may:
            text = gettext("Some received items could not be processed. Retry or dismiss them.")
        yield Need("warn", title % {"count": up_to(count)}, text, link, gettext("View parsing errors"))


def _keys(request: HttpRequest, numbers: OpenCounts) -> Iterator[Need]:
    """Keys that do less than their issuer believes, for those who issue keys."""
    # Not counted yet: it is looked.
    if not numbers.of("api_keys").get("unknown", 1) or not request.user.has_perm("accounts.change_apikey"):
        return
    for key in ApiKey.objects.valid():
        if key.unknown_scopes:
            title = gettext("API key “%(name)s” has an unknown scope") % {"name": key.name}
            link = reverse("admin:accounts_apikey_change", args=[key.pk])
            yield Need("warn", title, unknown_words(key), link, gettext("Edit API key"))


def _channels(request: HttpRequest, numbers: OpenCounts) -> Iterator[Need]:
    """Channels that nothing is sent to any more, although they were allowed when they were added: one's own, and
    shared ones for those who look after them."""
    if not numbers.of("unnotified").get("refused", 1):
        return
    looked_after = Q(person=request.user.pk)
    if request.user.has_perm("monitoring.change_channel"):
        looked_after |= Q(person=None)
    for row in Channel.objects.filter(looked_after, active=True, unsubscribed_at=None).order_by("name"):
        # The reader is known here: no further query for each.
        row.person = cast(User, request.user) if row.person_id else None
        if why := why_refused(row):
            title = gettext("Channel “%(name)s” no longer receives messages") % {"name": row.name}
            link = reverse("admin:monitoring_channel_change", args=[row.pk])
            yield Need("warn", title, why, link, gettext("Edit channel"))


def _health(request: HttpRequest, shown_elsewhere: Sequence[str]) -> Iterator[Need]:
    """What health has found and this page does not show already; for those who may see health."""
    if not request.user.has_perm("health.change_incident"):
        return
    for row in Incident.objects.filter(ended_at=None).order_by("-started_at"):
        if row.dedup_key.partition(":")[0] not in shown_elsewhere:
            tone = "bad" if row.state == State.CRITICAL else "warn"
            severity = str(State(row.state).label)
            link, look = reverse("health"), gettext("View health")
            yield Need(tone, row.title, row.latest_detail, link, look, severity=severity)


# Open decisions, for those with the right to them


def _decisions(request: HttpRequest, numbers: OpenCounts) -> Iterator[Need]:
    may = request.user.has_perm
    yield from _proposals(numbers, may("portfolio.decide_proposal"), may("portfolio.approve_import"))
    yield from _imports(numbers, may("portfolio.confirm_import"), may("portfolio.approve_import"))
    yield from company_decision_needs(numbers, may)
    if may("portfolio.change_subject"):
        yield from _refused(numbers)


def _proposals(numbers: OpenCounts, may_decide: bool, may_approve: bool) -> Iterator[Need]:
    counts, link = numbers.of("proposals"), reverse("admin:portfolio_proposal_changelist")
    if may_decide and (count := counts.get(ProposalState.OPEN, 0)):
        title = ngettext("%(count)s proposal to review", "%(count)s proposals to review", count)
        text = gettext("D&B merged, deleted or refused companies you requested. Accept or dismiss each proposal.")
        yield Need("warn", title % {"count": up_to(count)}, text, f"{link}?state=open", gettext("Review proposals"))
    if may_approve and (count := counts.get(ProposalState.AWAITING_APPROVAL, 0)):
        title = ngettext(
            "%(count)s proposal needs a second approval",
            "%(count)s proposals need a second approval",
            count,
        )
        text = gettext("These proposals exceed the limit that one user may approve alone.")
        link = f"{link}?state=awaiting_approval"
        yield Need("warn", title % {"count": up_to(count)}, text, link, gettext("Review proposals"))


def _imports(numbers: OpenCounts, may_confirm: bool, may_approve: bool) -> Iterator[Need]:
    counts, link = numbers.of("imports"), reverse("admin:portfolio_subjectimport_changelist")
    text = gettext("No companies are added, removed or billed before then.")
    if may_confirm and (count := counts.get(ImportState.READ, 0)):
        title = ngettext("%(count)s import awaiting confirmation", "%(count)s imports awaiting confirmation", count)
        yield Need("warn", title % {"count": up_to(count)}, text, f"{link}?state=read", gettext("Confirm imports"))
    if may_confirm and (count := counts.get(LACKS_NUMBERS, 0)):
        title = ngettext(
            "%(count)s import: D-U-N-S numbers missing", "%(count)s imports: D-U-N-S numbers missing", count
        )
        advice = gettext("Find the companies at D&B, or cancel the import.")
        yield Need("warn", title % {"count": up_to(count)}, advice, f"{link}?state=read", gettext("View imports"))
    if may_approve and (count := counts.get(ImportState.AWAITING_APPROVAL, 0)):
        title = ngettext("%(count)s import needs a second approval", "%(count)s imports need a second approval", count)
        awaiting = f"{link}?state=awaiting_approval"
        yield Need("warn", title % {"count": up_to(count)}, text, awaiting, gettext("Approve imports"))
    if may_approve and (count := counts.get(ImportState.AWAITING_UNDO, 0)):
        title = ngettext(
            "Undoing %(count)s import needs a second approval",
            "Undoing %(count)s imports needs a second approval",
            count,
        )
        link, text = f"{link}?state=awaiting_undo", gettext("The imports stay in effect until then.")
        yield Need("warn", title % {"count": up_to(count)}, text, link, gettext("Approve imports"))


def _refused(numbers: OpenCounts) -> Iterator[Need]:
    if count := sum(numbers.of("refused").values()):
        title = ngettext("%(count)s company refused by D&B", "%(count)s companies refused by D&B", count)
        link = reverse("admin:portfolio_subject_changelist") + "?state=refused&requested=yes"
        text = gettext(
            "These companies are requested but not monitored. Check the reason, then correct or withdraw the request."
        )
        yield Need("warn", title % {"count": up_to(count)}, text, link, gettext("View companies"))
