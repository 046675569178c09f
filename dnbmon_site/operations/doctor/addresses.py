"""What can be wrong with the places outside that the program connects to: hosts of our own that nobody has named."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from django.conf import settings

from core.outbound.connections import NotReached, PrivateAddress, addresses_of
from dnbmon_site.operations.doctor.finding import Finding
from monitoring.models import Channel, FileServer, WebhookEndpoint
from monitoring.outbox.addresses import address_of
from monitoring.outbox.chat_services import chat_of
from monitoring.outbox.permitted_addresses import why_refused


def of_settings() -> Iterator[Finding]:
    for name in ("OIDC_ISSUER", "HEARTBEAT_URL"):
        yield from _refused(name, urlsplit(getattr(settings, name)).hostname)


def of_people() -> Iterator[Finding]:
    for server in FileServer.objects.order_by("name"):
        yield from _refused(f"The file server {server}", server.host)
        if server.maintainer_has_left:
            yield Finding(
                f"The file server {server} is maintained by {server.created_by}, who was deactivated or deleted.",
                "Check its address and save its page. The user who saves it becomes its maintainer.",
            )
    for endpoint in WebhookEndpoint.objects.filter(is_active=True).order_by("name"):
        yield from _refused(f"The webhook {endpoint}", urlsplit(endpoint.url).hostname)
        if endpoint.maintainer_has_left:
            yield Finding(
                f"The webhook {endpoint} is maintained by {endpoint.created_by}, who was deactivated or deleted.",
                "Disable it and enable it again. The user who does so becomes its maintainer.",
            )


def channels() -> Iterator[Finding]:
    for row in Channel.objects.filter(active=True, unsubscribed_at=None).select_related("person").order_by("name"):
        if why := why_refused(row):
            yield Finding(
                f"Nothing is sent to the channel {row} (owner: {row.person or 'shared'}): {why}",
                "Disable it, or enter a permitted address (docs/use/alerts.md).",
            )
        elif (chat := chat_of(address_of(row))) and chat.is_any_host:
            yield from _refused(f"The channel {row}", urlsplit(chat.url).hostname)


def _refused(what: str, host: str | None) -> Iterator[Finding]:
    if not host:
        return
    try:
        addresses_of(host, 443)
    except PrivateAddress:
        yield Finding(
            f"{what} leads to {host}, which is in your own network, so nothing is sent there.",
            f"If this is intended, set PRIVATE_HOSTS={','.join([*settings.PRIVATE_HOSTS, host])}",
        )
    except NotReached:
        # Whether a name is known changes by the minute; who calls it says so where it is shown.
        return
