"""What can be wrong on this machine: settings, database, disk, files, queue, worker, backups."""

from __future__ import annotations

import grp
import os
import re
import shutil
import stat
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.db import connection
from django.utils import timezone

from core.db import database_now
from core.encryption import SecretLost, decrypted
from core.jobs import Schedule
from core.outbound.connections import EVERYWHERE
from dnbmon_site.operations.backup.daily import newest_time
from dnbmon_site.operations.doctor.finding import Finding
from dnbmon_site.worker.schedules import is_own
from health.checks.migrations import EARLIER, is_of_earlier_version, migrations_waiting
from health.models import JOBS, Heartbeat
from monitoring.models import Channel, Delivery, DeliveryState, FileServer, WebhookEndpoint
from monitoring.outbox.addresses import address_of
from monitoring.pull.preconditions import LEAST_FREE

NETWORK_FOLDERS = {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "fuse.sshfs", "glusterfs", "ceph"}
BEATS_LATE = timedelta(minutes=3)
STUCK = timedelta(hours=1)
LONG_IN_DOUBT = timedelta(hours=6)
OPEN_TO_OTHERS = stat.S_IRWXG | stat.S_IRWXO
OPEN_TO_STRANGERS = stat.S_IWGRP | stat.S_IRWXO
# Settings that may come from a file which nobody else should read.
SECRET = re.compile(r"^(SECRET_KEY|DATABASE_URL|REDIS_URL|EMAIL_URL|.*_(KEY|SECRET|PASSWORD))_FILE$")


def environment() -> Iterator[Finding]:
    if settings.ENVIRONMENT != "production" and not settings.DEVELOPMENT and not settings.ALLOWED_HOSTS:
        yield Finding(
            "ALLOWED_HOSTS is empty, so every page returns error 400.", "Set it to the host names that users open."
        )
    if not settings.DEVELOPMENT and len(settings.SECRET_KEY) < 50:
        yield Finding(
            "SECRET_KEY is missing or too short.", "Set at least 50 random characters, the same for all processes."
        )
    if settings.PRODUCTION and EVERYWHERE in settings.PRIVATE_HOSTS:
        yield Finding(
            "Webhooks and channels can reach any address in your own network.",
            "Set PRIVATE_HOSTS to the hosts or networks that they may reach, and remove WEBHOOKS_TO_PRIVATE_ADDRESSES.",
        )
    if not 1 <= settings.DNB_TIMEOUT <= 300:
        yield Finding(f"DNB_TIMEOUT is {settings.DNB_TIMEOUT} seconds.", "Set it to 1 to 300 seconds; 30 is usual.")
    if not 0 < settings.DNB_CALLS_PER_SECOND <= 5:
        yield Finding(f"DNB_CALLS_PER_SECOND is {settings.DNB_CALLS_PER_SECOND}; D&B allows 5.", "Remove the setting.")


def database() -> Iterator[Finding]:
    try:
        connection.ensure_connection()
        connection.introspection.table_names()
    except Exception as error:  # noqa: BLE001  Drivers below Django raise their own.
        yield Finding(
            f"The database cannot be reached ({type(error).__name__}: {str(error).strip()[:200]}).",
            "Check that it is running and that DATABASE_URL is correct (user, password, host, name).",
        )


def migrations() -> Iterator[Finding]:
    if is_of_earlier_version():
        what, _, do = EARLIER.partition(" Nothing in it was changed. ")
        yield Finding(what, do)
    elif migrations_waiting():
        yield Finding(
            "The database has pending migrations.",
            "Run “.venv/bin/python manage.py migrate”. Pulling is paused until then.",
        )


def disk() -> Iterator[Finding]:
    for place in {settings.VAR_DIR, sqlite_folder() or settings.VAR_DIR}:
        free = shutil.disk_usage(place).free
        if free < LEAST_FREE:
            yield Finding(
                f"{place} has {free / 1e6:,.0f} MB free.", "Free up at least 1 GB. Pulling is paused until then."
            )


def sqlite_folder() -> Path | None:
    return Path(settings.DATABASES["default"]["NAME"]).parent if connection.vendor == "sqlite" else None


def network_folder() -> Iterator[Finding]:
    folder = sqlite_folder()
    kind = filesystem_of(folder) if folder else ""
    if kind in NETWORK_FOLDERS:
        yield Finding(
            f"The SQLite file is in a network folder ({kind}), where file locks do not work and data can be lost.",
            "Move it to a local disk, or use PostgreSQL or MongoDB.",
        )


def filesystem_of(folder: Path) -> str:
    """By the longest mount that holds the folder; empty where the system does not tell."""
    try:
        mounts = [line.split() for line in Path("/proc/mounts").read_text().splitlines()]
    except OSError:
        return ""
    holding = [(len(parts[1]), parts[2]) for parts in mounts if folder.resolve().is_relative_to(parts[1])]
    return max(holding, default=(0, ""))[1]


def permissions() -> Iterator[Finding]:
    places = [settings.VAR_DIR / "secret_key", settings.BASE_DIR / ".env"]
    places += [Path(path) for name, path in os.environ.items() if SECRET.match(name) or name == "ENV_FILE"]
    for path in dict.fromkeys(places):
        if os.path.isfile(path) and not in_secret_store(path):
            yield from open_to_others(path)
    if not os.access(settings.VAR_DIR, os.W_OK):
        yield Finding(
            f"{settings.VAR_DIR} is not writable.", f"Make the service user its owner: chown … {settings.VAR_DIR}"
        )


def open_to_others(path: Path) -> Iterator[Finding]:
    """Nothing is advised after which this program could not read the file any more. That its group reads a file which
    belongs to somebody else (root:dnbmon 0640) is the usual way for services."""
    found = path.stat()
    if found.st_uid == os.geteuid() != 0:
        if found.st_mode & OPEN_TO_OTHERS:
            yield Finding(f"Other users can read {path}, which contains a secret.", f"chmod 600 {path}")
    elif found.st_mode & OPEN_TO_STRANGERS:
        is_in_group = os.geteuid() != 0 and found.st_gid in {os.getegid(), *os.getgroups()}
        group = "" if is_in_group else f"chgrp {service_group()} {path} && "
        yield Finding(f"Other users can read {path}, which contains a secret.", f"{group}chmod 640 {path}")


def service_group() -> str:
    """Of the user who runs this; root runs it for somebody else, whose own `var` is."""
    number = os.getegid() if os.geteuid() else settings.VAR_DIR.stat().st_gid
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)


def stored_secrets() -> Iterator[Finding]:
    """Channels and webhooks are encrypted with SECRET_KEY: with another one nothing reaches anybody."""
    channels = Channel.objects.exclude(encrypted="").exclude(active=False)
    lost = [f"channel {row.name}" for row in channels if not address_of(row)]
    lost += [f"webhook {row.name}" for row in WebhookEndpoint.objects.all() if not is_readable(row.encrypted_secret)]
    servers = FileServer.objects.all()
    lost += [
        f"file server {row.name}" for row in servers if not is_readable(row.encrypted_password + row.encrypted_key)
    ]
    if lost:
        names = ", ".join(lost[:5]) + (" …" if lost[5:] else "")
        yield Finding(
            f"These were encrypted with another SECRET_KEY: {names}.",
            "Set the previous SECRET_KEY, or enter their addresses, secrets and passwords again.",
        )


def is_readable(text: str) -> bool:
    try:
        return not text or bool(decrypted(text))
    except SecretLost:
        return False


def in_secret_store(path: Path) -> bool:
    """Containers mount secrets readable for all inside, where nobody else is."""
    return path.is_relative_to("/run/secrets")


def queue() -> Iterator[Finding]:
    if not settings.REDIS_URL:
        return
    # Loaded only where it is used.
    import redis

    try:
        redis.Redis.from_url(settings.REDIS_URL, socket_timeout=3, socket_connect_timeout=3).ping()
    except redis.RedisError as error:
        yield Finding(
            f"Redis does not respond ({error}).",
            "Check that it is running and that REDIS_URL is correct.",
        )


def worker() -> Iterator[Finding]:
    beat = Heartbeat.objects.filter(name=JOBS).values_list("at", flat=True).first()
    if beat is None or database_now() - beat > BEATS_LATE:
        when = f"since {beat:%Y-%m-%d %H:%M} UTC" if beat else "yet"
        yield Finding(
            f"No job has run {when}.",
            "Start D&B Monitoring with “make start”, or its worker with “.venv/bin/python manage.py worker”, "
            "and check the log.",
        )


def schedules() -> Iterator[Finding]:
    for row in Schedule.objects.order_by("id"):
        if not is_own(row):
            yield Finding(
                f"The schedule “{row.name}” ({row.func}) is not a valid job of D&B Monitoring. It is disabled.",
                "Open it under “Schedules” and choose a job, or delete it.",
            )


def stuck() -> Iterator[Finding]:
    old = timezone.now() - STUCK
    for state in (DeliveryState.RECEIVED, DeliveryState.INGESTED, DeliveryState.CALLED):
        rows = Delivery.objects.filter(state=state, called_at__lt=old)
        if rows.exists():
            words = state.label.lower()
            yield Finding(
                f"Deliveries have stayed at “{words}” for over an hour.",
                "Run “.venv/bin/python manage.py ingest” to see why.",
            )
    in_doubt = Delivery.objects.filter(state=DeliveryState.IN_DOUBT, ended_at__lt=timezone.now() - LONG_IN_DOUBT)
    if in_doubt.exists():
        yield Finding(
            "Calls have been in doubt for over 6 hours.",
            "Run “.venv/bin/python manage.py pull REFERENCE” to recover them, even if paused.",
        )


def backups() -> Iterator[Finding]:
    if not settings.BACKUP_FOLDER:
        if settings.PRODUCTION and not settings.BACKUP_ELSEWHERE:
            yield Finding(
                "BACKUP_FOLDER is not set.",
                "Set it, or back up by other means and set BACKUP_ELSEWHERE=yes (docs/operate/backup.md).",
            )
        return
    last = newest_time(Path(settings.BACKUP_FOLDER))
    if last is None or timezone.now() - last > timedelta(days=2):
        when = f"from {last:%Y-%m-%d}" if last else "missing"
        yield Finding(
            f"The latest backup is {when}.",
            f"Run “.venv/bin/python manage.py backup {settings.BACKUP_FOLDER}” to see the error.",
        )
