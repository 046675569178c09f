"""What the buttons of a channel do, and who is asked when it is saved."""

from __future__ import annotations

from datetime import datetime

from django.contrib import messages
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext, ngettext

from core.actors import actor_of
from core.admin.row_actions import Outcome
from core.audit import record
from core.jobs import ask_worker
from core.outbound.mail_server import no_server_text, set_up_text_for
from core.text import counted, moment_text, with_full_stop
from monitoring.alerts.channel_messages import send_test
from monitoring.jobs import SEND
from monitoring.models import Channel
from monitoring.outbox.channels import send_confirmations
from monitoring.outbox.failing import retry_now
from monitoring.outbox.permitted_addresses import (
    ACTS_AN_HOUR,
    TESTED,
    last_asked,
    unconfirmed_addresses,
    waits_for,
    within_limit,
    without_server,
)
from monitoring.outbox.queue import NotSent


def note(request: HttpRequest, row: Channel, action: str, summary: str) -> None:
    record(actor=actor_of(request), action=action, thing=row, summary=summary)


def ask(request: HttpRequest, row: Channel) -> None:
    """Whoever is not the channel's own person is asked first whether they want its messages."""
    try:
        silent = send_confirmations(row, by=actor_of(request))
    except NotSent as error:
        messages.warning(request, str(error))
        return
    if silent:
        Channel.objects.filter(pk=row.pk).update(last_error=waits_for(silent))
    if without_server([row]):
        messages.warning(request, f"{gettext('The channel is saved, but receives nothing.')} {no_server_text()}")
    elif silent:
        messages.info(request, waits_for(silent))


def test(request: HttpRequest, row: Channel) -> Outcome:
    if without_server([row]):
        return _not_without_server(request)
    if not within_limit(actor_of(request), TESTED):
        words = gettext("You can send at most %(count)s tests per hour. Try again later.") % {"count": ACTS_AN_HOUR}
        return messages.WARNING, words
    note(request, row, TESTED, gettext("Channel %(name)s tested") % {"name": row})
    if unconfirmed_addresses([row]):
        # Why stands on the channel's page.
        send_test(row)
        return messages.WARNING, gettext("The test message was not sent: the address is not confirmed yet.")
    ask(request, row)
    if why := send_test(row):
        return messages.WARNING, gettext("%(why)s The test message was not delivered.") % {"why": with_full_stop(why)}
    sent = gettext("Test message sent to %(shown)s.") % {"shown": row.display_address}
    return " ".join(filter(None, (sent, _retried(row))))


def _retried(row: Channel) -> str:
    """What failed before the channel was corrected does not wait for its next attempt."""
    if not (count := retry_now(row.pk)):
        return ""
    ask_worker(SEND, task_name=f"Send messages to {row}"[:100])
    words = ngettext(
        "%(count)s message that failed before is resent now.",
        "%(count)s messages that failed before are resent now.",
        count,
    )
    return words % {"count": counted(count)}


def _not_without_server(request: HttpRequest) -> Outcome:
    return messages.WARNING, f"{no_server_text()} {set_up_text_for(request.user)}"


def ask_again(request: HttpRequest, row: Channel) -> Outcome:
    if without_server([row]):
        return _not_without_server(request)
    begun = timezone.now()
    try:
        silent = send_confirmations(row, by=actor_of(request))
    except NotSent as error:
        return messages.WARNING, str(error)
    asked = last_asked(silent)
    if sent := [address for address, at in asked.items() if at >= begun]:
        return gettext("Confirmation email sent to %(addresses)s.") % {"addresses": ", ".join(sent)}
    if not silent:
        return gettext("All recipients have confirmed.")
    return messages.WARNING, _why_not_asked(asked)


def _why_not_asked(asked: dict[str, datetime]) -> str:
    if not asked:
        words = gettext("You can request at most %(count)s confirmation emails per hour. Try again later.")
        return words % {"count": ACTS_AN_HOUR}
    words = gettext(
        "No email was sent: each address receives at most one confirmation email per day. The last one was sent on "
        "%(moment)s. Ask the recipient to check the spam folder."
    )
    return words % {"moment": moment_text(max(asked.values()))}


def subscribe(request: HttpRequest, row: Channel) -> Outcome:
    Channel.objects.filter(pk=row.pk).update(unsubscribed_at=None)
    return gettext("The channel receives messages again.")


def take_all(request: HttpRequest, row: Channel) -> Outcome:
    Channel.objects.filter(pk=row.pk).update(all_rules=True)
    words = gettext("Channel %(name)s receives alerts from all rules")
    note(request, row, "channel.changed", words % {"name": row})
    return gettext("The channel now receives alerts from all rules.")
