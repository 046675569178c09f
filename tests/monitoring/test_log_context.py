"""One thread through the log, from a click to D&B's own number; and never a secret on any line."""

from __future__ import annotations

import io
import json
import logging.config
from collections.abc import Callable, Iterator
from multiprocessing import Queue, Value
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone
from django_q.models import OrmQ
from django_q.signing import SignedPackage
from django_q.tasks import async_task
from django_q.worker import worker
from structlog.contextvars import bound_contextvars

from direct_plus.sandbox.control.client import SandboxControl
from dnbmon_site.accounts import oidc
from dnbmon_site.accounts.models import ApiKey, User
from dnbmon_site.http.request_log import loggable
from dnbmon_site.log_config import logging_config
from monitoring import jobs
from monitoring.jobs import pull_due
from monitoring.models import Delivery, WebhookEndpoint
from monitoring.outbox.addresses import unsubscribe_link
from monitoring.webhooks.endpoints import rotate_secret
from portfolio.dnb_client import SharedTokens
from portfolio.models import Registration
from portfolio.sync.run import sync
from tests.builders.channels import a_channel
from tests.builders.companies import duns_numbers
from tests.builders.notifications import an_update
from tests.builders.subjects import request_monitoring
from tests.builders.webhooks import an_endpoint, queue_and_send
from tests.servers.mail_servers import a_mail_server
from tests.servers.openid_providers import SECRET, Provider, begun
from tests.servers.sandbox import emit
from tests.servers.webhook_receivers import answering, receiving

pytestmark = pytest.mark.django_db
Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def lines() -> Iterator[Lines]:
    """All that production would write, and more: down to what is for those who look for a fault."""
    written = io.StringIO()
    config = logging_config(as_json=True, level="DEBUG")
    config["handlers"]["console"]["stream"] = written
    logging.config.dictConfig(config)
    yield lambda: [json.loads(line) for line in written.getvalue().splitlines()]
    logging.config.dictConfig(settings.LOGGING)


def carry_out_queued() -> None:
    """As a worker does, in this process."""
    for row in list(OrmQ.objects.all()):
        tasks: Any = Queue()
        # Marked so, it leaves the test's connection to the database open.
        tasks.put({**SignedPackage.loads(row.payload), "sync": True})
        tasks.put("STOP")
        worker(tasks, Queue(), Value("f", -1))
        row.delete()


def test_a_click_can_be_followed_to_dnbs_transaction(
    registration: Registration, control: SandboxControl, lines: Lines, admin_client: Client
) -> None:
    emit(control, [an_update()])
    admin_client.post(f"/portfolio/registration/{registration.pk}/do/pull-now/")
    [request] = [line for line in lines() if line["event"] == "request_finished"]
    carry_out_queued()
    delivery = Delivery.objects.get()
    [pulled] = [line for line in lines() if line["event"] == "1 notifications received"]
    assert pulled["request_id"] == request["request_id"]
    assert pulled["job"] == "monitoring.jobs.pull_now" and pulled["job_id"]
    assert (pulled["delivery_id"], pulled["transaction_id"]) == (str(delivery.pk), delivery.transaction_id)
    assert pulled["registration"] == registration.reference and "user_id" in request


def test_what_a_job_puts_into_the_queue_says_which_caused_it() -> None:
    with bound_contextvars(request_id="r", job_id="j"):
        async_task("monitoring.jobs.publish_read")
    assert SignedPackage.loads(OrmQ.objects.get().payload)["trace"] == {"request_id": "r", "caused_by": "j"}


def test_a_jobs_thread_ends_with_it(registration: Registration, lines: Lines, admin_client: Client) -> None:
    admin_client.post(f"/portfolio/registration/{registration.pk}/do/pull-now/")
    carry_out_queued()
    logging.getLogger("after").warning("something else")
    assert not {"job_id", "request_id"} & set(lines()[-1])


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/reset/MQ/c9x-abcdef/", "/reset/…/…/"),
        ("/monitoring/channel/unsubscribe/abc:def/", "/monitoring/channel/unsubscribe/…/"),
        ("/portfolio/company/", "/portfolio/company/"),
        ("/nowhere", "/nowhere"),
    ],
)
def test_links_that_open_something_are_not_written_down(path: str, expected: str) -> None:
    assert loggable(path) == expected


# Nothing secret


def at_dnb(registration: Registration, control: SandboxControl) -> Iterator[str]:
    """Pulled, refused and synced; with a token that was not accepted in between."""
    emit(control, [an_update()])
    Registration.objects.update(next_pull_at=timezone.now(), adopted=True)
    pull_due()
    token = SharedTokens(registration.contract).get()
    assert token is not None
    yield token.value
    registration.refresh_from_db()
    request_monitoring(registration, duns_numbers(2))
    sync(registration)
    yield from ("sandbox-key", "sandbox-secret")


def sent_out() -> Iterator[str]:
    """Webhooks, one of them refused, and a mail with its link."""
    with receiving() as receiver, a_mail_server():
        endpoint, secret = an_endpoint(receiver, url=f"{receiver.url}?key=the-receivers-key")
        receiver.behave = answering(500, b"the receiver's own words")
        queue_and_send()
        channel = a_channel(address="json://user:a-channels-password@127.0.0.1:9/")
        jobs.send_due()
        yield from (secret, rotate_secret(WebhookEndpoint.objects.get(pk=endpoint.pk), by="ann"))
        link = unsubscribe_link(channel)
        Client().get(link.removeprefix("http://localhost:8000"))
        yield from (link.rstrip("/").rsplit("/", 1)[-1], "a-channels-password", "the-receivers-key")


def people_and_programs(provider: Provider) -> Iterator[str]:
    """Passwords right and wrong, a link for a new one, a sign-in elsewhere, keys right and wrong."""
    User.objects.create_superuser("boss", "boss@example.com", "the right words")
    for password in ("the right words", "the wrong words"):
        Client().post("/login/", {"username": "boss", "password": password})
        yield password
    client = Client()
    back = begun(client)
    client.get(back)
    yield from (SECRET, "an-access-token", back.split("code=")[1].split("&")[0], back.split("state=")[1])
    _, key = ApiKey.issue(name="x", scopes="read")
    for plain in (key, f"{key[:-1]}x"):
        Client().get("/api/v1/companies/", headers={"authorization": f"Bearer {plain}"})
        yield plain
    Client().get("/reset/MQ/c9x-the-token-of-a-link/")
    yield "the-token-of-a-link"
    yield settings.SECRET_KEY


def test_no_line_holds_a_secret(
    registration: Registration,
    control: SandboxControl,
    provider: Provider,
    lines: Lines,
    settings: Any,
) -> None:
    settings.AXES_ENABLED, settings.PRIVATE_HOSTS = True, ["*"]
    oidc._provider.cache_clear()
    secrets = {*at_dnb(registration, control), *sent_out(), *people_and_programs(provider)}
    found = [json.dumps(line) for line in lines()]
    assert len(found) > 20 and all(len(secret) > 8 for secret in secrets)
    told = [(secret, line) for secret in secrets for line in found if secret in line]
    assert told == []
