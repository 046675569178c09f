"""What processes of these tests do to tell the world: raise alerts, send mail, call webhooks; and what came of it."""

import time
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.test import Client

from dnbmon_site.accounts.models import User
from monitoring import claims, jobs
from monitoring import jobs as monitoring_jobs
from monitoring.models import Alert, AlertKind, AlertRule, Change, Kind, MessageState, OutboxMessage, Severity
from monitoring.outbox import queue
from monitoring.pull import puller
from monitoring.webhooks.endpoints import create_endpoint
from portfolio.models import Registration
from tests.acceptance import points
from tests.builders.channels import a_channel
from tests.builders.elements import BANKRUPTCY
from tests.builders.programs import Program
from tests.servers.mail_servers import SMTP

ROUNDS = 40


def listen(url: str) -> str:
    """A rule, a mail channel and a webhook, from now on; the webhook's secret."""
    AlertRule.objects.all().delete()
    rule = AlertRule.objects.create(
        name="Bankrupt or merged",
        active=True,
        severity=Severity.CRITICAL,
        kinds=f"{Kind.ELEMENT}, {Kind.TRANSFERRED}",
        elements=BANKRUPTCY,
        conditions="becomes true",
    )
    a_channel(rule)
    events = "change.published, alert.raised"
    return create_endpoint(made_by="ann", name="CRM", url=url, event_types=events)[1]


def work(reference: str, *, mail: int, point: str | None = None) -> int:
    """What a worker does with what it finds, until nothing waits to be sent; how many messages it has sent."""
    if point:
        points.arm(point)
    settings.EMAIL_BACKEND, settings.EMAIL_HOST, settings.EMAIL_PORT = SMTP, "127.0.0.1", mail
    queue.CLAIM, claims.LASTS = timedelta(seconds=0.5), timedelta(0)
    registration = Registration.objects.select_related("contract").get(reference=reference)
    puller.pull(registration, keep=jobs.ingest_now)
    for step in (jobs.recover_due, jobs.ingest_received, jobs.publish_read, monitoring_jobs.alert_published):
        step()
    monitoring_jobs.queue_for_webhooks()
    sent = 0
    for _ in range(ROUNDS):
        sent += monitoring_jobs.send_due()
        if not OutboxMessage.objects.filter(state=MessageState.WAITING).exists():
            return sent
        # What a killed process has claimed is free after CLAIM only.
        time.sleep(0.05)
    raise AssertionError("messages still wait")


def told() -> dict[str, Any]:
    """What stands in the inbox, in the feed and in the queue, as its readers see it."""
    person = User.objects.filter(username="ann").first() or User.objects.create_superuser("ann", "a@b.example", "words")
    settings.ALLOWED_HOSTS = ["testserver"]
    browser = Client()
    browser.force_login(person)
    feed = Program.with_key(scopes="read").read("changes/", limit=1000)["results"]
    return {
        "inbox": browser.get("/monitoring/alert/").content.decode(),
        "alerts": sorted(Alert.objects.filter(kind=AlertKind.CHANGE).values_list("company", flat=True)),
        "feed": [[change["id"], change["company"]["duns"], change["kind"]] for change in feed],
        "changes": sorted(map(str, Change.objects.exclude(kind=Kind.BASELINE).values_list("pk", flat=True))),
        "states_after": sorted(OutboxMessage.objects.values_list("state", flat=True).distinct().order_by("state")),
    }


DEEDS = (listen, work, told)
