"""D&B itself: whether it answers and takes our key, its clock, the pace and the quota of calls, and our settings."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from django.conf import settings
from django.db.models.functions import Now
from django.utils.translation import gettext, ngettext

from core.text import ago, counted, moment_text, span
from health.checks.context import Look
from health.checks.result import Result, graded
from health.models import Probe, State
from monitoring.models import Channel
from monitoring.pull.preconditions import missing_credentials, test_copy
from portfolio.models import Contract, RateLimitSlot

# One call that fails is everyday life; D&B that stays away is not.
AWAY_FOR = timedelta(minutes=10)
# The job asks every few minutes: an answer older than this says nothing any more.
STALE = timedelta(minutes=20)
CLOCK_WARNING, CLOCK_LOUD = 60.0, 3600.0
BEHIND_WARNING, BEHIND_CRITICAL = 30.0, 300.0


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
    state, sentence, do = _answer(look, look.probes.get(contract.name))
    probe = look.probes.get(contract.name)
    number = round(probe.seconds, 2) if probe and not probe.reason else None
    return Result("dnb", gettext("Connection to D&B"), state, sentence, number, "s", do, contract.name)


def _answer(look: Look, probe: Probe | None) -> tuple[State, str, str]:
    if probe is None or (probe.answered_at is None and not probe.reason):
        return State.UNKNOWN, gettext("D&B was not asked yet: a job does it every few minutes."), ""
    if probe.refused:
        do = gettext("Put the right key and secret into the settings, or ask D&B about the account.")
        return State.CRITICAL, gettext("D&B does not accept the key: %(reason)s") % {"reason": probe.reason}, do
    if probe.reason:
        since = probe.failing_since or probe.called_at
        state = State.CRITICAL if look.now - since >= AWAY_FOR else State.WARNING
        do = gettext("Look at the network and at D&B's status page. Nothing is lost for 4 days.")
        return (
            state,
            gettext("D&B has given no good answer since %(moment)s: %(reason)s")
            % {"moment": moment_text(since), "reason": probe.reason},
            do,
        )
    if look.now - probe.called_at > STALE:
        do = gettext("See whether jobs run.")
        return State.UNKNOWN, gettext("D&B was asked last %(when)s.") % {"when": ago(probe.called_at, look.now)}, do
    answered = gettext("D&B answered and took the key %(when)s.") % {"when": ago(probe.called_at, look.now)}
    return State.OK, f"{answered} {_token(look, probe)}".strip(), ""


def _token(look: Look, probe: Probe) -> str:
    if probe.token_until is None or probe.token_until <= look.now:
        return ""
    return gettext("The token is good for %(span)s more.") % {
        "span": span((probe.token_until - look.now).total_seconds())
    }


def clock(look: Look, contract: Contract) -> Result:
    """Never critical, as nothing stands still for it; far off, people are told all the same."""
    probe = look.probes.get(contract.name)
    title = gettext("Clock against D&B's")
    if probe is None or probe.answered_at is None:
        return Result("clock", title, State.UNKNOWN, gettext("D&B's time is not known yet."), subject=contract.name)
    off = probe.clock_offset
    number = round(abs(off), 1)
    if abs(off) < CLOCK_WARNING:
        return Result("clock", title, State.OK, gettext("Both clocks agree."), number, "s", "", contract.name)
    ahead = gettext("D&B's clock is %(span)s ahead of ours. Loss is counted on D&B's, so pulling stays right.")
    behind = gettext("D&B's clock is %(span)s behind ours. Loss is counted on D&B's, so pulling stays right.")
    sentence = (ahead if off > 0 else behind) % {"span": span(round(abs(off)))}
    do = gettext("See that this machine keeps its time (NTP).")
    is_far = abs(off) >= CLOCK_LOUD
    return Result("clock", title, State.WARNING, sentence, number, "s", do, contract.name, notify=is_far)


def configuration(contract: Contract) -> Result:
    """What keeps a contract from pulling, whoever asks."""
    missing = missing_credentials(contract)
    last_error = missing or test_copy(contract)
    state = State.CRITICAL if missing else State.WARNING if last_error else State.OK
    do = gettext("See docs/operate/configuration.md, then start web and worker again.") if last_error else ""
    title = gettext("Configuration")
    return Result(
        "configuration",
        title,
        state,
        last_error or gettext("All that pulling needs is set."),
        do=do,
        subject=contract.name,
    )


def throttle() -> Result:
    """How far ahead calls are already promised: more than a little means that they queue."""
    rows = RateLimitSlot.objects.values_list("next_slot", Now())
    behind = max((max(0.0, slot / 1000 - now.timestamp()) for slot, now in rows), default=0.0)
    state = graded(behind, warning=BEHIND_WARNING, critical=BEHIND_CRITICAL)
    sentence = (
        gettext("Calls go out at once.")
        if state == State.OK
        else gettext("The next call waits %(behind)s seconds for its turn.") % {"behind": f"{behind:.0f}"}
    )
    do = gettext("Fewer imports at a time, or ask D&B for more calls a second.") if state != State.OK else ""
    return Result("throttle", gettext("Pace of calls"), state, sentence, round(behind, 1), "s", do)


def quota(look: Look) -> Result:
    stuck = [row.reference for row in look.registrations if row.quota_used_up]
    title = gettext("Quota of calls")
    if not stuck:
        return Result("quota", title, State.OK, gettext("D&B has not said that it is used up."), 0)
    sentence = gettext("D&B's quota is used up for %(names)s. It goes on by itself after midnight UTC.") % {
        "names": ", ".join(stuck)
    }
    return Result(
        "quota", title, State.CRITICAL, sentence, len(stuck), "stopped", gettext("Talk to D&B about the quota.")
    )


def listeners() -> Result:
    """In production somebody has to hear when something breaks."""
    title = gettext("Who hears of trouble")
    if not settings.PRODUCTION:
        return Result("listeners", title, State.OK, gettext("Only in production somebody has to hear of trouble."))
    count = Channel.objects.filter(notices=True, active=True, unsubscribed_at=None)[:100].count()
    if count:
        return Result(
            "listeners",
            title,
            State.OK,
            ngettext("%(count)s channel hear of trouble.", "%(count)s channels hear of trouble.", count)
            % {"count": counted(count)},
            count,
            "channels",
        )
    do = gettext("Make a channel that gets notices, under “Channels”.")
    return Result("listeners", title, State.WARNING, gettext("No channel hears of trouble."), 0, "channels", do)
