"""The guided start: from the credentials to the first alert, each step's state taken from what is really there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext, ngettext

from core.actors import is_invited
from core.cached_counts import OpenCounts, recent_count
from core.outbound.mail_server import has_mail_server, no_server_text, set_up_text_for
from core.text import ago, counted, restart_text, with_full_stop
from dnbmon_site.accounts.models import User
from dnbmon_site.dashboard.guide_steps import Button, Step, StepState, with_next
from dnbmon_site.dashboard.open_counts import is_dismissed
from dnbmon_site.dashboard.remaining_setup import Remaining, incomplete, remaining_setup
from health.models import Probe
from monitoring.models import Channel
from monitoring.outbox.permitted_addresses import unconfirmed_addresses, waits_for, without_server
from monitoring.pull.admin.actions import no_worker
from monitoring.pull.preconditions import test_copy
from portfolio.dnb_client import NotConfigured, credentials, fingerprint, may_see_account
from portfolio.models import Contract, Registration, RegistrationState

# In the address: the guide, though it was dismissed.
SHOW = "guide"
MAY_GUIDE = "portfolio.pull_registration"
MOST_CHANNELS = MOST_USERS = 50


@dataclass(frozen=True, slots=True)
class Guide:
    """The steps, and whether the reader may put them away."""

    steps: Sequence[Step] = field(default_factory=list)
    may_dismiss: bool = False
    no_worker: bool = False
    # What is left beside the steps.
    remaining: Sequence[Remaining] = ()

    @property
    def done(self) -> int:
        return sum(step.is_done for step in self.steps)

    @property
    def is_complete(self) -> bool:
        return self.done == len(self.steps)


def guide_for(
    request: HttpRequest, registrations: Sequence[Registration], numbers: OpenCounts, *, is_empty: bool
) -> Guide | None:
    """None for readers who set nothing up and, once there is data, in the demo and after it was dismissed, unless the
    address asks for it."""
    if not request.user.has_perm(MAY_GUIDE):
        return None
    is_put_away = not is_empty and (settings.DEMO or is_dismissed(numbers))
    if is_put_away and SHOW not in request.GET:
        return None
    found = with_next([*_dnb(registrations), *_people(request)])
    guide = Guide(found, not is_empty and not is_put_away, not registrations and no_worker())
    return replace(guide, remaining=remaining_setup(registrations)) if guide.is_complete else guide


# D&B: credentials, key, registrations, lists


def _dnb(registrations: Sequence[Registration]) -> Iterator[Step]:
    is_pulled = any(row.last_pulled_at for row in registrations)
    contracts = [] if is_pulled else list(Contract.objects.order_by("name")) or [Contract(name="default")]
    missing = [contract for contract in contracts if _not_configured(contract)]
    key = _key(contracts, has_credentials=not missing, is_pulled=is_pulled)
    yield _connect(missing, is_tested=key.is_done)
    yield key
    active = [row for row in registrations if row.state == RegistrationState.ACTIVE]
    yield _registrations(registrations, active, may_ask=key.is_done)
    yield _adopt(active)


def _not_configured(contract: Contract) -> str:
    try:
        credentials(contract)
    except NotConfigured as error:
        return str(error)
    return ""


def _connect(missing: Sequence[Contract], *, is_tested: bool) -> Step:
    title = gettext("Enter the key and secret")
    if not missing:
        text, following = gettext("D&B's API key and secret are set."), gettext("The next step tests them.")
        return Step(title, text if is_tested else f"{text} {following}", StepState.DONE)
    contract = missing[0]
    if contract.base_url and not may_see_account(contract.base_url):
        return Step(title, _not_configured(contract), StepState.PROBLEM)
    text = gettext(
        "Enter D&B's API key and secret in the settings file (.env) as %(prefix)s_API_KEY and %(prefix)s_API_SECRET."
    )
    help_page = Button(gettext("How to connect"), reverse("handbook", args=["use/connect-to-dnb.md"]))
    demo = "" if settings.PRODUCTION else gettext("Without a key, “make run” starts a demo with sample companies.")
    parts = (text % {"prefix": contract.prefix}, restart_text(), demo)
    return Step(title, " ".join(filter(None, parts)), StepState.WAITING, help_page)


def _key(contracts: Sequence[Contract], *, has_credentials: bool, is_pulled: bool) -> Step:
    title = gettext("Test the key")
    if not has_credentials:
        return Step(title, gettext("Available when the key and secret are set."), StepState.WAITING)
    if is_pulled:
        return Step(title, gettext("D&B accepts the key."), StepState.DONE)
    probes = Probe.objects.in_bulk([contract.name for contract in contracts])
    found = [probes.get(contract.name) for contract in contracts]
    again = Button(gettext("Test the key again"), reverse("test_key"), is_act=True)
    if any(_is_outdated(probe, contract) for probe, contract in zip(found, contracts, strict=True)):
        text = gettext("The settings changed since the last test. Test the key again.")
        return Step(title, text, StepState.WAITING, again)
    for probe in found:
        # What was said before the credentials were set is no answer of D&B's.
        if (
            probe
            and probe.reason
            and not probe.reason.startswith(tuple(f"{contract.prefix}_" for contract in contracts))
        ):
            return Step(title, _problem(probe), StepState.PROBLEM, again)
    asked = [probe.answered_at for probe in found if probe and probe.answered_at]
    if asked and len(asked) == len(found):
        text = gettext("D&B accepted the API key %(when)s.") % {"when": ago(min(asked))}
        return Step(title, text, StepState.DONE, again)
    text = gettext("Tests the login to D&B with your API key. Notifications waiting in D&B's queue are not removed.")
    return Step(title, text, StepState.WAITING, replace(again, words=gettext("Test the key")))


def _is_outdated(probe: Probe | None, contract: Contract) -> bool:
    return bool(probe and probe.fingerprint and probe.fingerprint != fingerprint(contract))


def _problem(probe: Probe) -> str:
    """What D&B answered last, and what to do."""
    if probe.refused:
        words = gettext(
            "D&B does not accept the key. Correct the API key and secret in the settings. %(restart)s Test again "
            "afterwards. Response: %(reason)s"
        )
    else:
        words = gettext(
            "D&B could not be reached or returned an error. Check the network, the proxy and the address, then test "
            "again. Error: %(reason)s"
        )
    text = with_full_stop(words % {"reason": probe.reason, "restart": restart_text()})
    return f"{text} {gettext('Tested %(when)s.') % {'when': ago(probe.called_at)}}"


def _registrations(registrations: Sequence[Registration], active: Sequence[Registration], *, may_ask: bool) -> Step:
    title, link = gettext("Choose registrations"), reverse("admin:portfolio_registration_changelist")
    if active:
        text = ngettext(
            "%(active)s of %(count)s registration is pulled.",
            "%(active)s of %(count)s registrations are pulled.",
            len(registrations),
        ) % {"active": counted(len(active)), "count": counted(len(registrations))}
        if off := _pulling_is_off(active):
            return Step(title, off, StepState.PROBLEM, _how_to_pull())
        return Step(title, text, StepState.DONE, Button(gettext("View registrations"), link))
    stopped = next((row for row in registrations if row.state == RegistrationState.STOPPED), None)
    if stopped:
        text = gettext("D&B stopped %(registration)s: %(reason)s") % {
            "registration": stopped.reference,
            "reason": stopped.stopped_reason,
        }
        return Step(title, text, StepState.PROBLEM, Button(gettext("View registrations"), link))
    if registrations:
        text = gettext(
            "Start the registrations that D&B Monitoring should pull. It then retrieves their notifications "
            "from D&B on a schedule. Retrieved notifications are removed from D&B's queue, so make sure that "
            "no other system pulls the same registration."
        )
        return Step(
            title,
            f"{text} {_pulling_is_off(registrations)}".strip(),
            StepState.WAITING,
            Button(gettext("Choose registrations"), link),
        )
    text = gettext(
        "D&B creates registrations for you on request. This step lists your registrations and changes nothing at D&B."
    )
    find = Button(gettext("Find registrations"), reverse("admin:portfolio_registration_look"), is_act=True)
    if may_ask:
        return Step(title, text, StepState.WAITING, find)
    return Step(title, f"{text} {gettext('Available when D&B has accepted the key.')}", StepState.WAITING)


def _pulling_is_off(registrations: Sequence[Registration]) -> str:
    """Why this installation does not pull from D&B, where the settings keep it from that."""
    contracts = {row.contract_id: row.contract for row in registrations}
    return next(filter(None, map(test_copy, contracts.values())), "")


def _adopt(active: Sequence[Registration]) -> Step:
    title = gettext("Adopt D&B's list")
    open_rows = [row for row in active if not row.adopted]
    if active and not open_rows:
        return Step(title, _adopted_text(active), StepState.DONE, _upload(active))
    text = gettext(
        "Adds to your portfolio the companies that D&B already monitors. Nothing is sent to D&B and nothing new is "
        "billed."
    )
    if not open_rows:
        return Step(title, f"{text} {gettext('Available when a registration is started.')}", StepState.WAITING)
    if len(active) > 1:
        adopted = gettext("%(adopted)s of %(count)s lists adopted.")
        numbers = {"adopted": counted(len(active) - len(open_rows)), "count": counted(len(active))}
        text = f"{adopted % numbers} {text}"
    link = reverse("admin:portfolio_syncrun_adopt", args=[open_rows[0].pk]) + "?from=guide"
    words = gettext("Adopt the list of %(registration)s") % {"registration": open_rows[0].reference}
    return Step(title, text, StepState.WAITING, Button(words, link))


def _adopted_text(active: Sequence[Registration]) -> str:
    text = gettext("The lists of all active registrations are adopted.")
    missing = incomplete(active)
    if not missing:
        return text
    billed = sum(one["year"].get("billed", 0) for one in recent_count("held").get("contracts", []))
    note = gettext(
        "D&B's complete list has not been received for %(names)s, so D&B may bill more than the companies counted "
        "here: at least %(billed)s. Ask D&B support for the export file, then upload it."
    )
    return f"{text} {note % {'names': ', '.join(row.reference for row in missing), 'billed': counted(billed)}}"


def _upload(active: Sequence[Registration]) -> Button | None:
    missing = incomplete(active)
    if not missing:
        return None
    link = reverse("admin:portfolio_syncrun_adopt", args=[missing[0].pk]) + "?from=guide#export-file"
    return Button(gettext("Upload D&B's export file"), link)


# People


def _people(request: HttpRequest) -> Iterator[Step]:
    yield _users(request)
    yield _notifications(request)


def _users(request: HttpRequest) -> Step:
    title = gettext("Invite users")
    if words := _others(request):
        return Step(title, words, StepState.DONE)
    text = gettext(
        "Give each colleague a user account and a role: viewer, analyst, portfolio manager, approver, operator or "
        "administrator."
    )
    button = Button(gettext("Invite user"), reverse("admin:accounts_user_add"))
    return Step(title, text, StepState.WAITING, button if request.user.has_perm("accounts.add_user") else None)


def _others(request: HttpRequest) -> str:
    """Who has access beside the reader; nothing where that is nobody."""
    others = list(User.objects.filter(is_active=True).exclude(pk=str(request.user.pk))[:MOST_USERS])
    invited = sum(map(is_invited, others))
    if len(others) > invited:
        return gettext("Other users have access.")
    words = ngettext("%(count)s user invited.", "%(count)s users invited.", invited)
    return words % {"count": counted(invited)} if invited else ""


def _notifications(request: HttpRequest) -> Step:
    title = gettext("Choose notifications")
    channels = list(Channel.objects.filter(active=True, unsubscribed_at=None)[:MOST_CHANNELS])
    waiting, muted = unconfirmed_addresses(channels), without_server(channels)
    if working := [one for one in channels if one.pk not in waiting and one.pk not in muted]:
        is_tested = any(one.last_sent_at for one in working)
        untested = "" if is_tested else gettext("No message has been sent to it: send a test message from its page.")
        return Step(title, f"{gettext('At least one channel receives alerts.')} {untested}".strip(), StepState.DONE)
    if muted:
        return Step(title, f"{no_server_text()} {set_up_text_for(request.user)}", StepState.PROBLEM, _how_to_send())
    if channels:
        button = Button(gettext("View channels"), reverse("admin:monitoring_channel_changelist"))
        return Step(title, waits_for(next(iter(waiting.values()))), StepState.WAITING, button)
    text = gettext("Add an email address or a chat channel. It receives the alerts that the default rules raise.")
    if not has_mail_server():
        text = f"{text} {no_server_text()} {set_up_text_for(request.user)}"
    button = Button(gettext("Add channel"), reverse("admin:monitoring_channel_add"))
    return Step(title, text, StepState.WAITING, button if request.user.has_perm("monitoring.add_channel") else None)


def _how_to_pull() -> Button:
    link = reverse("handbook", args=["use/connect-to-dnb.md"]) + "#dnb-pull"
    return Button(gettext("When to set DNB_PULL"), link)


def _how_to_send() -> Button:
    return Button(
        gettext("View the settings"), reverse("handbook", args=["operate/configuration.md"]) + "#data-and-email"
    )
