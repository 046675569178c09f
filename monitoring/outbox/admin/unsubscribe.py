"""The two pages that a mail's links lead to, without a login: agree to a channel's mail, and unsubscribe from it."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext

from core.audit import note_act
from monitoring.alerts.reach import count_unnotified
from monitoring.outbox.addresses import channel_of_token, preference_of_token
from monitoring.outbox.channels import unsubscribe
from monitoring.outbox.permitted_addresses import address_of_token, confirm


def confirm_address(request: HttpRequest, token: str) -> HttpResponse:
    """Whoever reads at an address says yes: without a login, and not by following the link alone."""
    address = address_of_token(token)
    if not address:
        raise Http404(
            gettext("This link has expired or is incomplete. Ask the sender to send another test to the channel.")
        )
    is_done = request.method == "POST"
    if is_done:
        confirm(address)
        count_unnotified()
        note_act(actor=address, action="channel.confirm", what="mailaddress", key=address[:128], summary=address)
    context = {"title": gettext("Email alerts"), "address": address, "is_done": is_done}
    return render(request, "monitoring/outbox/confirm_address.html", context)


def unsubscribe_channel(request: HttpRequest, token: str) -> HttpResponse:
    channel = channel_of_token(token) or preference_of_token(token)
    if channel is None:
        raise Http404(gettext("This link does not match a channel. It may be incomplete, or the channel was deleted."))
    is_done = request.method == "POST"
    if is_done:
        unsubscribe(channel)
        count_unnotified()
    is_done = is_done or channel.unsubscribed_at is not None
    context = {"title": gettext("Unsubscribe"), "channel": channel, "is_done": is_done}
    return render(request, "monitoring/outbox/unsubscribe.html", context)
