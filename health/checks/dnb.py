"""D&B itself: whether it answers and takes our key, its clock, the pace and the quota of calls, and our settings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

from django.conf import settings
from django.db.models.functions import Now
from django.utils.translation import gettext, ngettext

from core.outbound.mail_server import has_mail_server, set_up_text
from core.text import ago, counted, moment_text, restart_text, span
from health.checks.context import Look
from health.checks.result import Result, graded
from health.models import Probe, State
from monitoring.alerts.reach import OPEN
from monitoring.alerts.rules import few
from monitoring.models import Channel
from monitoring.outbox.permitted_addresses import unconfirmed_addresses, why_refused, without_server
from monitoring.pull.preconditions import missing_credentials, test_copy
from portfolio.models import Contract, RateLimitSlot

# One call that fails is everyday life; D&B that stays away is not.
AWAY_FOR = timedelta(minutes=10)
# The job asks every few minutes: an answer older than this says nothing any more.
STALE = timedelta(minutes=20)
CLOCK_WARNING, CLOCK_LOUD = 60.0, 3600.0
BEHIND_WARNING, BEHIND_CRITICAL = 30.0, 300.0
COUNTED = 100


def checks_of_dnb(look: Look) -> Iterator[Result]:
    for contract in look.contracts:
        yield answers(look, contract)
        yield clock(look, contract)
        yield configuration(contract)
    if look.is_full:
        yield throttle()
    yield quota(look)
    yield listeners()


def answers(look: Look, contract: Contract) -> Result:
    """Whether D&B answers, and accepts the key."""
    probe = look.probes.get(contract.name)
    if missing_credentials(contract):
        # D&B was not asked; the check of the configuration names the setting.
        sentence = gettext("Not tested: the API key and secret are not set.")
        title = gettext("Connection to D&B")
        return Result("dnb", title, State.UNKNOWN, sentence, subject=contract.name, is_not_set_up=True)
    state, sentence, do = _answer(look, probe) if _was_asked(contract, probe) else _before_the_key()
    number = round(probe.seconds, 2) if probe and not probe.reason else None
    return Result("dnb", gettext("Connection to D&B"), state, sentence, number, "s", do, contract.name)


def _was_asked(contract: Contract, probe: Probe | None) -> bool:
    """False where a process that still ran without the key found that it is not set."""
    return probe is None or not probe.reason.startswith(f"{contract.prefix}_")


def _before_the_key() -> tuple[State, str, str]:
    sentence = gettext("Not tested since the API key and secret were set.")
    return State.WARNING, sentence, f"{restart_text()} {gettext('The test follows within a minute.')}"


def _answer(look: Look, probe: Probe | None) -> tuple[State, str, str]:
    if probe is None or (probe.answered_at is None and not probe.reason):
        return State.UNKNOWN, gettext("The connection has not been tested yet. A job tests it every 5 minutes."), ""
    if probe.refused:
        do = gettext("Correct the API key and secret in the settings, or contact D&B about the account.")
        return State.CRITICAL, gettext("D&B does not accept the API key: %(reason)s") % {"reason": probe.reason}, do
    if probe.reason:
        since = probe.failing_since or probe.called_at
        state = State.CRITICAL if look.now - since >= AWAY_FOR else State.WARNING
        do = gettext("Check the network and D&B's status page. D&B keeps notifications for 4 days.")
        return (
            state,
            gettext("No valid response from D&B since %(moment)s: %(reason)s")
            % {"moment": moment_text(since), "reason": probe.reason},
            do,
        )
    if look.now - probe.called_at > STALE:
        do = gettext("Check that the worker is running.")
        return (
            State.UNKNOWN,
            gettext("The connection was last tested %(when)s.") % {"when": ago(probe.called_at, look.now)},
            do,
        )
    answered = gettext("D&B responded and accepted the API key %(when)s.") % {"when": ago(probe.called_at, look.now)}
    return State.OK, f"{answered} {_token(look, probe)}".strip(), ""


def _token(look: Look, probe: Probe) -> str:
    if probe.token_until is None or probe.token_until <= look.now:
        return ""
    return gettext("The access token expires in %(span)s.") % {
        "span": span((probe.token_until - look.now).total_seconds())
    }


def clock(look: Look, contract: Contract) -> Result:
    """Never critical, as nothing stands still for it; far off, people are told all the same."""
    probe = look.probes.get(contract.name)
    title = gettext("Clock difference")
    if probe is None or probe.answered_at is None:
        return Result("clock", title, State.UNKNOWN, gettext("D&B's time is not known yet."), subject=contract.name)
    off = probe.clock_offset
    number = round(abs(off), 1)
    if abs(off) < CLOCK_WARNING:
        return Result("clock", title, State.OK, gettext("The clock matches D&B's."), number, "s", "", contract.name)
    ahead = gettext("D&B's clock is %(span)s ahead of this machine's. Pulling is not affected: it follows D&B's clock.")
    behind = gettext("D&B's clock is %(span)s behind this machine's. Pulling is not affected: it follows D&B's clock.")
    sentence = (ahead if off > 0 else behind) % {"span": span(round(abs(off)))}
    do = gettext("Set up time synchronization (NTP) on this machine.")
    is_far = abs(off) >= CLOCK_LOUD
    return Result("clock", title, State.WARNING, sentence, number, "s", do, contract.name, notify=is_far)


def configuration(contract: Contract) -> Result:
    """What keeps a contract from pulling, whoever asks."""
    missing = missing_credentials(contract)
    last_error = missing or test_copy(contract)
    state = State.CRITICAL if missing else State.WARNING if last_error else State.OK
    do = (
        gettext("Correct the settings (see “Configuration” in the help), then restart the web server and the worker.")
        if last_error
        else ""
    )
    title = gettext("Configuration")
    return Result(
        "configuration",
        title,
        state,
        last_error or gettext("All required settings are present."),
        do=do,
        subject=contract.name,
    )


def throttle() -> Result:
    """How far ahead calls are already promised: more than a little means that they queue."""
    rows = RateLimitSlot.objects.values_list("next_slot", Now())
    behind = max((max(0.0, slot / 1000 - now.timestamp()) for slot, now in rows), default=0.0)
    state = graded(behind, warning=BEHIND_WARNING, critical=BEHIND_CRITICAL)
    sentence = (
        gettext("Calls are sent without delay.")
        if state == State.OK
        else gettext("The next call waits %(behind)s seconds for the rate limit.") % {"behind": f"{behind:.0f}"}
    )
    do = gettext("Run fewer imports at a time, or ask D&B for a higher rate limit.") if state != State.OK else ""
    return Result("throttle", gettext("Rate limit"), state, sentence, round(behind, 1), "s", do)


def quota(look: Look) -> Result:
    stuck = [row.reference for row in look.registrations if row.quota_used_up]
    title = gettext("Call quota")
    if not stuck:
        return Result("quota", title, State.OK, gettext("The call quota is not used up."), 0)
    sentence = gettext(
        "D&B's call quota is used up for %(names)s. Pulling resumes automatically after midnight UTC."
    ) % {"names": ", ".join(stuck)}
    return Result(
        "quota", title, State.CRITICAL, sentence, len(stuck), "stopped", gettext("Contact D&B about a higher quota.")
    )


def listeners() -> Result:
    """In production somebody has to hear when something breaks."""
    channels = notice_channels()
    if channels:
        return _listening(channels)
    title, do = gettext("Problem notifications"), gettext("Add a channel that receives notices, under “Channels”.")
    if not settings.PRODUCTION:
        sentence = gettext("Required in production only.")
        return Result("listeners", title, State.UNKNOWN, sentence, 0, "channels", do, is_not_set_up=True)
    return Result("listeners", title, State.WARNING, gettext("No channel receives problem notices."), 0, "channels", do)


def notice_channels() -> list[Channel]:
    rows = Channel.objects.filter(OPEN, notices=True).select_related("person").order_by("name", "id")
    return list(rows[:COUNTED])


def _listening(channels: Sequence[Channel]) -> Result:
    """A channel that cannot send is nobody who listens."""
    unable = unable_to_deliver(channels)
    title, count = gettext("Problem notifications"), len(channels) - len(unable)
    if not count:
        sentence = gettext("No channel can receive problem notices: %(reasons)s.") % {"reasons": few(unable)}
        do = gettext("Open “Channels” to see what each channel needs, then send a test.")
        do = do if has_mail_server() else f"{set_up_text()} {do}"
        return Result("listeners", title, State.WARNING, sentence, 0, "channels", do)
    words = ngettext(
        "%(count)s channel receives problem notices.", "%(count)s channels receive problem notices.", count
    )
    return Result("listeners", title, State.OK, words % {"count": counted(count)}, count, "channels")


def unable_to_deliver(channels: Sequence[Channel]) -> list[str]:
    """Each that nothing reaches anybody by, with its reason."""
    asked, muted = unconfirmed_addresses(channels), without_server(channels)
    reasons = (
        (asked, gettext("%(channel)s is not confirmed")),
        (muted, gettext("%(channel)s needs an email server")),
        ({row.pk for row in channels if why_refused(row)}, gettext("%(channel)s no longer receives messages")),
    )
    found = ((row, next((words for keys, words in reasons if row.pk in keys), "")) for row in channels)
    return [words % {"channel": row.name} for row, words in found if words]
