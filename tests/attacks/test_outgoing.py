"""Attacks that have the program connect where it should not, or tell somebody else what it keeps for itself."""

from tests.attacks.production import Production
from tests.servers.neighbours import Neighbour
from tests.support import wait_until

CHANNEL = {"active": "on", "min_severity": "1", "frequency": "at_once", "digest_day": "0"}
# What went through: methods, headers, files, servers, and every spelling of this machine.
ONCE_SENT = (
    "json://127.0.0.1:{port}/?method=DELETE&+Authorization=stolen&:Image=y",
    "json://0x7f000001:{port}/", "json://2130706433:{port}/", "json://0.0.0.0:{port}/", "http://127.1:{port}/",
    "workflow://127.0.0.1:{port}/a/b?template=/etc/passwd", "form://127.0.0.1:{port}/", "xml://127.0.0.1:{port}/",
    "mailto://a:b@example.com?smtp=127.0.0.1&port={port}", "syslog://127.0.0.1:{port}", "gotify://127.0.0.1:{port}/key",
)  # fmt: skip
WEBHOOK = {"event_types": "subject.requested", "severity": "1"}
SPELLINGS = (
    *("127.0.0.1", "0x7f000001", "2130706433", "0.0.0.0", "127.1", "[::1]", "[::ffff:127.0.0.1]"),
    *("[64:ff9b::7f00:1]", "[::127.0.0.1]", "0177.0.0.1", "user@127.0.0.1"),
)
NAMED = """
from monitoring.models import Channel, WebhookEndpoint
print(Channel.objects.get(name="named").pk, WebhookEndpoint.objects.get(name="named").pk)
"""
INNER_WEBHOOKS = """
from monitoring.models import WebhookEndpoint
print(*WebhookEndpoint.objects.filter(name__startswith="inner").values_list("pk", flat=True))
"""
EMIT = """
from monitoring.webhooks.endpoints import Event, emit_events
from core.jobs import ask_worker
emit_events([Event("subject.requested", {"duns": "804735132"}, "attacked")])
ask_worker("monitoring.jobs.send_due", task_name="attacked")
"""
BEAT = """
from django.conf import settings
from health.incidents.heartbeat_url import _call
print(_call(settings.HEARTBEAT_URL))
"""
OLD_CHANNEL = """
from django.contrib.auth import get_user_model
from django.utils import timezone
from monitoring.outbox import addresses
from monitoring.models import Channel
addresses.check_address = lambda text: None
row = Channel(name="old", person=get_user_model().objects.get(username={name!r}), created_at=timezone.now())
addresses.set_address(row, {address!r})
row.save(force_insert=True)
print(row.pk)
"""
SENT_TO_THE_GONE = """
import json
import uuid
from django.contrib.auth import get_user_model
from django.utils import timezone
from monitoring import jobs
from monitoring.outbox import addresses
from monitoring.webhooks import endpoints
from monitoring.outbox.queue import send_due_messages, enqueue
from monitoring.models import Channel, OutboxMessage, TargetKind
from core.actors import Actor
from core.notices import notify
now, person = timezone.now(), get_user_model().objects.get(username="gone-viewer")
row = Channel(name="gone", person=person, created_at=now)
addresses.set_address(row, person.email)
row.save(force_insert=True)
made_by = Actor("gone-viewer", uuid.UUID(str(person.pk)))
endpoint, _ = endpoints.create_endpoint(made_by=made_by, name="gone", url="https://gone.example.com/")
notice = notify(kind="cap", subject="The cap is near", text="98 of 100.", key="gone")
get_user_model().objects.filter(pk=person.pk).update(is_active=False, username="gone-elsewhere")
def queued(kind, target, payload):
    return OutboxMessage(id=OutboxMessage.key(target, "gone"), kind=kind, target=target, event="gone", event_type="x",
        payload=json.dumps(payload), next_try_at=now, created_at=now)
rows = enqueue([queued(TargetKind.CHANNEL, row.pk, {"digest": now.isoformat()}),
    queued(TargetKind.REPORT, person.pk, {"schedule": str(row.pk), "period": "2026-W01"}),
    queued(TargetKind.WEBHOOK, endpoint.pk, {})])
send_due_messages(now + timezone.timedelta(seconds=30), at_once=1)
for one in OutboxMessage.objects.filter(event="gone"):
    print(one.kind, one.state, one.last_error)
"""
SECRET = "the-stored-password-of-the-erp"
MAKE_FILE_SERVER = f"""
from django.utils import timezone
from monitoring.models import FileServer
from core.encryption import encrypted
row = FileServer.objects.create(name="ERP", host="sftp.example.com", user_name="erp", host_key="ssh-rsa AAAA",
    encrypted_password=encrypted({SECRET!r}), created_at=timezone.now())
print(row.pk)
"""


def test_the_stored_password_of_a_file_server_is_not_shown_to_another_host(
    production: Production, inner: Neighbour
) -> None:
    operator = production.person("sftp-operator", "Operator")
    key = production.inside(MAKE_FILE_SERVER)
    page = f"/monitoring/fileserver/{key}/change/"
    form = {"name": "ERP", "host": "127.0.0.1", "port": inner.server_port, "user_name": "erp"}
    assert "Enter the password" in operator.submit(page, form).text
    # With a secret of his own the host may change, and then it is that one which is sent; but not into our network.
    assert operator.submit(page, {**form, "password": "guessed"}).status_code == 302
    operator.submit(f"/monitoring/fileserver/{key}/do/test/")
    assert "PRIVATE_HOSTS does not include 127.0.0.1" in operator.ask(page).text
    assert inner.asked == []


def test_d_and_bs_account_is_not_shown_to_another_host(production: Production, inner: Neighbour) -> None:
    admin = production.person("account-admin", "Administrator")
    make = "from portfolio.models import Contract; print(Contract.objects.get_or_create(name='default')[0].pk)"
    page = f"/portfolio/contract/{production.inside(make)}/change/"
    here = f"127.0.0.1:{inner.server_port}"
    for address in (f"http://{here}", "https://plus.dnb.com.example.com", f"https://{here}\\@plus.dnb.com"):
        answer = admin.submit(page, {"prefix": "DNB", "base_url": address})
        assert answer.status_code == 200
        assert "key and secret are sent there" in answer.text
    assert inner.asked == []


def test_a_viewer_reaches_no_address_through_a_channel(production: Production, inner: Neighbour) -> None:
    viewer = production.person("channel-viewer", "Viewer")
    for address in ONCE_SENT:
        answer = viewer.submit(
            "/monitoring/channel/add/", {**CHANNEL, "name": "x", "address": address.format(port=inner.server_port)}
        )
        assert answer.status_code == 200, address
    old = f"json://127.0.0.1:{inner.server_port}/?method=DELETE"
    key = production.inside(OLD_CHANNEL.format(name="channel-viewer", address=old))
    viewer.submit(f"/monitoring/channel/{key}/do/test/")
    page = viewer.ask(f"/monitoring/channel/{key}/change/").text
    assert "This address is not supported" in page
    assert inner.asked == []


def test_who_manages_channels_reaches_the_internet_only(production: Production, inner: Neighbour) -> None:
    admin = production.person("channel-admin", "Administrator")
    for number, address in enumerate(ONCE_SENT):
        answer = admin.submit(
            "/monitoring/channel/add/",
            {**CHANNEL, "name": f"inner {number}", "address": address.format(port=inner.server_port)},
        )
        assert answer.status_code in (200, 302)
    keys = production.inside(
        "from monitoring.models import Channel\n"
        "print(*Channel.objects.filter(name__startswith='inner').values_list('pk', flat=True))"
    ).split()
    assert len(keys) == 4, "those that are no more than an address"
    for key in keys:
        admin.submit(f"/monitoring/channel/{key}/do/test/")
        assert "PRIVATE_HOSTS does not include" in admin.ask(f"/monitoring/channel/{key}/change/").text
    assert inner.asked == []
    assert not any(str(inner.server_port) in line for line in production.connected_to())


def test_a_named_host_is_reached_and_leads_no_further(
    production: Production, inner: Neighbour, named: Neighbour
) -> None:
    """And each process that connects is recorded, as is what these tests run inside: else nothing would be proved."""
    admin, url = production.person("named-admin", "Administrator"), f"http://localhost:{named.server_port}/"
    admin.submit("/monitoring/channel/add/", {**CHANNEL, "name": "named", "address": url})
    admin.submit("/monitoring/webhookendpoint/add/", {**WEBHOOK, "name": "named", "url": url})
    channel, webhook = production.inside(NAMED).split()
    admin.submit(f"/monitoring/channel/{channel}/do/test/")
    assert "responded with status 307" in admin.ask(f"/monitoring/channel/{channel}/change/").text
    admin.submit(f"/monitoring/webhookendpoint/{webhook}/do/test/")
    production.inside(EMIT)
    wait_until(lambda: len(named.asked) == 3, timeout=120, what="the worker's message")
    production.inside(
        "from core.outbound.connections import connect; connect('localhost', " + f"{named.server_port}).close()"
    )
    assert production.recorded().count(f"('127.0.0.1', {named.server_port})") == 4
    assert inner.asked == []


def test_what_settings_lead_to_is_guarded_too(production: Production, inner: Neighbour) -> None:
    assert "PRIVATE_HOSTS does not include 127.0.0.1" in production.inside(BEAT)
    assert production.stranger().ask("/sign-in/").status_code == 302
    assert inner.asked == []


def test_a_webhook_reaches_nobody_inside(production: Production, inner: Neighbour) -> None:
    admin = production.person("webhook-admin", "Administrator")
    for number, host in enumerate(SPELLINGS):
        url = f"http://{host}:{inner.server_port}/"
        admin.submit("/monitoring/webhookendpoint/add/", {**WEBHOOK, "name": f"inner {number}", "url": url})
    keys = production.inside(INNER_WEBHOOKS).split()
    assert keys
    for key in keys:
        admin.submit(f"/monitoring/webhookendpoint/{key}/do/test/")
        assert "PRIVATE_HOSTS does not include" in admin.ask(f"/monitoring/webhookendpoint/{key}/change/").text
    assert inner.asked == []


def test_mail_goes_to_no_address_of_ones_choice(production: Production) -> None:
    viewer = production.person("mail-viewer", "Viewer")
    form = {**CHANNEL, "name": "two\r\nlines"}
    for address in ("victim@elsewhere.example", "mail-viewer@example.com, victim@elsewhere.example"):
        answer = viewer.submit("/monitoring/channel/add/", {**form, "address": address})
        assert "but not to victim@elsewhere.example" in answer.text
    added = viewer.submit("/monitoring/channel/add/", {**form, "address": "mail-viewer@example.com"})
    assert added.status_code == 302
    key = production.inside("from monitoring.models import Channel; print(Channel.objects.get(name='two lines').pk)")
    for _ in range(12):
        assert viewer.submit(f"/monitoring/channel/{key}/do/test/").status_code == 302
    assert "at most 10 tests per hour" in viewer.ask(f"/monitoring/channel/{key}/change/").text


def test_nothing_is_sent_to_somebody_who_was_deactivated(production: Production) -> None:
    production.person("gone-viewer", "Viewer")
    told = dict(line.split(" ", 1) for line in production.inside(SENT_TO_THE_GONE).splitlines())
    assert told["channel"] == "dead gone-elsewhere was deactivated."
    assert told["report"].startswith("dead")
    assert told["webhook"].startswith("waiting Its owner, gone-viewer, was deactivated or deleted.")
