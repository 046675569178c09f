"""What the processes of the recovery drill do: watch, tell, back up, restore, release."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from django.utils import timezone

from dnbmon_site.operations.backup.create import make_backup
from dnbmon_site.operations.backup.restore import restore
from monitoring import jobs
from monitoring.alerts.evaluate import raise_alerts
from monitoring.models import Alert, AlertRule, Grouping, MessageState, Notification, OutboxMessage, WebhookEndpoint
from monitoring.outbox.queue import send_due_messages
from monitoring.rebuild.rebuild import rebuild
from monitoring.webhooks.endpoints import create_endpoint
from monitoring.webhooks.enqueue import queue_changes
from portfolio.models import Registration
from portfolio.registrations.discover import start_pulling
from tests.acceptance.history import profiles


def watch(*, url: str) -> None:
    """Mergers make an alert each (more at once would be told as one), and what matters is told to a webhook."""
    AlertRule.objects.exclude(default_key="").delete()
    AlertRule.objects.create(name="Mergers", active=True, kinds="transferred", grouping=Grouping.EACH, severity=4)
    create_endpoint(made_by="ann", name="CRM", url=url, severity=3)


def tell() -> None:
    until = timezone.now() + timedelta(seconds=50)
    raise_alerts(until)
    queue_changes(until)
    while send_due_messages(until):
        pass


def back_up(*, place: str, format: str) -> str:
    return str(make_backup(Path(place), format=format))


def put_back(*, place: str) -> list[str]:
    return restore(Path(place), by="ann").aftermath.registrations


def release(reference: str) -> None:
    jobs.ingest_received()
    start_pulling(Registration.objects.get(reference=reference))


def known() -> dict[str, Any]:
    """By content or by keys that are made of it."""
    sent = OutboxMessage.objects.filter(state=MessageState.SENT)
    return {
        "state": list(Registration.objects.values_list("state", flat=True)),
        "notifications": sorted(map(str, Notification.objects.values_list("pk", flat=True))),
        "alerts": sorted(map(str, Alert.objects.values_list("pk", flat=True))),
        "sent": sorted(sent.values_list("event", flat=True)),
        "told_to": WebhookEndpoint.objects.get().position,
        "profiles": profiles(),
    }


def read_everything_again() -> int:
    result = rebuild()
    return result.added + result.mended + result.removed


DEEDS = (watch, tell, back_up, put_back, release, known, read_everything_again)
